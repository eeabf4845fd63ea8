//! Retention, after a snapshot was written: deletes what is no longer needed.

use super::history_index;
use crate::persist::context::Context;
use crate::snapshot::retention::{self, Known};
use crate::snapshot::{SnapshotId, Store, Summary};
use crate::sys::FileError;
use crate::sys::locks::Lock;

const HOUR: u64 = 3600;
/// So many are deleted at once; the next time goes on.
const AT_ONCE: usize = 5000;

/// Prunes the store when it is time to: with the first snapshot of an hour, for only then has
/// another hour or day come to its end, and when there are too many. `ids` are those before
/// `written`. What goes wrong is noted: the snapshot is written, which is what counts.
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
        notes.push(format!("nothing more was pruned: {error}"));
    }
}

fn try_prune(
    context: &Context,
    (store, lock): (&Store, &Lock),
    notes: &mut Vec<String>,
) -> Result<(), FileError> {
    let known: Vec<Known> = store
        .ids()?
        .0
        .into_iter()
        .map(|id| Known { id, fullness: store.summary(id).map(Summary::fullness) })
        .collect();
    let mut gone = retention::surplus(&known, context.now, &context.retention);
    gone.truncate(AT_ONCE);
    // What is deleted is read once more as a whole: it must be sound, for damaged ones are left to
    // a person, and no conversation may be forgotten with it.
    let mut read = Vec::new();
    for id in gone {
        match store.read(id) {
            Ok((_, snapshot)) => read.push((id, snapshot)),
            Err(why) => notes.push(format!("left as it is: {why}")),
        }
    }
    if !read.is_empty() {
        history_index::all_of((store, lock), &read, notes)?;
    }
    let gone: Vec<SnapshotId> = read.iter().map(|(id, _)| *id).collect();
    store.remove(&gone, notes, lock)?;
    tracing::info!(of = known.len(), deleted = gone.len(), "pruned");
    Ok(())
}
