//! Writing files so that they are complete or absent (`shared::atomic`), with errors that name the
//! path.

use super::{Dir, FileError, trusted_path};
use crate::sys::{accounts, fs};
use shared::atomic::{Durability, Options, StagedFile, Step, Temporary, WriteError};
pub use shared::atomic::{Existing, is_temporary};
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// For all to read.
const PUBLIC: u32 = 0o644;

impl Dir {
    /// Writes a file (0600), content and name synced.
    pub fn write(&self, name: &str, bytes: &[u8], existing: Existing) -> Result<(), FileError> {
        self.write_with(name, bytes, &Options { existing, ..Options::default() })
    }

    /// As [`Dir::write`], with another mode, whatever the umask.
    pub fn write_as(
        &self,
        name: &str,
        bytes: &[u8],
        existing: Existing,
        mode: u32,
    ) -> Result<(), FileError> {
        self.write_with(name, bytes, &Options { existing, mode, ..Options::default() })
    }

    /// Replaces a file (0600) that is only a hint: atomically, but nothing waits for the disk. After
    /// a power loss it may be the old one, or empty.
    pub fn write_hint(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let durability = Durability::Hint;
        self.write_with(name, bytes, &Options { durability, ..Options::default() })
    }

    /// As [`Dir::write_hint`], for all to read (0644, whatever the umask).
    pub fn write_public_hint(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let durability = Durability::Hint;
        self.write_with(name, bytes, &Options { durability, mode: PUBLIC, ..Options::default() })
    }

    /// Replaces one of many files (0600); the caller syncs the directory after the last one. The
    /// content is synced: when a file's name appears, the file is complete.
    pub fn write_deferring_dir_sync(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let durability = Durability::Content;
        self.write_with(name, bytes, &Options { durability, ..Options::default() })
    }

    fn write_with(&self, name: &str, bytes: &[u8], options: &Options) -> Result<(), FileError> {
        shared::atomic::write(self, OsStr::new(name), bytes, Temporary::Random, options)
            .map_err(|error| write_error(self, Path::new(name), error))
    }

    /// Removes what killed writes left. The caller holds the lock that excludes writers.
    pub fn remove_temporaries(&self, names: &[OsString]) -> Result<(), FileError> {
        names.iter().filter(|name| is_temporary(name)).try_for_each(|name| self.remove(name))
    }
}

/// Adds the path to an error of a write.
pub(super) fn write_error(dir: &Dir, name: &Path, error: WriteError) -> FileError {
    let (doing, path): (_, PathBuf) = match error.step {
        Step::Write => ("writing", dir.path().join(name)),
        Step::Rename => ("renaming to", dir.path().join(name)),
        Step::SyncDirectory => ("syncing", dir.path().to_owned()),
    };
    FileError { doing, path, source: error.source }
}

/// Replaces a file for all to read in one step; see [`Dir::write_public_hint`]. The directory may be
/// behind a link.
pub fn write_public_hint(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError { doing: "resolving", path: dir.to_owned(), source };
    Dir::open(&dir.canonicalize().map_err(failed)?)?.write_public_hint(name, bytes)
}

/// Replaces the contents `old` of a file that somebody edits by `new`: same owner and mode, and only
/// if it still has these contents. Behind a link the file that the link names is replaced. Root does
/// so only where the whole path is root's own.
pub fn replace(path: &Path, old: &[u8], new: &[u8]) -> Result<(), FileError> {
    let doing = "replacing";
    let failed = |source| FileError { doing, path: path.to_owned(), source };
    let (dir, name) = if accounts::is_root() {
        trusted_path::open_parent(path)?
    } else {
        let real = path.canonicalize().map_err(failed)?;
        let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
            return Err(FileError::refused(doing, path, "not a file"));
        };
        (Dir::open(parent)?, name.to_owned())
    };
    let limit = old.len() as u64 + 1; // one byte more shows that it is longer
    let (file, stat) = dir.open_regular(Path::new(&name))?;
    let current = fs::dir::read_bounded(
        file,
        fs::dir::size(&stat),
        path,
        limit,
        fs::dir::Excess::LeftUnread,
    )?;
    if current != old {
        return Err(FileError::refused(doing, path, "it has changed meanwhile"));
    }
    let options = Options {
        mode: stat.st_mode & 0o777,
        owner: Some((stat.st_uid, stat.st_gid)),
        ..Options::default()
    };
    let failed = |error| write_error(&dir, Path::new(&name), error);
    let mut staged = StagedFile::create(&dir, &name, Temporary::Random).map_err(failed)?;
    let written = staged.write_all(new);
    written.map_err(|source| failed(WriteError { step: Step::Write, source }))?;
    staged.commit(&options).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_write_appears_complete_and_leaves_no_temporary() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        dir.write("a", b"one", Existing::Kept).unwrap();
        let error = dir.write("a", b"two", Existing::Kept).unwrap_err();
        assert!(error.is_existing());
        assert_eq!(dir.read("a", 10).unwrap(), b"one");
        dir.write("a", b"two", Existing::Replaced).unwrap();
        assert_eq!(dir.read("a", 10).unwrap(), b"two");
        let mode = root.path().join("a").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(dir.names(10).unwrap().unwrap(), ["a"]);
    }

    #[test]
    fn mode_and_links_stay_and_a_file_that_changed_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let (file, link) = (root.path().join("file"), root.path().join("link"));
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        replace(&link, b"old", b"newer").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"newer");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
        assert!(link.is_symlink());
        for old in ["old", "newe", "newer2"] {
            let error = replace(&file, old.as_bytes(), b"x").unwrap_err().to_string();
            assert!(error.contains("changed meanwhile"), "{error}");
        }
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2);
    }

    #[test]
    fn root_replaces_nothing_where_another_user_could_have_put_it() {
        if !accounts::is_root() {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let (dir, file) = (root.path().join("theirs"), root.path().join("theirs/file"));
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::chown(&dir, Some(12_345), None).unwrap();
        let error = replace(&file, b"old", b"new").unwrap_err().to_string();
        assert!(error.ends_with("belongs to uid 12345, not to root"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), b"old");
    }
}
