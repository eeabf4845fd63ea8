//! One user's snapshots on disk: a series of immutable files, of which the newest valid one
//! counts. Always used as the user that owns it.

mod index;
mod prune;
mod records;
mod watching;

pub use watching::WatchFile;

use super::codec::{self, Damage};
use super::id::SnapshotId;
use super::record::Snapshot;
use crate::sys::fs::{self, Dir, Existing, FileError};
use crate::sys::locks::{self, Lock};
use crate::text::shown;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Maximum size of a snapshot, in bytes: 1,000 panes take about 300 KB.
const MAX_SNAPSHOT: u64 = 64 << 20;
/// Maximum size of the list of tombstones, of endings and of conversations, in bytes.
pub const MAX_LINES: u64 = 16 << 20;
/// Maximum number of files in a store.
const MAX_FILES: usize = 100_000;
/// The scrollback of a snapshot's panes is in a directory beside it, named by its id and this.
pub(super) const SCROLLBACK: &str = ".scrollback";
const SNAPSHOTS: &str = "snapshots";
const LATEST: &str = "latest";
const FORGOTTEN: &str = "forgotten.tsv";
const ENDINGS: &str = "endings.tsv";
const ENDINGS_LOCK: &str = "endings.lock";
const ACTIVITY: &str = "activity.tsv";
const UNRESTORED: &str = "unrestored.tsv";
const SUSPENDING: &str = "suspending.tsv";
/// Directory of what a restore leaves for the panes that it makes.
pub const RESTORED: &str = "restored";
const LOCK: &str = "lock";
/// Locked by the process that saves next because something changed; its time is that of the change.
const PENDING: &str = "pending";
/// The regular files that a store may hold besides the snapshots.
pub const RECORDS: [&str; 14] = [
    FORGOTTEN,
    ENDINGS,
    ENDINGS_LOCK,
    ACTIVITY,
    UNRESTORED,
    index::CONVERSATIONS,
    LOCK,
    PENDING,
    watching::WATCH_LOCK,
    watching::DEATHS_LOCK,
    WatchFile::Watched.name(),
    WatchFile::Deaths.name(),
    WatchFile::Comebacks.name(),
    SUSPENDING,
];

/// One user's store.
#[derive(Debug)]
pub struct Store {
    dir: Dir,
    pub(super) snapshots: Option<Dir>,
}

/// A snapshot as it is in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    pub id: SnapshotId,
    pub snapshot: Snapshot,
}

impl Stored {
    /// The names of its sessions, each as often as it has panes.
    pub fn session_names(&self) -> impl Iterator<Item = &[u8]> {
        self.snapshot.rows.iter().map(|row| row.session.as_slice())
    }
}

/// Why a snapshot in the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {damage}", shown(.file))]
    Damaged { file: PathBuf, damage: Damage },
}

impl Store {
    /// Opens the store in `<state>/<user>`; `None` if there is none.
    pub fn open(dir: &Path) -> Result<Option<Self>, FileError> {
        match Dir::open(dir) {
            Ok(dir) => {
                let snapshots = open_snapshots(&dir)?;
                Ok(Some(Self { dir, snapshots }))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the store for its record of activity alone, even if the snapshots cannot be reached.
    pub fn open_for_hints(dir: &Path) -> Result<Option<Self>, FileError> {
        match Dir::open(dir) {
            Ok(dir) => Ok(Some(Self { dir, snapshots: None })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the caller's store below the caller's state directory; creates what is missing and the
    /// documented link `<user>.tsv`.
    pub fn create(state: &Path, user: &str) -> Result<Self, FileError> {
        fs::create_private_dirs(state)?;
        // The state directory itself may be behind a link of the user's own making.
        let real = state.canonicalize().map_err(|source| FileError {
            doing: "resolving",
            path: state.to_owned(),
            source,
        })?;
        let state = Dir::open(&real)?;
        let dir = state.ensure_dir(user)?;
        if !dir.is_own()? {
            return Err(FileError::refused("opening", dir.path(), "belongs to another user"));
        }
        let link = format!("{user}.tsv");
        state.point_link(&link, Path::new(user).join(LATEST).as_os_str())?;
        let snapshots = open_snapshots(&dir)?;
        Ok(Self { dir, snapshots })
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn snapshot_path(&self, id: SnapshotId) -> std::path::PathBuf {
        self.dir.path().join(SNAPSHOTS).join(id.file_name())
    }

    /// Excludes every other writer as long as the lock is held; fails after `wait`. Removes what a
    /// killed writer left behind.
    pub fn lock(&mut self, wait: Duration) -> Result<Lock, FileError> {
        let lock = locks::exclusive(&self.dir, LOCK, wait)?;
        if self.snapshots.is_none() {
            self.snapshots = Some(self.dir.ensure_dir(SNAPSHOTS)?);
        }
        for dir in [Some(&self.dir), self.snapshots.as_ref()].into_iter().flatten() {
            if let Some(names) = dir.names(MAX_FILES)? {
                dir.remove_temporaries(&names)?;
            }
        }
        Ok(lock)
    }

    /// The right to save next, without waiting for it. Its holder takes [`Store::lock`] before releasing
    /// it, never the other way round.
    pub fn pending(&self) -> Result<Lock, FileError> {
        locks::exclusive(&self.dir, PENDING, Duration::ZERO)
    }

    /// The ids of all snapshots, newest first, and the names of foreign files beside them.
    pub fn ids(&self) -> Result<(Vec<SnapshotId>, Vec<OsString>), FileError> {
        let Some(snapshots) = &self.snapshots else { return Ok((Vec::new(), Vec::new())) };
        let names = snapshots.names(MAX_FILES)?.ok_or_else(|| {
            FileError::refused("listing", snapshots.path(), format!("more than {MAX_FILES} files"))
        })?;
        let (mut ids, mut foreign) = (Vec::new(), Vec::new());
        for name in names {
            let own =
                name.to_str().filter(|name| Path::new(name).extension() == Some(OsStr::new("tsv")));
            match own.and_then(SnapshotId::parse) {
                Some(id) => ids.push(id),
                None if fs::is_temporary(&name) || prune::belongs_to(&name).is_some() => {}
                None => foreign.push(name),
            }
        }
        ids.sort_unstable_by(|a, b| b.cmp(a));
        foreign.sort_unstable();
        Ok((ids, foreign))
    }

    /// Reads one snapshot, as bytes and decoded.
    pub fn read(&self, id: SnapshotId) -> Result<(Vec<u8>, Snapshot), SnapshotError> {
        let name = id.file_name();
        let Some(snapshots) = &self.snapshots else {
            let path = self.snapshot_path(id);
            return Err(FileError::refused("reading", path, "there is no such snapshot").into());
        };
        let bytes = snapshots.read(&name, MAX_SNAPSHOT)?;
        match codec::decode(&bytes) {
            Ok(snapshot) => Ok((bytes, snapshot)),
            Err(damage) => {
                let file = snapshots.path().join(name);
                Err(SnapshotError::Damaged { file, damage })
            }
        }
    }

    /// The newest valid snapshot with its bytes; each newer one that had to be skipped is named in
    /// `notes` (lesson 3).
    pub fn newest(&self, notes: &mut Vec<String>) -> Result<Option<(Vec<u8>, Stored)>, FileError> {
        for id in self.ids()?.0 {
            match self.read(id) {
                Ok((bytes, snapshot)) => return Ok(Some((bytes, Stored { id, snapshot }))),
                Err(why) => notes.push(format!("skipped: {why}")),
            }
        }
        Ok(None)
    }

    /// Writes a snapshot and points `latest` at it. The lock is held.
    pub fn write(&self, id: SnapshotId, bytes: &[u8], lock: &Lock) -> Result<(), FileError> {
        self.write_older(id, bytes, lock)?;
        self.point_latest(id)
    }

    /// Writes a snapshot that need not be the newest. The lock is held.
    pub fn write_older(&self, id: SnapshotId, bytes: &[u8], _lock: &Lock) -> Result<(), FileError> {
        let Some(snapshots) = &self.snapshots else {
            return Err(FileError::refused("writing", self.path(), "the store is not locked"));
        };
        snapshots.write(&id.file_name(), bytes, Existing::Kept)
    }

    /// Points `latest` at a snapshot unless it does so already: this fixes what a save leaves that was
    /// killed between its two renames.
    pub fn point_latest(&self, id: SnapshotId) -> Result<(), FileError> {
        let target = OsString::from(format!("{SNAPSHOTS}/{}", id.file_name()));
        if self.dir.link_target(LATEST)?.as_ref() == Some(&target) {
            return Ok(());
        }
        self.dir.write_link(LATEST, &target)
    }
}

fn open_snapshots(dir: &Dir) -> Result<Option<Dir>, FileError> {
    match dir.open_dir(SNAPSHOTS) {
        Ok(snapshots) => Ok(Some(snapshots)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::record::Row;

    fn snapshot(session: &str) -> Vec<u8> {
        let row = Row { session: session.into(), cwd: b"/".to_vec(), ..Row::default() };
        codec::encode(&Snapshot { rows: vec![row], ..Snapshot::default() })
    }

    fn store(root: &Path) -> Store {
        Store::create(root, "alice").unwrap()
    }

    #[test]
    fn the_documented_link_leads_to_the_newest_snapshot() {
        let root = tempfile::tempdir().unwrap();
        let mut store = store(root.path());
        let lock = store.lock(Duration::ZERO).unwrap();
        for (time, name) in [(100, "one"), (200, "two")] {
            store.write(SnapshotId::next(time, None, None), &snapshot(name), &lock).unwrap();
            let linked = std::fs::read(root.path().join("alice.tsv")).unwrap();
            assert_eq!(linked, snapshot(name));
        }
        assert_eq!(store.ids().unwrap().0.len(), 2);
    }

    #[test]
    fn damaged_and_foreign_files_are_skipped_and_named() {
        let root = tempfile::tempdir().unwrap();
        let mut store = store(root.path());
        let lock = store.lock(Duration::ZERO).unwrap();
        let good = SnapshotId::next(100, None, None);
        store.write(good, &snapshot("one"), &lock).unwrap();
        let dir = root.path().join("alice/snapshots");
        let id = |time| SnapshotId::next(time, None, None).file_name();
        std::fs::write(dir.join(id(200)), b"").unwrap();
        std::fs::create_dir(dir.join(id(300))).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.join(id(400))).unwrap();
        std::fs::write(dir.join("notes.txt"), b"x").unwrap();
        let mut notes = Vec::new();
        assert_eq!(store.newest(&mut notes).unwrap().unwrap().1.id, good);
        assert_eq!(notes.len(), 3);
        assert!(notes[2].ends_with("line 1: the file is empty"), "{notes:?}");
        assert_eq!(store.ids().unwrap().1, ["notes.txt"]);
    }

    #[test]
    fn a_writer_that_was_killed_leaves_nothing_behind_after_the_next() {
        let root = tempfile::tempdir().unwrap();
        let mut store = store(root.path());
        drop(store.lock(Duration::ZERO).unwrap());
        let left = root.path().join("alice/snapshots/.new-123");
        std::fs::write(&left, b"half").unwrap();
        assert_eq!(store.ids().unwrap(), (vec![], vec![]));
        drop(store.lock(Duration::ZERO).unwrap());
        assert!(!left.exists());
    }
}
