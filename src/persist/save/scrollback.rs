//! The scrollback of panes with shells, saved beside the snapshot.
//!
//! New output alone leads to no new snapshot: each save updates the files of the newest one. A new
//! snapshot hard-links the files that did not change, and those of lost panes, which can no longer
//! be captured. No failure here stops a save.

use crate::persist::context::Context;
use crate::snapshot::scrollback::file_name;
use crate::snapshot::{Row, Snapshot, SnapshotId, State, Store};
use crate::sys::Dir;
use crate::sys::fs::FileError;
use crate::sys::locks::Lock;
use crate::tmux::TmuxError;
use crate::tmux::scrollback::newest_lines;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// Maximum time for capturing, and again for writing; a save continues without the rest.
const MAX_TIME: Duration = Duration::from_secs(4);

/// Why the scrollback was not saved, or not all of it.
#[derive(Debug, thiserror::Error)]
enum ScrollbackError {
    #[error(transparent)]
    Tmux(#[from] TmuxError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("it took longer than {} s", MAX_TIME.as_secs())]
    Timeout,
}

/// Saves the scrollback of the shells of `snapshot`, whose id is or will be `id`; `before` is the id
/// of the previous snapshot. Returns a note if that failed.
pub(crate) fn save(
    context: &Context,
    store: &Store,
    snapshot: &Snapshot,
    alternate: &BTreeSet<u32>,
    (before, id): (Option<SnapshotId>, SnapshotId),
    lock: &Lock,
) -> Option<String> {
    if context.keep.scrollback_lines == 0 {
        return None;
    }
    let begin = Instant::now();
    let result = try_save(context, store, snapshot, alternate, (before, id), lock);
    tracing::debug!(took = ?begin.elapsed(), "scrollback saved");
    result.err().map(|error| format!("scrollback not saved, or only in part: {error}"))
}

fn try_save(
    context: &Context,
    store: &Store,
    snapshot: &Snapshot,
    alternate: &BTreeSet<u32>,
    (before, id): (Option<SnapshotId>, SnapshotId),
    lock: &Lock,
) -> Result<(), ScrollbackError> {
    let shells = || snapshot.rows.iter().filter(|row| holds_shell(row));
    // A program on the alternate screen hides the scrollback.
    let panes: BTreeSet<u32> = shells().filter_map(|row| row.pane_id).collect();
    let panes: Vec<u32> = panes.difference(alternate).copied().collect();
    let lines = context.keep.scrollback_lines;
    let shown: HashMap<u32, Vec<u8>> =
        context.server.scrollback(&panes, lines, MAX_TIME)?.into_iter().collect();
    let old = before.map(|before| store.scrollback(before)).transpose()?.flatten();
    let dir = store.ensure_scrollback(id, lock)?;
    let limit = usize::try_from(context.keep.scrollback_bytes).unwrap_or(usize::MAX);
    let end = Instant::now() + MAX_TIME;
    let mut written = false;
    for row in snapshot.rows.iter().filter(|row| row.agent.is_none()) {
        if Instant::now() >= end {
            return Err(ScrollbackError::Timeout);
        }
        let now = row.pane_id.filter(|_| holds_shell(row)).and_then(|pane| shown.get(&pane));
        let now = now.map(|text| newest_lines(text, limit));
        written |= write(&dir, old.as_ref(), &file_name(row), now, limit as u64)?;
    }
    if written {
        dir.sync()?;
    }
    Ok(())
}

/// Whether a row is a live pane without an agent and without a program that is started again.
fn holds_shell(row: &Row) -> bool {
    row.state == State::Shell && row.lost_since.is_none() && row.program.is_none()
}

/// Brings one file up to date: with the text `now`, or if there is none, with the file of the
/// previous snapshot. Returns whether the directory changed.
fn write(
    dir: &Dir,
    old: Option<&Dir>,
    name: &str,
    now: Option<&[u8]>,
    limit: u64,
) -> Result<bool, FileError> {
    let holds = |dir: &Dir, text: &[u8]| dir.read(name, limit).is_ok_and(|read| read == text);
    let Some(text) = now else {
        return old.map_or(Ok(false), |old| dir.link_from(old, name));
    };
    if text.is_empty() {
        dir.remove(name)?;
        return Ok(false);
    }
    if holds(dir, text) {
        return Ok(false);
    }
    if let Some(old) = old.filter(|old| holds(old, text))
        && dir.link_from(old, name)?
    {
        return Ok(true);
    }
    dir.write_deferring_dir_sync(name, text)?;
    Ok(true)
}
