//! Puts our launcher into panes in place of what runs there: waiting for Enter, or starting the agent.
//! tmux does both in one step, so that the pane is never without either.

use super::observe::{Observed, Way};
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::restore::build::{self, StepFailure};
use crate::persist::restore::facts::Facts;
use crate::persist::restore::memory;
use crate::persist::restore::step::{Action, Start, Step};
use crate::persist::restore_mode::Mode;
use crate::snapshot::{Row, Store};
use crate::sys::fs::may_enter;
use crate::sys::locks::Lock;
use crate::sys::mounts;
use crate::sys::process::ending::Ending;
use crate::tmux::Server;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How long an agent whose terminal is gone may take to end before it is asked to, and then before it
/// is killed: its launcher must still take its end for ours (10 s).
const PATIENCE: Duration = Duration::from_secs(3);

/// The store with its lock.
pub(super) struct Locked<'a> {
    pub(super) store: &'a Store,
    pub(super) lock: &'a Lock,
}

/// A step that puts the launcher with an agent into an existing pane.
pub(super) fn step(
    row: &Row,
    (pane, first): (u32, Option<i32>),
    (agent, id, resumption): Way,
) -> Step {
    let can_enter = |path: &[u8]| {
        let path = Path::new(OsStr::from_bytes(path));
        path.is_absolute() && mounts::unanswered(path).is_none() && path.is_dir() && may_enter(path)
    };
    Step {
        action: Action::Replace { pane, pid: first },
        target: row.label().into_bytes(),
        origin: None,
        selected: true,
        reason: String::new(),
        start: Start::Agent { agent, id, resumption },
        closed: None,
        directory_hangs: false,
        deferred: false,
        is_impossible: false,
        has_directory: can_enter(&row.cwd),
        has_session_path: false,
        scrollback: None,
        when: None,
        note: None,
        row: row.clone(),
    }
}

/// Executes such steps: the agents wait with [`Mode::Lazy`], and start with [`Mode::Eager`].
pub(super) fn execute(
    context: &Context,
    locked: &Locked<'_>,
    mut steps: Vec<Step>,
    facts: &Facts,
    mode: Mode,
    notes: &mut Vec<String>,
) -> Result<Vec<Result<(), StepFailure>>, Error> {
    let starts = memory::decide(context, facts, mode, &mut steps);
    notes.extend(starts.leave_for_panes(locked.store, locked.lock));
    let server = Server { may_start: false, ..context.server.clone() };
    let context = Context { server, ..context.clone() };
    let built = build::connect(&context)?.build(&context, &steps, &[])?;
    notes.extend(built.notes);
    Ok(built.results)
}

/// An agent with how it can come back.
pub(super) type Resumable<'a> = (&'a Observed, &'a Way);

/// Suspends agents of different panes. Their conversations are recorded first: whatever happens then, a
/// save takes them for suspended.
pub(super) fn suspend(
    context: &Context,
    locked: &Locked<'_>,
    agents: &[Resumable<'_>],
    notes: &mut Vec<String>,
) -> Result<Vec<Result<(), StepFailure>>, Error> {
    let mut suspending = locked.store.suspending(notes);
    suspending.0.extend(agents.iter().filter_map(|(one, _)| one.row.conversation_key()));
    locked.store.write_suspending(&suspending, locked.lock)?;
    let steps = agents
        .iter()
        .map(|(one, way)| step(&one.row, (one.pane, Some(one.first)), (*way).clone()))
        .collect();
    let endings: Vec<Option<Ending>> =
        agents.iter().map(|(one, _)| Ending::of(one.pid).ok().flatten()).collect();
    let results = execute(context, locked, steps, &Facts::default(), Mode::Lazy, notes)?;
    for (result, (ending, (one, _))) in results.iter().zip(endings.iter().zip(agents)) {
        let has_ended = || ending.as_ref().is_none_or(|ending| ending.insist(PATIENCE));
        if result.is_ok() && !has_ended() {
            notes.push(format!("{}: process {} has not ended yet", one.row.label(), one.pid));
        }
    }
    Ok(results)
}
