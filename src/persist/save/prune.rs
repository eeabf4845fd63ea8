//! Deletes old snapshots that the retention rules do not keep, after a new one was written.

use super::history_index;
use crate::persist::context::Context;
use crate::snapshot::retention::{self, Candidate};
use crate::snapshot::{SnapshotId, Store, Summary};
use crate::sys::FileError;
use crate::sys::locks::Lock;

const HOUR: u64 = 3600;
/// Maximum number of snapshots deleted at once; the next time continues.
const AT_ONCE: usize = 5000;

/// Prunes the store after the first snapshot of an hour, since the rules count whole hours and days,
/// and if there are too many snapshots. `ids` are those before `written`. A failure is only noted.
pub(crate) fn prune(
    context: &Context,
    (store, lock): (&Store, &Lock),
    ids: &[SnapshotId],
    written: SnapshotId,
    notes: &mut Vec<String>,
) {
    let hour = |id: SnapshotId| id.seconds() / HOUR;
    let is_first_of_hour = ids.first().is_some_and(|last| hour(*last) != hour(written));
    let max = usize::try_from(context.retention.max_snapshots).unwrap_or(usize::MAX);
    if !is_first_of_hour && ids.len() < max {
        return;
    }
    if let Err(error) = try_prune(context, (store, lock), notes) {
        notes.push(format!("old snapshots were not all deleted: {error}"));
    }
}

fn try_prune(
    context: &Context,
    (store, lock): (&Store, &Lock),
    notes: &mut Vec<String>,
) -> Result<(), FileError> {
    let known: Vec<Candidate> = store
        .ids()?
        .0
        .into_iter()
        .map(|id| Candidate { id, fullness: store.summary(id).map(Summary::fullness) })
        .collect();
    let mut surplus = retention::surplus(&known, context.now, &context.retention);
    surplus.truncate(AT_ONCE);
    // Each is read completely before it is deleted: invalid ones are left for an administrator to
    // examine, and the history index must have all their conversations.
    let mut read = Vec::new();
    for id in surplus {
        match store.read(id) {
            Ok((_, snapshot)) => read.push((id, snapshot)),
            Err(why) => notes.push(format!("not deleted: {why}")),
        }
    }
    if !read.is_empty() {
        history_index::include((store, lock), &read, notes)?;
    }
    let ids: Vec<SnapshotId> = read.iter().map(|(id, _)| *id).collect();
    store.remove(&ids, notes, lock)?;
    tracing::info!(deleted = ids.len(), of = known.len(), "old snapshots deleted");
    Ok(())
}
