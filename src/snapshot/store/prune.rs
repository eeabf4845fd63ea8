//! Removing snapshots, with what belongs to them.

use super::{MAX_FILES, SCROLLBACK, Store};
use crate::snapshot::summary::{self, Summary};
use crate::snapshot::{Snapshot, SnapshotId};
use crate::sys::fs::{Dir, FileError};
use crate::sys::locks::Lock;
use std::ffi::{OsStr, OsString};

/// The snapshot that a name in the directory of snapshots belongs to, if it is no snapshot itself.
pub(super) fn belongs_to(name: &OsStr) -> Option<SnapshotId> {
    let id = name.to_str()?.strip_suffix(SCROLLBACK)?;
    SnapshotId::parse(id).filter(|parsed| parsed.to_string() == id)
}

impl Store {
    /// How much was alive in a snapshot, from no more than its end; from the whole of it where
    /// an older writer left no summary there. `None` when it is damaged, as far as that shows.
    pub fn summary(&self, id: SnapshotId) -> Option<Summary> {
        let tail = self.snapshots.as_ref()?.read_end(id.file_name(), summary::TAIL).ok()?;
        Summary::of_tail(&tail).or_else(|| {
            let (_, snapshot): (_, Snapshot) = self.read(id).ok()?;
            Some(Summary::of(&snapshot))
        })
    }

    /// Removes snapshots with what belongs to them, and what belongs to no snapshot; what cannot
    /// be removed is named in `notes`. The lock is held.
    pub fn remove(
        &self,
        gone: &[SnapshotId],
        notes: &mut Vec<String>,
        _lock: &Lock,
    ) -> Result<(), FileError> {
        let Some(snapshots) = &self.snapshots else { return Ok(()) };
        let mut removed = 0;
        let mut note = |result: Result<(), FileError>| match result {
            Ok(()) => removed += 1,
            Err(error) => notes.push(format!("not deleted: {error}")),
        };
        // A snapshot first: what belongs to it is found again when we are killed in between.
        for id in gone {
            note(snapshots.remove(id.file_name()));
        }
        let names = snapshots.names(MAX_FILES)?.unwrap_or_default();
        for name in orphans(&names) {
            note(remove_files(snapshots, name));
        }
        if removed > 0 { snapshots.sync() } else { Ok(()) }
    }
}

/// Names that belong to a snapshot that is not there.
fn orphans(names: &[OsString]) -> impl Iterator<Item = &OsString> {
    let has = |id: SnapshotId| names.iter().any(|name| *name == *id.file_name());
    names.iter().filter(move |name| belongs_to(name).is_some_and(|id| !has(id)))
}

/// Removes a directory of regular files. Anything else in it stays, and so does the directory.
fn remove_files(parent: &Dir, name: &OsStr) -> Result<(), FileError> {
    let dir = parent.open_dir(name)?;
    let names = dir.names(MAX_FILES)?.unwrap_or_default();
    for file in &names {
        if dir.has_file(file)? {
            dir.remove(file)?;
        }
    }
    parent.remove_dir(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Row, encode};
    use std::path::PathBuf;
    use std::time::Duration;

    fn id(seconds: u64) -> SnapshotId {
        SnapshotId::next(seconds, None, None)
    }

    fn text() -> Vec<u8> {
        let row = Row { session: b"one".to_vec(), cwd: b"/".to_vec(), ..Row::default() };
        encode(&Snapshot { rows: vec![row], ..Snapshot::default() })
    }

    /// A store with snapshots of these times.
    fn store(times: &[u64]) -> (tempfile::TempDir, Store, Lock, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let mut store = Store::create(root.path(), "alice").unwrap();
        let lock = store.lock(Duration::ZERO).unwrap();
        for time in times {
            store.write(id(*time), &text(), &lock).unwrap();
        }
        let dir = root.path().join("alice/snapshots");
        (root, store, lock, dir)
    }

    #[test]
    fn a_snapshot_goes_with_its_scrollback_and_orphans_go_too() {
        let (_root, store, lock, dir) = store(&[100, 200]);
        for time in [100, 200, 300] {
            let scrollback = dir.join(format!("{}.scrollback", id(time)));
            std::fs::create_dir(&scrollback).unwrap();
            std::fs::write(scrollback.join("0.0"), b"$ ls\n").unwrap();
        }
        assert_eq!(store.ids().unwrap().1, [""; 0], "scrollback is not foreign");
        let mut notes = Vec::new();
        store.remove(&[id(100)], &mut notes, &lock).unwrap();
        assert_eq!(notes, [""; 0]);
        let mut left: Vec<_> =
            std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(
            left,
            [format!("{}.scrollback", id(200)), id(200).file_name()].map(OsString::from)
        );
    }

    #[test]
    fn what_cannot_be_removed_is_named_and_nothing_is_followed() {
        let (root, store, lock, dir) = store(&[100, 300]);
        let outside = root.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("kept"), b"x").unwrap();
        std::os::unix::fs::symlink(&outside, dir.join(format!("{}.scrollback", id(150)))).unwrap();
        let scrollback = dir.join(format!("{}.scrollback", id(100)));
        std::fs::create_dir_all(scrollback.join("inner")).unwrap();
        std::fs::write(scrollback.join("0.0"), b"x").unwrap();
        std::os::unix::fs::symlink(outside.join("kept"), scrollback.join("link")).unwrap();
        std::fs::create_dir(dir.join(id(200).file_name())).unwrap();
        let mut notes = Vec::new();
        store.remove(&[id(100), id(200)], &mut notes, &lock).unwrap();
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(notes.iter().all(|note| note.starts_with("not deleted: ")), "{notes:?}");
        assert!(outside.join("kept").exists() && scrollback.join("link").is_symlink());
        assert!(!scrollback.join("0.0").exists());
        assert!(!dir.join(id(100).file_name()).exists());
    }

    #[test]
    fn the_summary_comes_from_the_end_and_for_older_files_from_the_whole() {
        let (_root, store, _lock, dir) = store(&[100]);
        let expected = Summary { sessions: 1, live: 0, lost: 0 };
        assert_eq!(store.summary(id(100)), Some(expected));
        let old = String::from_utf8(text()).unwrap().replace("# sessions 1 live 0 lost 0\n", "");
        std::fs::write(dir.join(id(200).file_name()), &old).unwrap();
        assert_eq!(store.summary(id(200)), Some(expected));
        std::fs::write(dir.join(id(300).file_name()), &old.as_bytes()[..old.len() - 3]).unwrap();
        assert_eq!(store.summary(id(300)), None);
        std::os::unix::fs::symlink("/etc/passwd", dir.join(id(400).file_name())).unwrap();
        assert_eq!(store.summary(id(400)), None);
    }
}
