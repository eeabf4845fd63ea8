//! Executes a plan, and enters the result of each step into the report.

use super::build::{self, Built};
use super::recheck::LiveState;
use super::step::{Action, Start, Step};
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{PlannedRow, RowResult};
use crate::persist::save::coalesce;
use crate::text::{json_text, printable};
use crate::tmux::{HookState, TmuxError};
use build::configured::Configured;
use std::time::Instant;

/// Executes the selected steps, each rechecked against the live sessions. `rows` are those of the
/// report, one for each step.
pub(crate) fn execute(
    context: &Context,
    steps: Vec<Step>,
    rows: &mut [PlannedRow],
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let (mut to_build, mut places) = (Vec::new(), Vec::new());
    for (at, step) in steps.into_iter().enumerate() {
        if step.action == Action::Skip {
            rows[at].result = Some(RowResult::Skipped(None));
        } else if !step.selected {
            rows[at].result = Some(RowResult::NotSelected);
        } else {
            to_build.push(step);
            places.push(at);
        }
    }
    if to_build.is_empty() {
        return Ok(());
    }
    let built = connect_and_build(context, &mut to_build, &mut places, rows);
    let built = match built {
        Ok(built) => built,
        Err(error) => {
            for at in places {
                rows[at].result = Some(RowResult::Failed(error.to_string()));
            }
            return Err(error.into());
        }
    };
    notes.extend(built.notes);
    for (step, name) in built.other_names {
        rows[places[step]].target = json_text(&name);
    }
    // The server may be a new one. If this fails, the next save tries again.
    let _ = coalesce::sync_hooks(&context.server, context.hooks.as_ref(), HookState::Different);
    for ((at, step), result) in places.into_iter().zip(&to_build).zip(built.results) {
        let result = match result {
            Ok(()) if context.launcher.is_none() && step.start != Start::Shell => {
                let why = "start-claude is not installed beside persist; a shell was started";
                RowResult::Failed(why.to_owned())
            }
            Ok(()) => RowResult::Restored,
            Err(why) => RowResult::Failed(printable(&why.to_string()).into_owned()),
        };
        tracing::debug!(pane = step.row.label(), %result, "pane");
        rows[at].result = Some(result);
    }
    Ok(())
}

/// Connects, which starts the server if none runs; rechecks the steps against what is live then, and
/// builds those that are left. `places` are their rows.
fn connect_and_build(
    context: &Context,
    to_build: &mut Vec<Step>,
    places: &mut Vec<usize>,
    rows: &mut [PlannedRow],
) -> Result<Built, TmuxError> {
    let mut connection = build::connect(context)?;
    let begin = Instant::now();
    let live = LiveState::capture(context, to_build.iter().map(|step| &step.row))?;
    tracing::debug!(took = ?begin.elapsed(), "live sessions captured again");
    let configured = Configured::of(context, &mut connection, &live, to_build)?;
    let steps = std::mem::take(to_build);
    for (at, mut step) in std::mem::take(places).into_iter().zip(steps) {
        let conflict = match configured.settle(&mut step) {
            None => live.conflict(&step),
            Some(Ok(())) => live.conversation_conflict(&step),
            Some(Err(why)) => Some(why),
        };
        rows[at] = step.describe();
        if let Some(why) = conflict {
            rows[at].result = Some(RowResult::Skipped(Some(why.to_owned())));
        } else {
            to_build.push(step);
            places.push(at);
        }
    }
    if to_build.is_empty() {
        connection.close()?;
        return Ok(Built::default());
    }
    let begin = Instant::now();
    let built = connection.build(context, to_build, &configured.replaced())?;
    tracing::debug!(panes = to_build.len(), took = ?begin.elapsed(), "sessions created");
    Ok(built)
}
