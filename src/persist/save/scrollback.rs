//! What shells' panes showed, kept beside the snapshot and shown again by a restore.
//!
//! Text that goes by is no change of the sessions: it makes no new snapshot. Each save brings the
//! files of the newest snapshot up to date; a new snapshot takes over by hard link what is the same,
//! and what nobody can ask for any more (a lost session's). Nothing here stops a save.

use crate::persist::context::Context;
use crate::persist::restore::step::{Start, Step};
use crate::snapshot::scrollback::{file_name, path};
use crate::snapshot::{Row, Snapshot, SnapshotId, State, Store};
use crate::sys::Dir;
use crate::sys::fs::FileError;
use crate::sys::locks::Lock;
use crate::tmux::scrollback::newest_lines;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// How long asking, and then writing, may take: a save goes on without the rest.
const TIME: Duration = Duration::from_secs(4);

/// Keeps what the shells' panes of `snapshot` show, for the snapshot that is or will be called
/// `id`; `before` is the one before it. Gives what a person should know.
pub(crate) fn keep(
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
    let result = try_keep(context, store, snapshot, alternate, (before, id), lock);
    result.err().map(|error| format!("scrollback is not kept, or not all: {error}"))
}

fn try_keep(
    context: &Context,
    store: &Store,
    snapshot: &Snapshot,
    alternate: &BTreeSet<u32>,
    (before, id): (Option<SnapshotId>, SnapshotId),
    lock: &Lock,
) -> Result<(), String> {
    let shells = || snapshot.rows.iter().filter(|row| holds_shell(row));
    // A program on the alternate screen hides what is to be kept.
    let panes: BTreeSet<u32> = shells().filter_map(|row| row.pane_id).collect();
    let panes: Vec<u32> = panes.difference(alternate).copied().collect();
    let shown = context.server.scrollback(&panes, context.keep.scrollback_lines, TIME);
    let shown: HashMap<u32, Vec<u8>> =
        shown.map_err(|error| error.to_string())?.into_iter().collect();
    let text = |error: FileError| error.to_string();
    let old = before.map(|before| store.scrollback(before)).transpose().map_err(text)?.flatten();
    let dir = store.ensure_scrollback(id, lock).map_err(text)?;
    let limit = usize::try_from(context.keep.scrollback_bytes).unwrap_or(usize::MAX);
    let end = Instant::now() + TIME;
    let mut written = false;
    for row in snapshot.rows.iter().filter(|row| row.agent.is_none()) {
        if Instant::now() >= end {
            return Err("there was no time for the rest".to_owned());
        }
        let now = row.pane_id.filter(|_| holds_shell(row)).and_then(|pane| shown.get(&pane));
        let now = now.map(|text| newest_lines(text, limit));
        written |= file(&dir, old.as_ref(), &file_name(row), now, limit as u64).map_err(text)?;
    }
    if written { dir.sync().map_err(text) } else { Ok(()) }
}

/// A live pane without an agent, and without a program that is started again.
fn holds_shell(row: &Row) -> bool {
    row.state == State::Shell && row.lost_since.is_none() && row.program.is_none()
}

/// Makes one file what it has to be; whether that changed the directory.
fn file(
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

/// Finds what the shells that are about to come back showed.
pub(crate) fn find(context: &Context, store: Option<&Store>, id: SnapshotId, steps: &mut [Step]) {
    if context.keep.scrollback_lines == 0 {
        return;
    }
    let Some(dir) = store.and_then(|store| store.scrollback(id).ok().flatten()) else { return };
    for step in steps.iter_mut().filter(|step| step.selected && step.start == Start::Shell) {
        let there = dir.has_file(file_name(&step.row)).unwrap_or(false);
        step.shows = there.then(|| path(&dir, &step.row));
    }
}
