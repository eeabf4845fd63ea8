//! `save`: writes a snapshot if something changed, and never an empty one.

pub mod carry_lost;
pub mod closing_agents;
pub mod closings;
pub mod coalesce;
pub mod exclusion;
pub mod history_index;
mod known_options;
pub mod lost;
pub(crate) mod missing;
pub mod prune;
pub mod read_closings;
pub mod scrollback;
pub mod user_options;
mod woken;

use super::capture::{Capture, agents, capture_with_options, left_behind};
use super::context::Context;
use super::error::Error;
use super::report::{Report, SaveReport, SaveResult};
use crate::agent::Home;
use crate::persist::{restore_pending, stranded_server};
use crate::process::Proc;
use crate::snapshot::{self, Row, Snapshot, SnapshotId, State, Store, Stored};
use crate::sys::clock;
use crate::sys::locks::Lock;
use crate::text::shown;
use crate::text::table::count;
use closings::Closings;
use coalesce::Turn;
use exclusion::Excluded;
use std::time::Instant;
use user_options::Asked;

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

/// What a save found that is recorded with its result.
#[derive(Default)]
struct Found {
    options: Asked,
    /// `None` without a server.
    marked_off: Option<Vec<Vec<u8>>>,
}

fn save_in_turn(context: &Context, turn: Option<&Turn>) -> Report {
    let begin = Instant::now();
    let mut notes = Vec::new();
    let mut found = Found::default();
    let mut report = try_save(context, turn, &mut found, &mut notes).unwrap_or_else(|error| {
        tracing::debug!(%error, "save failed");
        SaveReport { error: Some(error.into()), ..SaveReport::default() }
    });
    report.warnings.extend(server_ended(context, &report, &mut notes));
    record(context, begin, &report, found, &mut notes);
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
fn record(
    context: &Context,
    begin: Instant,
    saved: &SaveReport,
    found: Found,
    notes: &mut Vec<String>,
) {
    let why = saved.error.as_ref().map_or("", |problem| problem.message.as_str());
    let mut failures = Vec::new();
    context.record(&mut failures, |activity| {
        activity.enter_save(context.now, begin.elapsed(), saved.result, why);
        if matches!(saved.result, SaveResult::Saved | SaveResult::Unchanged) {
            found.options.enter(activity, context.now);
        }
        if let Some(names) = found.marked_off {
            activity.marked_off = names;
        }
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
    found: &mut Found,
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
    let all = capture_all(context, &store, previous, &closings, (found, notes))?;
    let Some((captured, dropped)) = all else {
        return Ok(nothing_to_save(notes, "no tmux server is running"));
    };
    let excluded = dropped.sessions.len();
    settle_suspensions(&store, &lock, &captured, notes);
    if captured.snapshot.rows.is_empty() {
        let why = if excluded > 0 {
            "all sessions are excluded"
        } else {
            "the tmux server has no sessions"
        };
        let closed = newest
            .as_ref()
            .and_then(|(_, newest)| exclusion::closed(&dropped, newest, &closings, context.now));
        if let Some(tombstones) = closed {
            store.write_tombstones(&tombstones, &lock)?;
        }
        return Ok(SaveReport { excluded, ..nothing_to_save(notes, why) });
    }
    let report = write(context, (&store, &lock), &captured, newest.as_ref(), &closings, notes)?;
    if let Some(previous) = previous {
        woken::announce(context, &previous.snapshot, &captured.snapshot, notes);
    }
    if report.lost == 0 && restore_pending::is_pending(&context.account) {
        // All that the newest snapshot had is live again, however it came back.
        notes.extend(restore_pending::restored(&context.account).err().map(|e| e.to_string()));
    }
    Ok(SaveReport { excluded, ..report })
}

/// Takes the record of a suspension away for each conversation that runs, or waits in its pane.
fn settle_suspensions(store: &Store, lock: &Lock, captured: &Capture, notes: &mut Vec<String>) {
    let mut suspending = store.suspending(notes);
    let all = suspending.0.len();
    let live = captured.sightings.values().filter_map(|sighting| sighting.conversation.as_ref());
    for (id, _) in live {
        suspending.0.remove(id.key().as_bytes());
    }
    if suspending.0.len() < all {
        let written = store.write_suspending(&suspending, lock);
        notes.extend(written.err().map(|error| error.to_string()));
    }
}

/// The live sessions but for those that are excluded, with what the newest snapshot had and is lost, or is
/// still to be restored. `None`
/// without a server.
fn capture_all(
    context: &Context,
    store: &Store,
    newest: Option<&Stored>,
    closings: &Closings,
    (found, notes): (&mut Found, &mut Vec<String>),
) -> Result<Option<(Capture, Excluded)>, Error> {
    let (home, proc) = (Home::new(&context.account.home), Proc::default());
    let previous = newest.map(|stored| &stored.snapshot);
    let activity = store.activity(notes);
    let groups = user_options::in_passing(&context.keep.user_options, &activity, context.now);
    let captured = capture_with_options(context, previous, groups.clone(), &home, &proc)?;
    let Some(mut captured) = captured else { return Ok(None) };
    let excluded = exclusion::drop_excluded(&mut captured, &context.keep, previous);
    // The snapshot itself may be old, since nothing is written while nothing changes.
    let seen = newest.map_or(0, |newest| activity.confirmed.max(newest.id.seconds()));
    let (options, note) =
        user_options::complete(context, &mut captured, &groups, previous, &activity);
    found.options = options;
    found.marked_off = Some(captured.marked_off.iter().cloned().collect());
    notes.extend(note);
    let synced = coalesce::sync_hooks(&context.server, context.hooks.as_ref(), captured.hooks);
    notes.extend(synced.err().map(|error| format!("saves on change are not set up: {error}")));
    let has_sessions = !captured.snapshot.rows.is_empty() || !excluded.sessions.is_empty();
    if let Some(newest) = newest.filter(|_| has_sessions) {
        let started = |id: &[u8]| captured.started.get(id).and_then(|start| proc.time_of(*start));
        closing_agents::drop_closing(&mut captured.snapshot, newest.id, closings, started);
        let mut snapshot = exclusion::without(&newest.snapshot, &excluded, &context.keep);
        if snapshot.server != captured.snapshot.server || lacks_agent(&captured, &snapshot) {
            // The server has crashed, the host has, or an agent was killed.
            let left = agents::left_behind(&snapshot.rows, &home, &proc);
            notes.extend(left_behind::enter(&mut snapshot, seen, &left, &activity.marked_off));
        }
        let newest = &Stored { id: newest.id, snapshot };
        let (unrestored, suspending) = (store.unrestored(notes), store.suspending(notes));
        let carried = carry_lost::carry_lost(
            context,
            &mut captured,
            newest,
            closings,
            seen,
            (unrestored, suspending, excluded.conversations.clone()),
            (&home, &proc),
        );
        captured.notes.extend(carried);
    }
    captured.background = agents::backgrounded(&captured.snapshot.rows, &home);
    notes.append(&mut captured.notes);
    notes.extend(home.take_all_notes());
    Ok(Some((captured, excluded)))
}

/// Whether an agent of a snapshot runs no longer.
fn lacks_agent(captured: &Capture, snapshot: &Snapshot) -> bool {
    let is_gone = |id: Vec<u8>| !captured.started.contains_key(&id);
    let rows = snapshot.rows.iter().filter(|row| row.state == State::Live);
    rows.filter_map(Row::conversation_key).any(is_gone)
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
        ..SaveReport::default()
    }
}
