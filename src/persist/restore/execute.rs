//! Executes a plan, and enters the result of each step into the report.

use super::build;
use super::recheck::LiveState;
use super::step::{Action, Start, Step};
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{PlannedRow, RowResult};
use crate::persist::save::coalesce;
use crate::text::printable;
use crate::tmux::HookState;
use std::time::Instant;

/// Executes the selected steps, each rechecked against the live sessions. `rows` are those of the
/// report, one for each step.
pub(crate) fn execute(
    context: &Context,
    steps: Vec<Step>,
    rows: &mut [PlannedRow],
) -> Result<(), Error> {
    let begin = Instant::now();
    let live = LiveState::capture(context, steps.iter().map(|step| &step.row))?;
    tracing::debug!(took = ?begin.elapsed(), "live sessions captured again");
    let (mut to_build, mut places) = (Vec::new(), Vec::new());
    for (at, step) in steps.into_iter().enumerate() {
        let result = if step.action == Action::Skip {
            RowResult::Skipped(None)
        } else if !step.selected {
            RowResult::NotSelected
        } else if let Some(why) = live.conflict(&step) {
            RowResult::Skipped(Some(why.to_owned()))
        } else {
            to_build.push(step);
            places.push(at);
            continue;
        };
        rows[at].result = Some(result);
    }
    if to_build.is_empty() {
        return Ok(());
    }
    let begin = Instant::now();
    let results = match build::build(context, &to_build) {
        Ok(results) => results,
        Err(error) => {
            for at in places {
                rows[at].result = Some(RowResult::Failed(error.to_string()));
            }
            return Err(error.into());
        }
    };
    tracing::debug!(panes = to_build.len(), took = ?begin.elapsed(), "sessions created");
    // The server may be a new one. If this fails, the next save tries again.
    let _ = coalesce::sync_hooks(&context.server, context.hooks.as_ref(), HookState::Different);
    for ((at, step), result) in places.into_iter().zip(&to_build).zip(results) {
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
