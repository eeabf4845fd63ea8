//! `save`: a snapshot when something changed, and never an empty one.

use super::capture::capture;
use super::closings::Closings;
use super::job::World;
use super::report::{Report, SaveResult, Saved};
use crate::agent::Home;
use crate::process::Proc;
use crate::snapshot::{self, Snapshot, SnapshotId, Stored, escape};
use crate::sys::pending;
use std::collections::BTreeSet;

/// Saves the user's live sessions.
pub fn save(world: &World) -> Report {
    let mut notes = Vec::new();
    let mut report = try_save(world, &mut notes)
        .unwrap_or_else(|error| Saved { error: Some(error), ..Saved::default() });
    report.notes = notes;
    Report::Save(report)
}

fn try_save(world: &World, notes: &mut Vec<String>) -> Result<Saved, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    // Without a server nothing is made, not even the directory.
    let nothing = |notes: &mut Vec<String>, why: &str| {
        notes.push(why.to_owned());
        Ok(Saved { result: SaveResult::Nothing, ..Saved::default() })
    };
    if pending::is_pending(&world.account) {
        return nothing(notes, "not restored yet since the host came up: the old state is kept");
    }
    if !world.server.is_listening().map_err(|e| text(&e))? {
        let socket = world.server.socket.path().display();
        return nothing(notes, &format!("no tmux server is running at {socket}"));
    }
    let mut store = world.writable_store().map_err(|e| text(&e))?;
    let lock = store.lock(world.lock_wait).map_err(|e| text(&e))?;
    let newest = store.newest(notes).map_err(|e| text(&e))?;
    let closings = Closings {
        tombstones: store.tombstones(notes).map_err(|e| text(&e))?,
        endings: store.endings(notes).map_err(|e| text(&e))?,
    };
    let (home, proc) = (Home::new(&world.account.home), Proc::default());
    let previous = newest.as_ref().map(|(_, stored)| &stored.snapshot);
    let Some(captured) = capture(world, previous, &home, &proc).map_err(|e| text(&e))? else {
        return nothing(notes, "no tmux server is running");
    };
    notes.extend(captured.notes);
    let snapshot = captured.snapshot;
    if snapshot.rows.is_empty() {
        return nothing(notes, "the tmux server has no sessions");
    }
    let bytes = snapshot::encode(&snapshot);
    let report = |result, id: SnapshotId| Saved {
        result,
        snapshot: Some(id.to_string()),
        sessions: snapshot.sessions(),
        panes: snapshot.rows.len(),
        ..Saved::default()
    };
    if let Some((_, Stored { id, .. })) = newest.as_ref().filter(|(old, _)| *old == bytes)
        && !closings.any_alive(&snapshot, *id)
    {
        store.point_latest(*id).map_err(|e| text(&e))?;
        return Ok(report(SaveResult::Unchanged, *id));
    }
    if let Some((_, old)) = &newest {
        notes.extend(gone_without_a_word(old, &snapshot, &closings));
    }
    // Whatever lies there, sound or not, this one comes after it.
    let last = store.ids().map_err(|e| text(&e))?.0.first().copied();
    let id = SnapshotId::next(world.now, last, closings.latest());
    store.write(id, &bytes, &lock).map_err(|e| text(&e))?;
    Ok(report(SaveResult::Saved, id))
}

/// Names the sessions that the snapshot before still had and nobody closed on purpose: after a
/// crash and a new session, the newest snapshot alone would not say that there was more.
fn gone_without_a_word(old: &Stored, live: &Snapshot, closings: &Closings) -> Option<String> {
    let names: BTreeSet<&[u8]> = old.session_names().collect();
    let is_live = |name: &[u8]| live.rows.iter().any(|row| row.session == name);
    let closed = |name: &[u8]| {
        let rows = old.snapshot.rows.iter().filter(|row| row.session == name);
        closings.of_session(name, &rows.collect::<Vec<_>>(), old.id).is_some()
    };
    let gone = names.into_iter().filter(|name| !is_live(name) && !closed(name));
    let gone: Vec<String> = gone.map(escape).collect();
    (!gone.is_empty()).then(|| {
        let (names, id) = (gone.join(", "), old.id);
        format!("not live any more, though not forgotten: {names} (persist restore --from {id})")
    })
}
