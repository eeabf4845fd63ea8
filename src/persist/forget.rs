//! `forget`: records that sessions were closed on purpose.

use super::job::World;
use super::names;
use super::report::{Forgotten, Problem, Report};
use crate::snapshot::Tombstone;
use crate::sys::FileError;
use std::collections::BTreeSet;

/// Records the sessions as closed now: snapshots that are not newer do not bring them back.
pub fn forget(world: &World, sessions: &[String], reason: &str) -> Report {
    let mut forgotten = Forgotten { closed: world.now, ..Forgotten::default() };
    match try_forget(world, sessions, reason, &mut forgotten.notes) {
        Ok(()) => forgotten.sessions = sessions.to_vec(),
        Err(error) => forgotten.error = Some(Problem::failed(&error)),
    }
    Report::Forget(forgotten)
}

fn try_forget(
    world: &World,
    sessions: &[String],
    reason: &str,
    notes: &mut Vec<String>,
) -> Result<(), FileError> {
    let mut store = world.writable_store()?;
    let lock = store.lock(world.lock_wait)?;
    let newest = store.newest(notes)?;
    let mut tombstones = store.tombstones(notes)?;
    // A snapshot may be ahead of a clock that went back; closing comes after it all the same.
    let newest_time = newest.as_ref().map_or(0, |(_, stored)| stored.id.seconds());
    let known: BTreeSet<&[u8]> =
        newest.iter().flat_map(|(_, stored)| stored.session_names()).collect();
    let live = world.server.list().ok().flatten().unwrap_or_default();
    for name in sessions {
        let session = names::find(name, &known).unwrap_or_else(|| {
            notes.push(format!(
                "the newest snapshot has no session '{name}'; recorded all the same"
            ));
            names::exact(name)
        });
        if live.panes.iter().any(|pane| pane.session == session) {
            notes.push(format!("{name} is still live: a save from now on keeps it again"));
        }
        let closed = world.now.max(newest_time);
        tombstones.0.retain(|old| old.session != session);
        tombstones.0.push(Tombstone { session, closed, reason: reason.into() });
    }
    store.write_tombstones(&tombstones, &lock)
}
