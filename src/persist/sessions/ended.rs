//! Sessions that were closed on purpose not long ago: each can come back, from the newest snapshot that has it.

use super::gone;
use super::known::{Ended, Known};
use super::view::{Need, SessionView};
use crate::snapshot::{Snapshot, SnapshotId, Store, Stored};
use crate::sys::clock::Epoch;
use std::collections::BTreeMap;

/// For how long they are shown, in seconds.
const SHOWN: u64 = 24 * 3600;
/// How many are shown, those that were closed last.
const MAX_SHOWN: usize = 20;
/// In how many snapshots one is looked for: it was live until it was closed.
const MAX_READ: usize = 5;
/// For how long what was found counts: what is closed does not change.
const FOUND_COUNTS: u64 = 600;

/// Those that are neither live nor shown otherwise, last closed first.
pub(super) fn of(
    store: &Store,
    newest: &Stored,
    shown: &[SessionView],
    now: Epoch,
    known: &mut Known,
    notes: &mut Vec<String>,
) -> Vec<SessionView> {
    let Ok(tombstones) = store.tombstones(notes) else { return Vec::new() };
    let mut last: BTreeMap<Vec<u8>, Epoch> = BTreeMap::new();
    for tombstone in tombstones.0 {
        let is_recent = tombstone.closed.saturating_add(SHOWN) >= now;
        if is_recent && !shown.iter().any(|view| view.name == tombstone.session) {
            let closed = last.entry(tombstone.session).or_default();
            *closed = (*closed).max(tombstone.closed);
        }
    }
    let mut last: Vec<(Vec<u8>, Epoch)> = last.into_iter().collect();
    last.sort_by_key(|(_, closed)| std::cmp::Reverse(*closed));
    last.truncate(MAX_SHOWN);
    let mut ids = None;
    let views = last.into_iter().filter_map(|key| {
        let found = known.ended.get(&key, now, FOUND_COUNTS, || {
            let ids =
                ids.get_or_insert_with(|| store.ids().map_or_else(|_| Vec::new(), |(ids, _)| ids));
            find(store, newest, ids, &key)
        });
        let Ended { snapshot, view } = found.clone()?;
        let snapshot = (snapshot != newest.id).then(|| snapshot.to_string());
        Some(SessionView { need: Need::Ended, changed: key.1, snapshot, ..view })
    });
    let is_shown = |view: &SessionView| {
        !view.birth_id.is_empty() && shown.iter().any(|other| other.birth_id == view.birth_id)
    };
    views.filter(|view| !is_shown(view)).collect()
}

/// The newest snapshot from before a session was closed that has it.
fn find(
    store: &Store,
    newest: &Stored,
    ids: &[SnapshotId],
    (name, closed): &(Vec<u8>, Epoch),
) -> Option<Ended> {
    let view = |snapshot: &Snapshot, id| {
        let rows: Vec<_> =
            snapshot.rows.iter().filter(|row| row.session == *name).cloned().collect();
        (!rows.is_empty()).then(|| Ended { snapshot: id, view: gone::of_session(&rows) })
    };
    if newest.id.seconds() <= *closed
        && let Some(found) = view(&newest.snapshot, newest.id)
    {
        return Some(found);
    }
    let mut before: Vec<SnapshotId> =
        ids.iter().copied().filter(|id| id.seconds() <= *closed && *id != newest.id).collect();
    before.sort();
    before.into_iter().rev().take(MAX_READ).find_map(|id| view(&store.read(id).ok()?.1, id))
}
