//! The index of conversations, kept up to date by every save that saw something new.

use crate::persist::context::Context;
use crate::snapshot::conversations::{self, Conversations, GRANULARITY};
use crate::snapshot::{Snapshot, SnapshotId, Store};
use crate::sys::FileError;
use crate::sys::locks::Lock;

/// Notes what a save sees in the index, before the snapshot is written. The index is read only when a
/// conversation is new or somewhere else, and once an hour. What goes wrong is noted: the save
/// goes on.
pub(crate) fn remember(
    context: &Context,
    (store, lock): (&Store, &Lock),
    snapshot: &Snapshot,
    previous: Option<&Snapshot>,
    notes: &mut Vec<String>,
) {
    if snapshot.rows.iter().any(conversations::is_there)
        && let Err(error) = try_remember(context, (store, lock), snapshot, previous, notes)
    {
        notes.push(format!("not in the history: {error}"));
    }
}

fn try_remember(
    context: &Context,
    (store, lock): (&Store, &Lock),
    snapshot: &Snapshot,
    previous: Option<&Snapshot>,
    notes: &mut Vec<String>,
) -> Result<(), FileError> {
    let is_recent = store
        .conversations_written()?
        .is_some_and(|written| context.now.saturating_sub(written) < GRANULARITY);
    let has_news = previous.is_none_or(|previous| conversations::has_news(snapshot, previous));
    if is_recent && !has_news {
        return Ok(());
    }
    let (mut index, mended) = read(store, notes)?;
    if index.observe(snapshot, context.now, previous) || mended {
        store.write_conversations(&index, lock)?;
    }
    Ok(())
}

/// Makes sure that the index has every conversation of snapshots that are about to be deleted.
pub(crate) fn all_of(
    (store, lock): (&Store, &Lock),
    snapshots: &[(SnapshotId, Snapshot)],
    notes: &mut Vec<String>,
) -> Result<(), FileError> {
    let (mut index, mut changed) = read(store, notes)?;
    for (id, snapshot) in snapshots {
        changed |= index.observe(snapshot, id.seconds(), None);
    }
    if changed { store.write_conversations(&index, lock) } else { Ok(()) }
}

/// The index, and whether it had to be made or mended from the snapshots.
pub(crate) fn read(
    store: &Store,
    notes: &mut Vec<String>,
) -> Result<(Conversations, bool), FileError> {
    let (mut index, bad) = match store.conversations()? {
        Some((index, bad)) if bad.is_empty() => return Ok((index, false)),
        Some(damaged) => damaged,
        None => (Conversations::default(), Vec::new()),
    };
    let path = store.conversations_path();
    notes.extend(bad.iter().map(|n| format!("passed over: {}: line {n}", path.display())));
    // Oldest first, so that where a conversation was last is where it is.
    for id in store.ids()?.0.into_iter().rev() {
        // A damaged snapshot is named by everything that looks for the newest.
        if let Ok((_, snapshot)) = store.read(id) {
            index.observe(&snapshot, id.seconds(), None);
        }
    }
    Ok((index, true))
}
