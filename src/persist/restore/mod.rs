//! `restore`: executes the plan that `show` prints.

pub mod budget;
pub mod build;
pub mod execute;
pub mod facts;
pub mod gather;
pub mod memory;
mod never_prompted;
pub mod pane_start;
pub mod plan;
pub mod recheck;
pub mod scrollback;
pub mod selection;
pub mod session_name;
pub mod session_outcome;
pub mod source;
pub mod step;
pub mod unfinished;

use super::capture::{agents, left_behind};
use super::context::Context;
use super::error::Error;
use super::report::{PlanReport, PlannedRow, Report, RowResult};
use super::restore_mode::Mode;
use super::save::read_closings;
use crate::agent::Home;
use crate::persist::deaths::Explanations;
use crate::persist::{restore_pending, stranded_server};
use crate::process::Proc;
use crate::snapshot::{Row, Store, Stored};
use crate::sys::locks::Lock;
use crate::text::{json_text, shown};
use crate::tmux::{Server, configuration};
use facts::Facts;
use selection::Selection;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use step::{Action, Step};

/// Restores the given sessions; without any, all that were not closed. `from` is a snapshot id or
/// path, the newest valid snapshot if absent. With `dry_run`, only reports the plan.
pub fn restore(
    context: &Context,
    sessions: &[String],
    from: Option<&str>,
    mode: Option<Mode>,
    dry_run: bool,
) -> Report {
    let begin = Instant::now();
    let mut report = PlanReport::default();
    if let Err(error) = try_restore(context, sessions, from, mode, dry_run, &mut report) {
        tracing::debug!(%error, "restore failed");
        report.error = Some(error.into());
    } else if !dry_run && sessions.is_empty() && from.is_none() {
        // From now on a snapshot of the live sessions may follow the newest one.
        let marked = restore_pending::restored(&context.account);
        report.notes.extend(marked.err().map(|error| error.to_string()));
    }
    if !dry_run {
        record(context, begin, &mut report);
    }
    let (tally, took) = (report.sessions_by_result(), begin.elapsed());
    tracing::info!(
        snapshot = report.snapshot,
        restored = tally.restored,
        skipped = tally.skipped,
        failed = tally.failed,
        ?took,
        "restore"
    );
    Report::Plan(report)
}

/// Records the result for each pane in the user's activity, if there is a store.
fn record(context: &Context, begin: Instant, report: &mut PlanReport) {
    let error = report.error.as_ref();
    if error.is_some_and(|problem| problem.usage) {
        return; // nothing was tried
    }
    // A restore that failed before it had a plan is one failure.
    let without_plan = error.filter(|_| report.rows.is_empty());
    let actions = report.rows.iter().filter_map(|row| match row.result.as_ref()? {
        RowResult::NotSelected => None,
        RowResult::Failed(_) => Some("failed"),
        RowResult::Skipped(_) => Some("skip"),
        RowResult::Restored => Some(row.action.word()),
    });
    let actions = actions.chain(without_plan.map(|_| "failed"));
    context.record(&mut report.notes, |activity| {
        activity.enter_restore(context.now, begin.elapsed(), actions);
    });
}

/// The plan that a restore of `from` would execute; for `show`.
pub(super) fn plan_only(
    context: &Context,
    from: Option<&str>,
    mode: Option<Mode>,
    report: &mut PlanReport,
) -> Result<(), Error> {
    try_restore(context, &[], from, mode, true, report)
}

fn try_restore(
    context: &Context,
    sessions: &[String],
    from: Option<&str>,
    mode: Option<Mode>,
    dry_run: bool,
    report: &mut PlanReport,
) -> Result<(), Error> {
    let begin = Instant::now();
    if !dry_run {
        stranded_server::check(context)?;
    }
    let mut store = context.store()?;
    // Held to the end: a save in between would see half of the sessions.
    let lock = match &mut store {
        Some(store) if !dry_run => lock_store(store, context.lock_wait, &mut report.notes)?,
        _ => None,
    };
    tracing::debug!(waited = ?begin.elapsed(), locked = lock.is_some(), "store opened");
    let Some(stored) = source::find(context, store.as_ref(), from, &mut report.notes)? else {
        return match sessions {
            [] => {
                report.notes.push("nothing has been saved yet".to_owned());
                Ok(())
            }
            [name, ..] => Err(Error::NothingSaved { name: name.clone() }),
        };
    };
    let mut stored = match store.as_ref().filter(|_| from.is_none()) {
        Some(store) => source::with_named(store, stored, sessions, &mut report.notes)?,
        None => stored,
    };
    if let Some(store) = store.as_ref().filter(|_| from.is_none()) {
        let activity = store.activity(&mut report.notes);
        let seen = activity.confirmed.max(stored.id.seconds());
        let (home, proc) = (Home::new(&context.account.home), Proc::default());
        let left = agents::left_behind(&stored.snapshot.rows, &home, &proc);
        let off = &activity.marked_off;
        report.notes.extend(left_behind::enter(&mut stored.snapshot, seen, &left, off));
        let rows = &mut stored.snapshot.rows;
        report.notes.extend(agents::enter_prompted_since(rows, seen, &home));
    }
    never_prompted::name(&mut stored);
    report.snapshot = Some(stored.id.to_string());
    let chosen = Selection::parse(sessions, &stored)?;
    let left = context.lock_wait.saturating_sub(begin.elapsed());
    let notes = &mut report.notes;
    let server_lock = if dry_run { None } else { lock_server(context, left, notes)? };
    let closings =
        store.as_ref().map(|store| read_closings::read(store, notes)).unwrap_or_default();
    let facts = gather_facts(context, &stored, server_lock.as_ref(), notes)?;
    let mut steps = plan::plan(&stored, &facts, &closings, chosen.as_ref());
    let mode = mode.unwrap_or(context.restore.mode);
    let starts = memory::decide(context, &facts, mode, &mut steps);
    report.agents.clone_from(&starts.result);
    report.rows = steps.iter().map(|step| describe(step, &facts)).collect();
    let selected = steps.iter().filter(|step| step.selected).count();
    tracing::debug!(panes = steps.len(), selected, took = ?begin.elapsed(), "plan made");
    if dry_run {
        return Ok(());
    }
    let configured = with_configuration(context, &stored, &mut report.notes);
    let context = configured.as_ref().unwrap_or(context);
    scrollback::find(context, store.as_ref(), stored.id, &mut steps);
    if let Some(explanations) = store.as_ref().map(Explanations::read) {
        for step in &mut steps {
            step.note = explanations.of(&step.row);
        }
    }
    if let Some((store, lock)) = store.as_ref().zip(lock.as_ref()) {
        report.notes.extend(starts.leave_for_panes(store, lock));
    }
    let rows: Vec<(Row, bool)> =
        steps.iter().map(|step| (never_prompted::as_saved(&step.row), step.deferred)).collect();
    let executed = execute::execute(context, steps, &mut report.rows, &mut report.notes);
    if let Some((store, lock)) = store.as_ref().zip(lock.as_ref()) {
        let is_whole = chosen.is_none() && from.is_none();
        let results = rows.iter().zip(report.rows.iter().map(|row| row.result.as_ref()));
        record_unrestored(store, lock, results, is_whole.then_some(&stored), &mut report.notes);
    }
    executed
}

/// A row of the report, with what the agent of a live pane does.
fn describe(step: &Step, facts: &Facts) -> PlannedRow {
    let status = || facts.statuses.get(&step.row.conversation_key()?);
    let status = status().filter(|_| matches!(step.action, Action::Skip));
    let waiting_for = status.and_then(|status| status.waiting_for.as_ref());
    PlannedRow {
        agent_state: status.map(|status| status.doing.word().to_owned()),
        waiting_for: waiting_for.map(|what| json_text(what.as_bytes())),
        ..step.describe()
    }
}

/// Records what could not be brought back, so that saves carry it until it is back. `newest` is the
/// snapshot, if all of the newest one was to be restored.
fn record_unrestored<'a>(
    store: &Store,
    lock: &Lock,
    results: impl Iterator<Item = (&'a (Row, bool), Option<&'a RowResult>)>,
    newest: Option<&Stored>,
    notes: &mut Vec<String>,
) {
    let before = store.unrestored(notes);
    let mut unrestored = before.clone();
    for ((row, deferred), result) in results {
        match result {
            Some(RowResult::Failed(_)) => unrestored.enter(row, false),
            Some(RowResult::Restored | RowResult::Skipped(None)) => {
                unrestored.enter(row, !deferred);
            }
            Some(RowResult::Skipped(Some(_)) | RowResult::NotSelected) | None => {}
        }
    }
    if let Some(newest) = newest {
        let rows: Vec<Row> = newest.snapshot.rows.iter().map(never_prompted::as_saved).collect();
        unrestored.retain_of(&rows);
    }
    if unrestored != before {
        let written = store.write_unrestored(&unrestored, lock);
        notes.extend(written.err().map(|error| error.to_string()));
    }
}

/// Excludes saves and other restores. Where nothing can be written, there is nothing to exclude: no save
/// works, and the snapshots that can be read are restored all the same.
fn lock_store(
    store: &mut Store,
    wait: Duration,
    notes: &mut Vec<String>,
) -> Result<Option<Lock>, Error> {
    match store.lock(wait) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.is_unwritable() => {
            notes.push(format!("restoring without a lock, and nothing can be saved: {error}"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The context for a server that has to be started: with the files that the saved one had by `tmux -f`.
fn with_configuration(
    context: &Context,
    stored: &Stored,
    notes: &mut Vec<String>,
) -> Option<Context> {
    let files = &stored.snapshot.config_files;
    if files.is_empty() || context.server.is_listening().unwrap_or(true) {
        return None;
    }
    let (usable, others) = configuration::usable(files);
    let note = |path: &PathBuf| {
        let why = "cannot be read, or belongs to another user: tmux starts without it";
        format!("the configuration {} {why}", shown(path))
    };
    notes.extend(others.iter().map(note));
    let server = Server { configuration: usable, ..context.server.clone() };
    Some(Context { server, ..context.clone() })
}

/// The facts for the plan. If an earlier restore was interrupted, ends what it left first: only while
/// the server is locked, since otherwise that restore may still be running.
fn gather_facts(
    context: &Context,
    stored: &Stored,
    server_lock: Option<&Lock>,
    notes: &mut Vec<String>,
) -> Result<Facts, Error> {
    let before = notes.len();
    let facts = gather::gather(context, &stored.snapshot, notes)?;
    if server_lock.is_none() || facts.unfinished.is_empty() {
        return Ok(facts);
    }
    unfinished::end(context, &facts.unfinished)?;
    notes.truncate(before);
    let note = "an earlier restore was interrupted: its unfinished sessions are created again";
    notes.push(note.to_owned());
    Ok(gather::gather(context, &stored.snapshot, notes)?)
}

/// Excludes restores with another state directory, or without one, which hold another lock. If the
/// lock cannot be created, the restore continues with a note.
///
/// # Errors
/// If another restore holds it for longer than `wait`.
fn lock_server(
    context: &Context,
    wait: Duration,
    notes: &mut Vec<String>,
) -> Result<Option<Lock>, Error> {
    match context.server.lock(wait) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.is_timeout() => Err(error.into()),
        Err(error) => {
            notes.push(format!("other restores are not excluded: {error}"));
            Ok(None)
        }
    }
}
