//! `save`: writes a snapshot if something changed, and never an empty one.

pub mod carry_lost;
pub mod closing_agents;
pub mod closings;
pub mod coalesce;
pub mod exclusion;
pub mod history_index;
pub mod lost;
pub(crate) mod missing;
pub mod prune;
pub mod read_closings;
pub mod scrollback;
pub mod user_options;

use super::capture::{Capture, agents, capture, left_behind};
use super::context::Context;
use super::error::Error;
use super::report::{Report, SaveReport, SaveResult};
use crate::agent::Home;
use crate::persist::{restore_pending, stranded_server};
use crate::process::Proc;
use crate::snapshot::{self, SnapshotId, State, Store, Stored};
use crate::sys::clock;
use crate::sys::locks::Lock;
use crate::text::shown;
use crate::text::table::count;
use closings::Closings;
use coalesce::Turn;
use std::time::Instant;

/// Saves the user's live sessions.
pub fn save(context: &Context) -> Report {
    save_in_turn(context, None)
}

/// Saves because something changed, at most once a second. If another process is about to save, it
/// will see the change, too, and nothing is done here.
pub fn save_soon(context: &Context) -> Report {
    // Without a server there is nothing to take turns for.
    if !context.server.is_listening().unwrap_or(false) {
        return save_in_turn(context, None);
    }
    match context.writable_store().and_then(|store| Turn::take(&store)) {
        Ok(Some(turn)) => {
            let mut context = context.clone();
            context.now = clock::now(); // waiting for the turn took time
            save_in_turn(&context, Some(&turn))
        }
        Ok(None) => {
            let notes = vec!["another save is about to see it".to_owned()];
            let result = SaveResult::Nothing;
            Report::Save(SaveReport { result, notes, ..SaveReport::default() })
        }
        Err(error) => {
            Report::Save(SaveReport { error: Some(error.into()), ..SaveReport::default() })
        }
    }
}

fn save_in_turn(context: &Context, turn: Option<&Turn>) -> Report {
    let begin = Instant::now();
    let mut notes = Vec::new();
    let mut report = try_save(context, turn, &mut notes).unwrap_or_else(|error| {
        tracing::debug!(%error, "save failed");
        SaveReport { error: Some(error.into()), ..SaveReport::default() }
    });
    report.warnings.extend(server_ended(context, &report, &mut notes));
    record(context, begin, &report, &mut notes);
    report.notes = notes;
    let (result, snapshot, took) = (report.result.word(), &report.snapshot, begin.elapsed());
    tracing::info!(result, snapshot, sessions = report.sessions, lost = report.lost, ?took, "save");
    Report::Save(report)
}

/// A warning that the tmux server was killed, or ended otherwise without its sessions having been closed: once.
fn server_ended(context: &Context, saved: &SaveReport, notes: &mut Vec<String>) -> Option<String> {
    if saved.result != SaveResult::Nothing || context.server.is_listening().unwrap_or(true) {
        return None;
    }
    let store = context.store().ok()??;
    let (_, newest) = store.newest(&mut Vec::new()).ok()??;
    let sessions = missing::find(context, &store, newest, false, notes).ended;
    if sessions == 0 {
        return None;
    }
    let mut is_known = false;
    context.record(notes, |activity| {
        is_known = activity.server_ended != 0;
        activity.server_ended = if is_known { activity.server_ended } else { context.now };
    });
    let sessions = count(usize::try_from(sessions).unwrap_or(usize::MAX), "session");
    (!is_known).then(|| {
        format!(
            "the tmux server has ended, or was killed, with {sessions} not closed \
             ('persist restore' brings back what it had)"
        )
    })
}

/// Records the result in the user's activity.
fn record(context: &Context, begin: Instant, saved: &SaveReport, notes: &mut Vec<String>) {
    let why = saved.error.as_ref().map_or("", |problem| problem.message.as_str());
    let mut failures = Vec::new();
    context.record(&mut failures, |activity| {
        activity.enter_save(context.now, begin.elapsed(), saved.result, why);
    });
    // If the save itself failed, its error is enough.
    if saved.error.is_none() {
        notes.extend(failures);
    }
}

fn nothing_to_save(notes: &mut Vec<String>, why: impl Into<String>) -> SaveReport {
    notes.push(why.into());
    SaveReport { result: SaveResult::Nothing, ..SaveReport::default() }
}

fn try_save(
    context: &Context,
    turn: Option<&Turn>,
    notes: &mut Vec<String>,
) -> Result<SaveReport, Error> {
    // Without a server nothing is created, not even the directory.
    if !context.server.is_listening()? {
        stranded_server::check(context)?;
        let socket = shown(context.server.socket.path());
        return Ok(nothing_to_save(notes, format!("no tmux server is running at {socket}")));
    }
    let mut store = context.writable_store()?;
    let begin = Instant::now();
    let lock = store.lock(context.lock_wait)?;
    tracing::debug!(waited = ?begin.elapsed(), "locked");
    if let Some(turn) = turn {
        turn.begin();
    }
    let newest = store.newest(notes)?;
    let closings = read_closings::read(&store, notes);
    let previous = newest.as_ref().map(|(_, stored)| stored);
    let Some(captured) = capture_all(context, &store, previous, &closings, notes)? else {
        return Ok(nothing_to_save(notes, "no tmux server is running"));
    };
    let excluded = captured.excluded.len();
    if captured.snapshot.rows.is_empty() {
        let why = if excluded > 0 {
            "all sessions are excluded"
        } else {
            "the tmux server has no sessions"
        };
        return Ok(SaveReport { excluded, ..nothing_to_save(notes, why) });
    }
    let report = write(context, (&store, &lock), &captured, newest.as_ref(), &closings, notes)?;
    if report.lost == 0 && restore_pending::is_pending(&context.account) {
        // All that the newest snapshot had is live again, however it came back.
        notes.extend(restore_pending::restored(&context.account).err().map(|e| e.to_string()));
    }
    Ok(report)
}

/// The live sessions, with what the newest snapshot had and is lost, or is still to be restored. `None`
/// without a server.
fn capture_all(
    context: &Context,
    store: &Store,
    newest: Option<&Stored>,
    closings: &Closings,
    notes: &mut Vec<String>,
) -> Result<Option<Capture>, Error> {
    let (home, proc) = (Home::new(&context.account.home), Proc::default());
    let previous = newest.map(|stored| &stored.snapshot);
    let Some(mut captured) = capture(context, previous, &home, &proc)? else { return Ok(None) };
    let excluded = exclusion::drop_excluded(&mut captured, &context.keep);
    captured.excluded.clone_from(&excluded.sessions);
    // The snapshot itself may be old, since nothing is written while nothing changes.
    let seen = newest.map_or(0, |newest| store.activity(notes).confirmed.max(newest.id.seconds()));
    notes.extend(user_options::complete(context, &mut captured, previous, seen));
    let synced = coalesce::sync_hooks(&context.server, context.hooks.as_ref(), captured.hooks);
    notes.extend(synced.err().map(|error| format!("saves on change are not set up: {error}")));
    if let Some(newest) = newest.filter(|_| !captured.snapshot.rows.is_empty()) {
        let started = |id: &[u8]| captured.started.get(id).and_then(|start| proc.time_of(*start));
        closing_agents::drop_closing(&mut captured.snapshot, newest.id, closings, started);
        let mut snapshot = exclusion::without(&newest.snapshot, &excluded, &context.keep);
        if snapshot.server != captured.snapshot.server {
            // The server has crashed, or the host has.
            let left = agents::left_behind(&snapshot.rows, &home, &proc);
            notes.extend(left_behind::enter(&mut snapshot, seen, &left));
        }
        let newest = &Stored { id: newest.id, snapshot };
        let unrestored = store.unrestored(notes);
        let carried = carry_lost::carry_lost(
            context,
            &mut captured,
            newest,
            closings,
            seen,
            (unrestored, excluded.conversations),
            (&home, &proc),
        );
        captured.notes.extend(carried);
    }
    notes.append(&mut captured.notes);
    notes.extend(home.take_all_notes());
    Ok(Some(captured))
}

/// Writes a snapshot, unless it equals the newest one.
fn write(
    context: &Context,
    (store, lock): (&Store, &Lock),
    captured: &Capture,
    newest: Option<&(Vec<u8>, Stored)>,
    closings: &Closings,
    notes: &mut Vec<String>,
) -> Result<SaveReport, Error> {
    let (snapshot, alternate) = (&captured.snapshot, &captured.alternate);
    let previous = newest.map(|(_, stored)| &stored.snapshot);
    history_index::update(context, (store, lock), captured, previous, notes);
    let bytes = snapshot::encode(snapshot);
    if let Some((_, Stored { id, .. })) = newest.filter(|(old, _)| *old == bytes)
        && !closings.any_alive(snapshot, *id)
    {
        store.point_latest(*id)?;
        let ids = (None, *id);
        notes.extend(scrollback::save(context, store, snapshot, alternate, ids, lock));
        return Ok(report(SaveResult::Unchanged, *id, captured));
    }
    // Later than every existing file, valid or not.
    let ids = store.ids()?.0;
    let id = SnapshotId::next(context.now, ids.first().copied(), closings.latest());
    // Written first, so that no snapshot is ever without its scrollback.
    let old_and_new = (newest.map(|(_, stored)| stored.id), id);
    notes.extend(scrollback::save(context, store, snapshot, alternate, old_and_new, lock));
    store.write(id, &bytes, lock)?;
    tracing::debug!(%id, bytes = bytes.len(), "snapshot written");
    prune::prune(context, (store, lock), &ids, id, notes);
    Ok(report(SaveResult::Saved, id, captured))
}

fn report(result: SaveResult, id: SnapshotId, captured: &Capture) -> SaveReport {
    let snapshot = &captured.snapshot;
    SaveReport {
        result,
        snapshot: Some(id.to_string()),
        sessions: snapshot.sessions(),
        panes: snapshot.rows.len(),
        lost: snapshot.rows.iter().filter(|row| row.state == State::Lost).count(),
        excluded: captured.excluded.len(),
        ..SaveReport::default()
    }
}
