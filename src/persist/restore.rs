//! `restore`: executes the plan that `show` prints.

use super::build;
use super::closings::Closings;
use super::facts;
use super::job::World;
use super::plan::{self, Action, Start, Step};
use super::report::{Planned, PlannedRow, Problem, Report};
use super::source;
use super::unfinished;
use crate::snapshot::{Stored, escape};
use crate::sys::pending;
use std::collections::BTreeSet;

/// Restores sessions: all that were not closed, or the chosen ones; `from` a certain snapshot.
pub fn restore(world: &World, sessions: &[String], from: Option<&str>, dry_run: bool) -> Report {
    let mut planned = Planned::default();
    if let Err(problem) = try_restore(world, sessions, from, dry_run, &mut planned) {
        planned.error = Some(problem);
    } else if !dry_run && sessions.is_empty() && from.is_none() {
        // From now on what is live may follow the newest snapshot.
        let marked = pending::restored(&world.account);
        planned.notes.extend(marked.err().map(|error| error.to_string()));
    }
    Report::Plan(planned)
}

/// The plan that a restore of `from` would execute; for `show`.
pub(super) fn plan_only(
    world: &World,
    from: Option<&str>,
    planned: &mut Planned,
) -> Result<(), Problem> {
    try_restore(world, &[], from, true, planned)
}

fn try_restore(
    world: &World,
    sessions: &[String],
    from: Option<&str>,
    dry_run: bool,
    planned: &mut Planned,
) -> Result<(), Problem> {
    let mut store = world.store().map_err(|error| Problem::failed(&error))?;
    // Held to the end: a save in between would see half of the sessions.
    let lock = match &mut store {
        Some(store) if !dry_run => {
            Some(store.lock(world.lock_wait).map_err(|error| Problem::failed(&error))?)
        }
        _ => None,
    };
    let notes = &mut planned.notes;
    let Some(stored) = source::find(world, store.as_ref(), from, notes)? else {
        notes.push("nothing has been saved yet".to_owned());
        return match sessions {
            [] => Ok(()),
            [name, ..] => {
                Err(Problem::usage(format!("no session '{name}': nothing has been saved yet")))
            }
        };
    };
    planned.snapshot = Some(stored.id.to_string());
    let chosen = choose(sessions, &stored)?;
    let closings = match &store {
        Some(store) => Closings {
            tombstones: store.tombstones(notes).map_err(|error| Problem::failed(&error))?,
            endings: store.endings(notes).map_err(|error| Problem::failed(&error))?,
        },
        None => Closings::default(),
    };
    let before = notes.len();
    let gather = |notes: &mut Vec<String>| {
        facts::gather(world, &stored.snapshot, notes).map_err(|error| Problem::failed(&error))
    };
    let mut facts = gather(notes)?;
    if lock.is_some() && !facts.unfinished.is_empty() {
        unfinished::end(world, &facts.unfinished).map_err(|error| Problem::failed(&error))?;
        notes.truncate(before);
        notes.push("a restore had died on the way: what it had not finished is made anew".into());
        facts = gather(notes)?;
    }
    let steps = plan::plan(&stored, &facts, &closings, chosen.as_ref());
    planned.rows = steps.iter().map(Step::describe).collect();
    if dry_run {
        return Ok(());
    }
    execute(world, steps, &mut planned.rows)
}

/// The sessions that were named, each of which must be in the snapshot: nothing is started for
/// half a selection.
fn choose(names: &[String], stored: &Stored) -> Result<Option<BTreeSet<Vec<u8>>>, Problem> {
    if names.is_empty() {
        return Ok(None);
    }
    let known: BTreeSet<&[u8]> = stored.session_names().collect();
    let mut chosen = BTreeSet::new();
    for name in names {
        let absent = || Problem::usage(format!("no session '{name}' in snapshot {}", stored.id));
        chosen.insert(super::names::find(name, &known).ok_or_else(absent)?);
    }
    Ok(Some(chosen))
}

fn execute(world: &World, steps: Vec<Step>, rows: &mut [PlannedRow]) -> Result<(), Problem> {
    let (mut to_build, mut places) = (Vec::new(), Vec::new());
    for (at, step) in steps.into_iter().enumerate() {
        let result = match (step.action, step.selected) {
            (Action::New, true) => {
                to_build.push(step);
                places.push(at);
                continue;
            }
            (Action::New, false) => "not selected",
            (Action::Skip, _) => "skipped",
        };
        rows[at].result = Some(result.to_owned());
    }
    if to_build.is_empty() {
        return Ok(());
    }
    let results = match build::build(world, &to_build) {
        Ok(results) => results,
        Err(error) => {
            for at in places {
                rows[at].result = Some(format!("failed: {error}"));
            }
            return Err(Problem::failed(&error));
        }
    };
    for ((at, step), result) in places.into_iter().zip(&to_build).zip(results) {
        rows[at].result = Some(match result {
            Ok(()) if world.launcher.is_none() && step.start != Start::Shell => {
                "failed: start-claude is not installed beside persist; a shell is there".to_owned()
            }
            Ok(()) => "restored".to_owned(),
            Err(why) => format!("failed: {}", escape(why.as_bytes())),
        });
    }
    Ok(())
}
