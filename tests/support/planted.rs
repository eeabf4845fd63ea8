//! Snapshots that were never taken, for what takes months.

use super::Sandbox;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use terminal_lobby::snapshot::{Row, Snapshot, SnapshotId, State, encode};

pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Seconds since the epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A pane with a live agent.
pub(crate) fn agent(session: &str, conversation: &str) -> Row {
    Row {
        session: session.into(),
        cwd: b"/".to_vec(),
        conversation: Some(conversation.into()),
        agent: Some(b"claude".to_vec()),
        state: State::Live,
        ..Row::default()
    }
}

/// Writes a snapshot of these rows as of `seconds` into a directory of snapshots; gives its id.
pub(crate) fn plant(snapshots: &Path, seconds: u64, rows: &[Row]) -> String {
    let id = SnapshotId::next(seconds, None, None);
    std::fs::create_dir_all(snapshots).unwrap();
    let snapshot = Snapshot { rows: rows.to_vec(), ..Snapshot::default() };
    std::fs::write(snapshots.join(id.file_name()), encode(&snapshot)).unwrap();
    id.to_string()
}

impl Sandbox {
    /// Where its snapshots are.
    pub(crate) fn snapshot_dir(&self) -> PathBuf {
        self.user_state().join("snapshots")
    }

    /// [`plant`] in this sandbox's store.
    pub(crate) fn plant(&self, seconds: u64, rows: &[Row]) -> String {
        plant(&self.snapshot_dir(), seconds, rows)
    }
}
