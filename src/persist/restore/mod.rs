//! `restore`: executes the plan that `show` prints.

pub mod arrange;
pub mod budget;
pub mod build;
pub mod facts;
pub mod finish;
pub mod groups;
pub mod memory;
pub mod mode;
pub mod pane_command;
pub mod pane_start;
pub mod plan;
pub mod selection;
pub mod session_name;
pub mod session_outcome;
pub mod source;
pub mod step;
pub mod unfinished;

use super::capture::{Capture, capture};
use super::context::Context;
use super::report::{PlanReport, PlannedRow, Problem, Report};
use super::save::{coalesce, read_closings, scrollback};
use crate::agent::{AGENTS, Home};
use crate::persist::restore_pending;
use crate::process::Proc;
use crate::sys::locks::Lock;
use crate::text::escape;
use crate::tmux::TmuxError;
use crate::tmux::hooks::Found;
use mode::Mode;
use selection::Selection;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use step::{Action, Start, Step};

/// Restores sessions: all that were not closed, or the chosen ones; `from` a certain snapshot.
pub fn restore(
    context: &Context,
    sessions: &[String],
    from: Option<&str>,
    mode: Option<Mode>,
    dry_run: bool,
) -> Report {
    let begin = Instant::now();
    let mut planned = PlanReport::default();
    if let Err(problem) = try_restore(context, sessions, from, mode, dry_run, &mut planned) {
        planned.error = Some(problem);
    } else if !dry_run && sessions.is_empty() && from.is_none() {
        // From now on what is live may follow the newest snapshot.
        let marked = restore_pending::restored(&context.account);
        planned.notes.extend(marked.err().map(|error| error.to_string()));
    }
    if !dry_run {
        record(context, begin, &mut planned);
    }
    Report::Plan(planned)
}

/// Records what was done with each pane, where there is a store at all.
fn record(context: &Context, begin: Instant, planned: &mut PlanReport) {
    let error = planned.error.as_ref();
    if error.is_some_and(|problem| problem.usage) {
        return; // nothing was tried
    }
    // A restore that failed before it had a plan is one failure.
    let without_plan = error.filter(|_| planned.rows.is_empty());
    let actions = planned.rows.iter().filter_map(|row| match row.result.as_deref()? {
        "not selected" => None,
        result if result.starts_with("failed") => Some("failed"),
        result if result.starts_with("skipped") => Some("skip"),
        _ => Some(row.action.as_str()),
    });
    let actions = actions.chain(without_plan.map(|_| "failed"));
    context.record(&mut planned.notes, |activity| {
        activity.enter_restore(context.now, begin.elapsed(), actions);
    });
}

/// The plan that a restore of `from` would execute; for `show`.
pub(super) fn plan_only(
    context: &Context,
    from: Option<&str>,
    mode: Option<Mode>,
    planned: &mut PlanReport,
) -> Result<(), Problem> {
    try_restore(context, &[], from, mode, true, planned)
}

fn try_restore(
    context: &Context,
    sessions: &[String],
    from: Option<&str>,
    mode: Option<Mode>,
    dry_run: bool,
    planned: &mut PlanReport,
) -> Result<(), Problem> {
    let begin = Instant::now();
    let mut store = context.store().map_err(|error| Problem::failed(&error))?;
    // Held to the end: a save in between would see half of the sessions.
    let lock = match &mut store {
        Some(store) if !dry_run => {
            Some(store.lock(context.lock_wait).map_err(|error| Problem::failed(&error))?)
        }
        _ => None,
    };
    let notes = &mut planned.notes;
    let Some(stored) = source::find(context, store.as_ref(), from, notes)? else {
        notes.push("nothing has been saved yet".to_owned());
        return match sessions {
            [] => Ok(()),
            [name, ..] => {
                Err(Problem::usage(format!("no session '{name}': nothing has been saved yet")))
            }
        };
    };
    planned.snapshot = Some(stored.id.to_string());
    let chosen = Selection::parse(sessions, &stored)?;
    let left = context.lock_wait.saturating_sub(begin.elapsed());
    let server_lock = if dry_run { None } else { lock_server(context, left, notes)? };
    let closings =
        store.as_ref().map(|store| read_closings::read(store, notes)).unwrap_or_default();
    let before = notes.len();
    let gather = |notes: &mut Vec<String>| {
        facts::gather(context, &stored.snapshot, notes).map_err(|error| Problem::failed(&error))
    };
    let mut facts = gather(notes)?;
    // Only under that lock are they certainly nobody's who is still at work.
    if server_lock.is_some() && !facts.unfinished.is_empty() {
        unfinished::end(context, &facts.unfinished).map_err(|error| Problem::failed(&error))?;
        notes.truncate(before);
        notes.push("a restore had died on the way: what it had not finished is made anew".into());
        facts = gather(notes)?;
    }
    let mut steps = plan::plan(&stored, &facts, &closings, chosen.as_ref());
    let pace = memory::settle(context, &facts, mode.unwrap_or(context.restore.mode), &mut steps);
    planned.agents.clone_from(&pace.allotment);
    planned.rows = steps.iter().map(Step::describe).collect();
    if dry_run {
        return Ok(());
    }
    scrollback::find(context, store.as_ref(), stored.id, &mut steps);
    if let Some((store, lock)) = store.as_ref().zip(lock.as_ref()) {
        planned.notes.extend(pace.leave_for_panes(store, lock));
    }
    execute(context, steps, &mut planned.rows)
}

/// Excludes restores from other state directories, or from a file without any: they hold another
/// lock. Where this one cannot be made, that is no reason to restore nothing.
fn lock_server(
    context: &Context,
    wait: Duration,
    notes: &mut Vec<String>,
) -> Result<Option<Lock>, Problem> {
    match context.server.lock(wait) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.is_timeout() => Err(Problem::failed(&error)),
        Err(error) => {
            notes.push(format!("other restores are not excluded: {error}"));
            Ok(None)
        }
    }
}

/// Does what the plan says, row by row, and notes what became of each.
fn execute(context: &Context, steps: Vec<Step>, rows: &mut [PlannedRow]) -> Result<(), Problem> {
    let now = Now::look(context).map_err(|error| Problem::failed(&error))?;
    let (mut to_build, mut places) = (Vec::new(), Vec::new());
    for (at, step) in steps.into_iter().enumerate() {
        let result = if step.action == Action::Skip {
            "skipped".to_owned()
        } else if !step.selected {
            "not selected".to_owned()
        } else if let Some(why) = now.objects(&step) {
            format!("skipped: {why}")
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
    let results = match build::build(context, &to_build) {
        Ok(results) => results,
        Err(error) => {
            for at in places {
                rows[at].result = Some(format!("failed: {error}"));
            }
            return Err(Problem::failed(&error));
        }
    };
    // The server may be a new one; the next save tries again.
    let _ = coalesce::keep(&context.server, context.hooks.as_ref(), Found::Others);
    for ((at, step), result) in places.into_iter().zip(&to_build).zip(results) {
        rows[at].result = Some(match result {
            Ok(()) if context.launcher.is_none() && step.start != Start::Shell => {
                "failed: start-claude is not installed beside persist; a shell is there".to_owned()
            }
            Ok(()) => "restored".to_owned(),
            Err(why) => format!("failed: {}", escape(why.as_bytes())),
        });
    }
    Ok(())
}

/// The live state directly before acting: between the plan and this a person may have done by hand
/// what the plan says (lesson 13).
struct Now<'a> {
    context: &'a Context,
    proc: Proc,
    live: Capture,
    sessions: BTreeSet<Vec<u8>>,
    conversations: BTreeSet<Vec<u8>>,
}

impl<'a> Now<'a> {
    fn look(context: &'a Context) -> Result<Self, TmuxError> {
        let (home, proc) = (Home::new(&context.account.home), Proc::default());
        let live = capture(context, None, &home, &proc)?.unwrap_or_default();
        let mut conversations = BTreeSet::new();
        for agent in AGENTS {
            let outside = agent.live(&home, &proc, &live.agents).into_iter();
            conversations.extend(outside.map(|(id, _)| id.as_str().as_bytes().to_vec()));
        }
        let rows = &live.snapshot.rows;
        conversations.extend(rows.iter().filter_map(|row| row.conversation.clone()));
        let sessions = rows.iter().map(|row| row.session.clone()).collect();
        Ok(Self { context, proc, live, sessions, conversations })
    }

    /// Why a step must not be done after all.
    fn objects(&self, step: &Step) -> Option<String> {
        if let Start::Agent { id, .. } = &step.start
            && self.conversations.contains(id.as_str().as_bytes())
        {
            return Some("its conversation has become live".to_owned());
        }
        match step.action {
            Action::InPlace { pane, pid } => {
                let same = self.live.pids.get(&pane).copied() == pid
                    && self.live.snapshot.rows.iter().any(|row| row.pane_id == Some(pane));
                let waits =
                    pid.is_none_or(|pid| facts::is_waiting_shell(pid, self.context, &self.proc));
                (!same || !waits).then(|| "no shell waits in its pane any more".to_owned())
            }
            _ if self.sessions.contains(&step.target) => {
                Some("a session of that name has become live".to_owned())
            }
            _ => None,
        }
    }
}
