//! Sessions of the newest snapshot that live ones stand for, or whose names other work took since
//! (pure).

use super::Evidence;
use crate::persist::capture::session_origin::{LiveSessions, Standing, free_name, origin_of};
use crate::persist::save::closings::Closings;
use crate::snapshot::{Row, Snapshot, Stored};
use std::collections::BTreeMap;

/// The newest snapshot with each session under the name of the live one that stands for it, and
/// each whose name belongs to other work now under a free one, so that it stays whole. `renamed`
/// gets those.
pub(super) fn put_aside(
    live: &Snapshot,
    newest: &Stored,
    closings: &Closings,
    evidence: &Evidence,
    renamed: &mut BTreeMap<Vec<u8>, Vec<u8>>,
) -> Snapshot {
    let sessions = LiveSessions::new(live, &evidence.origins);
    let mut by_name: BTreeMap<&[u8], Vec<&Row>> = BTreeMap::new();
    for row in &newest.snapshot.rows {
        by_name.entry(&row.session).or_default().push(row);
    }
    let server = &newest.snapshot.server;
    let mut snapshot = newest.snapshot.clone();
    let mut names: BTreeMap<Vec<u8>, (Vec<u8>, bool)> = BTreeMap::new();
    for (name, rows) in &by_name {
        if closings.tombstones.closed_since(name, newest.id).is_some() {
            continue;
        }
        match sessions.standing(rows, server) {
            Standing::Live(now) if now != *name => drop(names.insert(name.to_vec(), (now, false))),
            Standing::Absent | Standing::Live(_) => {}
            Standing::Taken => {
                let is_taken = |name: &[u8]| {
                    by_name.contains_key(name)
                        || live.rows.iter().any(|row| row.session == name)
                        || names.values().any(|(given, _)| given == name)
                };
                let new = free_name(name, &evidence.hhmm, is_taken);
                renamed.insert(name.to_vec(), new.clone());
                names.insert(name.to_vec(), (new, true));
            }
        }
    }
    for row in &mut snapshot.rows {
        let Some((name, aside)) = names.get(&row.session) else { continue };
        if *aside {
            row.origin = origin_of(row, server);
            row.group = None;
            row.pane_id = None;
        }
        row.session.clone_from(name);
    }
    snapshot
}
