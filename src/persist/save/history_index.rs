//! The index of all known conversations, which saves keep up to date.

use crate::agent::Backgrounded;
use crate::persist::capture::Capture;
use crate::persist::context::Context;
use crate::snapshot::conversations::{self, Conversations, GRANULARITY};
use crate::snapshot::{Row, Snapshot, SnapshotId, State, Store};
use crate::sys::FileError;
use crate::sys::locks::Lock;
use crate::text::shown;
use std::os::unix::ffi::OsStrExt;

/// Enters the conversations of a snapshot before it is written. The index is read and written only if
/// a conversation is new or has moved, and once an hour. A failure is only noted.
pub(crate) fn update(
    context: &Context,
    (store, lock): (&Store, &Lock),
    captured: &Capture,
    previous: Option<&Snapshot>,
    notes: &mut Vec<String>,
) {
    let has_any = captured.snapshot.rows.iter().any(conversations::is_there);
    let has_any = has_any || !captured.beside.is_empty() || !captured.background.is_empty();
    if has_any && let Err(error) = try_update(context, (store, lock), captured, previous, notes) {
        notes.push(format!("not in the history: {error}"));
    }
}

fn try_update(
    context: &Context,
    (store, lock): (&Store, &Lock),
    Capture { snapshot, beside, background, .. }: &Capture,
    previous: Option<&Snapshot>,
    notes: &mut Vec<String>,
) -> Result<(), FileError> {
    let written = store.conversations_written()?;
    let is_recent =
        written.is_some_and(|written| context.now.saturating_sub(written) < GRANULARITY);
    // In seconds, so a job of the same second is news again.
    let has_job = background.iter().any(|job| written.is_none_or(|written| job.changed >= written));
    let has_news = previous.is_none_or(|previous| conversations::has_news(snapshot, previous));
    let has_news = has_news || has_job;
    if is_recent && !has_news && beside.is_empty() {
        return Ok(());
    }
    let (mut index, rebuilt) = read(store, notes)?;
    let beside = Snapshot { rows: beside.clone(), ..Snapshot::default() };
    // In that order: a conversation that is in a pane of its own, too, is where that is.
    let has_more = index.observe(&beside, context.now, None);
    let in_background =
        Snapshot { rows: background.iter().map(row_of).collect(), ..Snapshot::default() };
    // Where it was seen in a pane says more.
    let has_more = index.observe_new(&in_background, context.now) || has_more;
    if index.observe(snapshot, context.now, previous) || has_more || rebuilt {
        store.write_conversations(&index, lock)?;
    }
    Ok(())
}

/// A conversation in the background, which is of no session.
pub(crate) fn row_of(job: &Backgrounded) -> Row {
    Row {
        conversation: Some(job.conversation.as_str().into()),
        agent: Some(job.agent.into()),
        state: State::Live,
        cwd: job.cwd.as_os_str().as_bytes().to_vec(),
        ..Row::default()
    }
}

/// Enters the conversations of snapshots that are about to be deleted.
pub(crate) fn include(
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

/// The index, and whether it had to be rebuilt from the snapshots.
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
    notes.extend(bad.iter().map(|n| format!("skipped: {}: invalid line {n}", shown(&path))));
    // Oldest first: the index has the last place of each conversation.
    for id in store.ids()?.0.into_iter().rev() {
        // Invalid snapshots are reported where the newest valid one is determined.
        if let Ok((_, snapshot)) = store.read(id) {
            index.observe(&snapshot, id.seconds(), None);
        }
    }
    Ok((index, true))
}
