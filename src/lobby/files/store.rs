//! Where uploaded files are: `files/<birth id of the session>/NAME` among what the lobby keeps for its user.

use super::bounds::Bounds;
use super::error::FilesError;
use super::names::{numbered, safe};
use crate::kept::Kept;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use terminal_lobby::sys::Dir;

/// The directory.
pub(super) const FILES: &str = "files";
/// What names of files begin with that are not complete.
pub(super) const PART: &str = ".part-";
/// Most sessions with files, and files of one, that are looked at.
pub(super) const MAX_LISTED: usize = 20_000;
/// A part that was not written for so long was left by a lobby that was killed.
const LEFT: Duration = Duration::from_hours(1);
/// Files of one name in one session.
const MAX_NUMBER: u32 = 1000;

/// The uploaded files of one user.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pub(super) kept: Kept,
    pub(super) bounds: Bounds,
}

/// A file that is not complete. It is removed when this is dropped, unless it was finished.
#[derive(Debug)]
pub(super) struct Part {
    dir: Dir,
    /// Its name until it is complete.
    for_now: String,
    name: String,
    file: File,
    pub(super) size: u64,
    pub(super) written: u64,
    /// Where it is, once it has its name.
    done: Option<PathBuf>,
}

impl Store {
    /// The directory of a session's files.
    fn dir(&self, session: &str) -> Result<Dir, FilesError> {
        if session.len() != 16 || !session.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(FilesError::NoSession);
        }
        Ok(self.kept.directory()?.ensure_dir(FILES)?.ensure_dir(session)?)
    }

    /// Begins a file. `reserved` bytes are of others that are not complete.
    pub(super) fn begin(
        &self,
        session: &str,
        upload: &str,
        name: &str,
        size: u64,
        reserved: u64,
    ) -> Result<Part, FilesError> {
        if size > self.bounds.file {
            return Err(FilesError::TooLarge);
        }
        if upload.len() != 32 || !upload.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(FilesError::Invalid);
        }
        let dir = self.dir(session)?;
        let wanted = size.saturating_add(reserved);
        if self.used()?.saturating_add(wanted) > self.bounds.total {
            return Err(FilesError::TooMuch);
        }
        if dir.file_system()?.free < wanted.saturating_add(self.bounds.free) {
            return Err(FilesError::NearlyFull);
        }
        let for_now = format!("{PART}{upload}");
        let file = dir.create_new(&for_now)?;
        Ok(Part { dir, for_now, name: safe(name), file, size, written: 0, done: None })
    }

    /// Bytes of all complete files. Parts that were left are removed.
    fn used(&self) -> Result<u64, FilesError> {
        let all = self.kept.directory()?.ensure_dir(FILES)?;
        let mut used = 0_u64;
        for session in all.names(MAX_LISTED)?.ok_or(FilesError::TooManyEntries)? {
            let Ok(dir) = all.open_dir(&session) else { continue };
            for name in dir.names(MAX_LISTED)?.ok_or(FilesError::TooManyEntries)? {
                let Some(stat) = dir.stat(&name)? else { continue };
                if !name.as_encoded_bytes().starts_with(PART.as_bytes()) {
                    used = used.saturating_add(u64::try_from(stat.st_size).unwrap_or(0));
                } else if is_left(&stat) {
                    dir.remove(&name)?;
                }
            }
        }
        Ok(used)
    }
}

fn is_left(stat: &rustix::fs::Stat) -> bool {
    let now = terminal_lobby::sys::clock::now();
    now.saturating_sub(u64::try_from(stat.st_mtime).unwrap_or(0)) > LEFT.as_secs()
}

impl Part {
    /// Adds what follows.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        if self.written + bytes.len() as u64 > self.size {
            return Err(FilesError::More);
        }
        self.file.write_all(bytes).map_err(FilesError::Write)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.written == self.size
    }

    /// Whether it has its name.
    pub(super) fn is_done(&self) -> bool {
        self.done.is_some()
    }

    /// Gives the file its name, or one with a number if another has that; it is on disk then.
    pub(super) fn finish(&mut self) -> Result<PathBuf, FilesError> {
        if let Some(done) = &self.done {
            return Ok(done.clone());
        }
        self.file.sync_all().map_err(FilesError::Write)?;
        let names = std::iter::once(self.name.clone())
            .chain((2..MAX_NUMBER).map(|number| numbered(&self.name, number)));
        for name in names {
            match self.dir.place(&self.for_now, &name) {
                Ok(()) => {
                    let path = self.dir.path().join(name);
                    self.done = Some(path.clone());
                    return Ok(path);
                }
                Err(error) if error.is_existing() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(FilesError::NoName)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.done.is_none()
            && let Err(error) = self.dir.remove(&self.for_now)
        {
            tracing::warn!(%error, "a part of a file is left");
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "what users do to their files")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const SESSION: &str = "0123456789abcdef";

    fn store(bounds: Bounds) -> (tempfile::TempDir, Store) {
        let root = tempfile::tempdir().unwrap();
        let store = Store { kept: Kept::new(root.path(), "alice", true), bounds };
        (root, store)
    }

    fn small() -> Bounds {
        Bounds { file: 100, total: 150, free: 0 }
    }

    fn id(number: u32) -> String {
        format!("{number:032x}")
    }

    fn put(store: &Store, number: u32, name: &str, bytes: &[u8]) -> Result<PathBuf, FilesError> {
        let mut part = store.begin(SESSION, &id(number), name, bytes.len() as u64, 0)?;
        part.write(bytes)?;
        part.finish()
    }

    #[test]
    fn files_are_private_never_replace_another_and_hostile_names_stay_inside() {
        let (root, store) = store(small());
        let dir = root.path().join("alice/lobby/files").join(SESSION);
        for (number, name, expected) in [
            (1, "a.txt", "a.txt"),
            (2, "a.txt", "a-2.txt"),
            (3, "../../../a.txt", "a-3.txt"),
            (4, "x\ny", "x_y"),
            (5, "", "file"),
        ] {
            let path = put(&store, number, name, name.as_bytes()).unwrap();
            assert_eq!(path, dir.join(expected));
            assert_eq!(std::fs::read(&path).unwrap(), name.as_bytes());
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 5);
    }

    #[test]
    fn what_is_too_large_or_too_much_is_refused_and_parts_do_not_stay() {
        let (root, store) = store(small());
        let dir = root.path().join("alice/lobby/files").join(SESSION);
        let count = || std::fs::read_dir(&dir).unwrap().count();
        assert!(matches!(put(&store, 1, "a", &[0; 101]), Err(FilesError::TooLarge)));
        put(&store, 2, "a", &[0; 100]).unwrap();
        assert!(matches!(put(&store, 3, "b", &[0; 51]), Err(FilesError::TooMuch)));
        assert!(matches!(store.begin(SESSION, &id(4), "b", 40, 20), Err(FilesError::TooMuch)));
        let mut part = store.begin(SESSION, &id(4), "b", 40, 0).unwrap();
        assert_eq!(count(), 2);
        part.write(&[0; 30]).unwrap();
        assert!(matches!(part.write(&[0; 11]), Err(FilesError::More)));
        drop(part);
        assert_eq!(count(), 1);
        let full = Bounds { free: u64::MAX / 2, ..small() };
        let full = Store { bounds: full, ..store };
        assert!(matches!(put(&full, 5, "c", b"x"), Err(FilesError::NearlyFull)));
        for session in ["", "..", "0123456789ABCDEg", "../../../../etc/"] {
            assert!(full.begin(session, &id(6), "c", 1, 0).is_err());
        }
        assert!(full.begin(SESSION, "../x", "c", 1, 0).is_err());
    }

    #[test]
    fn a_link_in_place_of_a_directory_is_not_followed() {
        let (root, store) = store(small());
        let elsewhere = root.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        let kept = store.kept.directory().unwrap();
        kept.write_link(FILES, elsewhere.as_os_str()).unwrap();
        assert!(put(&store, 1, "a", b"x").is_err());
        kept.remove(FILES).unwrap();
        let files = kept.ensure_dir(FILES).unwrap();
        files.write_link(SESSION, elsewhere.as_os_str()).unwrap();
        assert!(put(&store, 1, "a", b"x").is_err());
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn a_full_disk_leaves_nothing() {
        // The smallest file system that there is: a device on which every write fails so.
        let (root, store) = store(small());
        let mut part = store.begin(SESSION, &id(1), "a", 40, 0).unwrap();
        part.file = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = part.write(&[0; 40]).unwrap_err();
        assert!(error.to_string().contains("No space left"), "{error}");
        drop(part);
        let dir = root.path().join("alice/lobby/files").join(SESSION);
        assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0);
    }
}
