//! One user's snapshots on disk: a series of immutable files, of which the newest sound one
//! counts. Always used as the user that owns it.

mod index;
mod prune;

use super::activity::Activity;
use super::codec::{self, Damage};
use super::endings::Endings;
use super::id::SnapshotId;
use super::record::Snapshot;
use super::tombstones::Tombstones;
use crate::sys::fs::{self, Dir, Existing, FileError};
use crate::sys::locks::{self, Lock};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

/// No snapshot is larger (bytes): 1,000 panes are about 300 KB.
const MAX_SNAPSHOT: u64 = 64 << 20;
/// No list of tombstones, endings or conversations is larger (bytes).
pub const MAX_LINES: u64 = 16 << 20;
/// No store holds more files.
const MAX_FILES: usize = 100_000;
const SNAPSHOTS: &str = "snapshots";
const LATEST: &str = "latest";
const FORGOTTEN: &str = "forgotten.tsv";
const ENDINGS: &str = "endings.tsv";
const ENDINGS_LOCK: &str = "endings.lock";
const ACTIVITY: &str = "activity.tsv";
/// No record of activity is larger (bytes).
const MAX_ACTIVITY: u64 = 64 << 10;
/// What a restore leaves for the panes that it makes.
pub const RESTORED: &str = "restored";
/// In it: conversations with their last activity and title.
const WAITING: &str = "waiting.tsv";
const LOCK: &str = "lock";
/// Held by the process that saves next because something changed; its time says when that was.
const PENDING: &str = "pending";
/// The regular files of a store, where they are there, besides the snapshots.
pub const RECORDS: [&str; 7] =
    [FORGOTTEN, ENDINGS, ENDINGS_LOCK, ACTIVITY, index::CONVERSATIONS, LOCK, PENDING];

/// One user's store.
#[derive(Debug)]
pub struct Store {
    dir: Dir,
    pub(super) snapshots: Option<Dir>,
}

/// A snapshot as it is in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub id: SnapshotId,
    /// What it says.
    pub snapshot: Snapshot,
}

impl Stored {
    /// The names of its sessions, each as often as it has panes.
    pub fn session_names(&self) -> impl Iterator<Item = &[u8]> {
        self.snapshot.rows.iter().map(|row| row.session.as_slice())
    }
}

/// Why something in the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not a sound snapshot.
    #[error("{file}: {damage}")]
    Damaged {
        /// The path.
        file: String,
        /// The line and what is wrong with it.
        damage: Damage,
    },
}

impl Store {
    /// Opens the store in `<state>/<user>`, if it is there.
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

    /// Opens the store for its hints alone: also where the snapshots cannot be reached.
    pub fn open_for_hints(dir: &Path) -> Result<Option<Self>, FileError> {
        match Dir::open(dir) {
            Ok(dir) => Ok(Some(Self { dir, snapshots: None })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the store of the caller below a state directory of the caller's, making what is
    /// absent and the documented link `<user>.tsv`.
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
        state.ensure_link(&link, Path::new(user).join(LATEST).as_os_str())?;
        let snapshots = open_snapshots(&dir)?;
        Ok(Self { dir, snapshots })
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Where a snapshot is.
    pub fn snapshot_path(&self, id: SnapshotId) -> std::path::PathBuf {
        self.dir.path().join(SNAPSHOTS).join(id.file_name())
    }

    /// Excludes every other writer for as long as the lock is held; gives up after `wait`.
    /// What a killed writer left behind is removed.
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

    /// The turn to save next, without waiting for it. Whoever has it takes [`Store::lock`] before
    /// letting go of it, never the other way round.
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
    pub fn read(&self, id: SnapshotId) -> Result<(Vec<u8>, Snapshot), Unusable> {
        let name = id.file_name();
        let Some(snapshots) = &self.snapshots else {
            let path = self.snapshot_path(id);
            return Err(FileError::refused("reading", path, "there is no such snapshot").into());
        };
        let bytes = snapshots.read(&name, MAX_SNAPSHOT)?;
        match codec::decode(&bytes) {
            Ok(snapshot) => Ok((bytes, snapshot)),
            Err(damage) => {
                let file = snapshots.path().join(name).display().to_string();
                Err(Unusable::Damaged { file, damage })
            }
        }
    }

    /// The newest sound snapshot with its bytes; each newer one that had to be passed over is
    /// named in `notes` (lesson 3).
    pub fn newest(&self, notes: &mut Vec<String>) -> Result<Option<(Vec<u8>, Stored)>, FileError> {
        for id in self.ids()?.0 {
            match self.read(id) {
                Ok((bytes, snapshot)) => return Ok(Some((bytes, Stored { id, snapshot }))),
                Err(why) => notes.push(format!("passed over: {why}")),
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

    /// Points `latest` at a snapshot unless it does so already: a save that was killed between
    /// its two renames is mended by the next.
    pub fn point_latest(&self, id: SnapshotId) -> Result<(), FileError> {
        let target = OsString::from(format!("{SNAPSHOTS}/{}", id.file_name()));
        if self.dir.link_target(LATEST)?.as_ref() == Some(&target) {
            return Ok(());
        }
        self.dir.write_link(LATEST, &target)
    }

    /// Reads the tombstones; lines that do not parse are named in `notes`.
    pub fn tombstones(&self, notes: &mut Vec<String>) -> Result<Tombstones, FileError> {
        self.read_lines(FORGOTTEN, Tombstones::decode, notes)
    }

    /// Replaces the tombstones. The lock is held.
    pub fn write_tombstones(&self, tombstones: &Tombstones, _lock: &Lock) -> Result<(), FileError> {
        self.dir.write(FORGOTTEN, &tombstones.encode(), Existing::Replaced)
    }

    /// Reads how agents ended; lines that do not parse are named in `notes`.
    pub fn endings(&self, notes: &mut Vec<String>) -> Result<Endings, FileError> {
        self.read_lines(ENDINGS, Endings::decode, notes)
    }

    /// Changes the record of endings, under a lock of its own: what an agent's launcher has to say
    /// cannot wait until a save that a hung server holds up lets go of the store.
    pub fn change_endings(
        &self,
        wait: Duration,
        notes: &mut Vec<String>,
        change: impl FnOnce(&mut Endings),
    ) -> Result<(), FileError> {
        const TRIES: usize = 3;
        let _lock = locks::exclusive(&self.dir, ENDINGS_LOCK, wait)?;
        let mut endings = self.endings(notes)?;
        change(&mut endings);
        let bytes = endings.encode();
        let mut written = Ok(());
        for _ in 0..TRIES {
            written = self.dir.write(ENDINGS, &bytes, Existing::Replaced);
            // Whoever has just taken the store's lock took our temporary file for one that was left.
            if !written.as_ref().is_err_and(FileError::is_not_found) {
                break;
            }
        }
        written
    }

    /// Reads what was last done. It is a hint: one that is absent reads as empty, and so does one
    /// that is torn or cannot be read, which is named in `notes`.
    pub fn activity(&self, notes: &mut Vec<String>) -> Activity {
        let path = self.dir.path().join(ACTIVITY);
        match self.dir.read(ACTIVITY, MAX_ACTIVITY).map(|text| Activity::decode(&text)) {
            Ok(Some((activity, bad))) => {
                let named = |n: &usize| format!("passed over: {}: line {n}", path.display());
                notes.extend(bad.iter().map(named));
                activity
            }
            Ok(None) => {
                notes.push(format!("passed over: {}: it is torn", path.display()));
                Activity::default()
            }
            Err(error) if error.is_not_found() => Activity::default(),
            Err(error) => {
                notes.push(format!("passed over: {error}"));
                Activity::default()
            }
        }
    }

    /// Changes what was last done. No lock is needed: of two at once, one may go unrecorded.
    pub fn record(&self, notes: &mut Vec<String>, change: impl FnOnce(&mut Activity)) {
        let mut activity = self.activity(notes);
        change(&mut activity);
        let bytes = activity.encode();
        let written = match self.dir.write_hint(ACTIVITY, &bytes) {
            // Whoever has just taken the lock took our temporary file for one that was left over.
            Err(error) if error.is_not_found() => self.dir.write_hint(ACTIVITY, &bytes),
            written => written,
        };
        notes.extend(written.err().map(|error| format!("not recorded: {error}")));
    }

    /// Leaves a text for the panes of a restore, where they lock files of theirs, too.
    pub fn leave_for_panes(&self, text: &[u8], _lock: &Lock) -> Result<(), FileError> {
        let dir = self.dir.ensure_dir(RESTORED)?;
        if let Some(names) = dir.names(MAX_FILES)? {
            dir.remove_temporaries(&names)?;
        }
        dir.write(WAITING, text, Existing::Replaced)
    }

    /// Reads a file of lines that may be absent; bad lines are passed over and named.
    fn read_lines<T: Default>(
        &self,
        name: &str,
        decode: impl Fn(&[u8]) -> (T, Vec<usize>),
        notes: &mut Vec<String>,
    ) -> Result<T, FileError> {
        let text = match self.dir.read(name, MAX_LINES) {
            Ok(text) => text,
            Err(error) if error.is_not_found() => return Ok(T::default()),
            Err(error) => return Err(error),
        };
        let (read, bad) = decode(&text);
        let path = self.dir.path().join(name);
        notes.extend(bad.iter().map(|n| format!("passed over: {}: line {n}", path.display())));
        Ok(read)
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
    fn damaged_and_foreign_files_are_passed_over_and_named() {
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
