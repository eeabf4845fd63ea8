//! Root's own files: installed completely, and only over what was seen before.

use super::atomic::write_error;
use super::{Dir, FileError};
use rustix::fs::{AtFlags, Gid, Mode, Uid};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use shared::atomic::{self, Existing, Options, Step, Temporary, WriteError};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Owner, group and permission bits of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
}

/// A file that is being written beside its target, with the hash of what was written.
#[derive(Debug)]
pub struct StagedFile<'a> {
    dir: &'a Dir,
    name: String,
    staged: atomic::StagedFile<&'a Dir>,
    hash: Sha256,
}

impl<'a> StagedFile<'a> {
    /// Begins a file (0600) for `name` in `dir`. The caller holds the lock of such runs: what a killed
    /// run left is replaced.
    pub fn create(dir: &'a Dir, name: &str) -> Result<Self, FileError> {
        dir.remove(old_temporary_name(name))?;
        let staged = atomic::StagedFile::create(dir, OsStr::new(name), Temporary::OfTarget)
            .map_err(|error| write_error(dir, Path::new(name), error))?;
        Ok(Self { dir, name: name.to_owned(), staged, hash: Sha256::new() })
    }

    /// The path of the temporary file.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join(self.staged.temporary_name())
    }

    pub(super) fn file(&self) -> &File {
        self.staged.file()
    }

    /// Opens it from its beginning, for reading what was written.
    pub fn reopen(&self) -> Result<File, FileError> {
        self.dir.open_file(&self.staged.temporary_name().to_string_lossy())
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.hash.update(bytes);
        self.staged.write_all(bytes).map_err(|source| {
            write_error(self.dir, Path::new(&self.name), WriteError { step: Step::Write, source })
        })
    }

    /// The hash of what was written so far: `sha256:` and hexadecimal digits.
    pub fn hash(&self) -> String {
        hash_text(self.hash.clone())
    }

    /// Installs it with these attributes, synced, in one step; only if the file there still has the
    /// hash `expected`, or if there is still none for `None`.
    pub fn commit(self, attributes: Attributes, expected: Option<&str>) -> Result<(), FileError> {
        let Self { dir, name, staged, .. } = self;
        let existing = if expected.is_none() { Existing::Kept } else { Existing::Replaced };
        let Attributes { uid, gid, mode } = attributes;
        let options = Options { existing, mode, owner: Some((uid, gid)), ..Options::default() };
        let committed = staged.commit_if(&options, || {
            Ok::<_, CommitError>(
                hash(dir, &name).map_err(CommitError::File)?.as_deref() == expected,
            )
        });
        match committed {
            Ok(true) => Ok(()),
            Ok(false) => {
                let path = dir.path().join(name);
                Err(FileError::refused("replacing", path, "it has changed meanwhile"))
            }
            Err(CommitError::File(error)) => Err(error),
            Err(CommitError::Write(error)) => Err(write_error(dir, Path::new(&name), error)),
        }
    }
}

enum CommitError {
    File(FileError),
    Write(WriteError),
}

impl From<WriteError> for CommitError {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

/// The temporary name of releases up to 0.1.0, which a killed run of theirs may have left.
fn old_temporary_name(name: &str) -> String {
    format!(".{name}.terminal-lobby-new")
}

/// The hash of a regular file, which may be large; `None` if nothing is there.
pub fn hash(dir: &Dir, name: &str) -> Result<Option<String>, FileError> {
    let failed = |source| FileError { doing: "reading", path: dir.path().join(name), source };
    let mut file = match dir.open_regular(Path::new(name)) {
        Ok((file, _)) => file,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(Some(hash_text(hash))),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Gives the file `name`, not behind a link, these attributes.
pub fn set_attributes(dir: &Dir, name: &str, attributes: Attributes) -> Result<(), FileError> {
    let (file, _) = dir.open_regular(Path::new(name))?;
    set(&file, attributes).map_err(|source| dir.error("changing the mode of", name, source))
}

/// Sets owner and mode of an open directory.
pub fn set_directory(dir: &Dir, attributes: Attributes) -> Result<(), FileError> {
    let Attributes { uid, gid, mode } = attributes;
    rustix::fs::fchown(dir.fd(), Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
        .and_then(|()| rustix::fs::fchmod(dir.fd(), Mode::from_raw_mode(mode)))
        .map_err(|source| FileError::system("changing the owner of", dir.path(), source))
}

/// Owner before mode: a change of owner takes bits of the mode away.
fn set(file: &File, attributes: Attributes) -> Result<(), Errno> {
    let stat = rustix::fs::fstat(file)?;
    let Attributes { uid, gid, mode } = attributes;
    if (stat.st_uid, stat.st_gid) != (uid, gid) {
        rustix::fs::fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode))
}

/// Sets the permission bits of an open directory.
pub fn set_mode(dir: &Dir, mode: u32) -> Result<(), FileError> {
    rustix::fs::fchmod(dir.fd(), Mode::from_raw_mode(mode))
        .map_err(|source| FileError::system("changing the mode of", dir.path(), source))
}

/// The attributes of an open directory, or of `name` in it, not following a link; `None` if nothing
/// is there.
pub fn attributes(dir: &Dir, name: Option<&str>) -> Result<Option<Attributes>, FileError> {
    let stat = match name {
        Some(name) => rustix::fs::statat(dir.fd(), name, AtFlags::SYMLINK_NOFOLLOW),
        None => rustix::fs::fstat(dir.fd()),
    };
    match stat {
        Ok(stat) => {
            Ok(Some(Attributes { uid: stat.st_uid, gid: stat.st_gid, mode: stat.st_mode & 0o7777 }))
        }
        Err(Errno::NOENT) => Ok(None),
        Err(source) => Err(dir.error("inspecting", name.unwrap_or_default(), source)),
    }
}

fn hash_text(hash: Sha256) -> String {
    format!("sha256:{}", crate::text::hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fs::trusted_path::{Missing, open_parent_below};
    use std::os::unix::fs::PermissionsExt;

    fn own(mode: u32) -> Attributes {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        Attributes { uid: uid.as_raw(), gid: gid.as_raw(), mode }
    }

    #[test]
    fn a_file_is_installed_only_over_what_was_seen_and_leaves_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let path = Path::new("/a/b/file");
        assert!(open_parent_below(root.path(), path, Missing::Refused).unwrap_err().is_not_found());
        let (dir, name) = open_parent_below(root.path(), path, Missing::Made).unwrap();
        let put = |bytes: &[u8], expected: Option<&str>| {
            let mut staged = StagedFile::create(&dir, &name).unwrap();
            staged.write(bytes).unwrap();
            let hash = staged.hash();
            staged.commit(own(0o640), expected).map(|()| hash)
        };
        std::fs::write(root.path().join("a/b/.file.terminal-lobby-new"), "left").unwrap();
        let first = put(b"one", None).unwrap();
        assert_eq!(hash(&dir, "file").unwrap().as_deref(), Some(first.as_str()));
        for expected in [None, Some("sha256:other")] {
            let error = put(b"two", expected).unwrap_err().to_string();
            assert!(error.ends_with("it has changed meanwhile"), "{error}");
        }
        put(b"two", Some(&first)).unwrap();
        assert_eq!(std::fs::read(root.path().join("a/b/file")).unwrap(), b"two");
        let mode = root.path().join("a/b/file").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
        assert_eq!(dir.names(9).unwrap().unwrap(), ["file"]);
    }

    #[test]
    fn no_link_is_followed_at_the_end() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("file")).unwrap();
        let dir = Dir::open(root.path()).unwrap();
        assert!(hash(&dir, "file").unwrap_err().to_string().ends_with("a link: not followed"));
        assert!(set_attributes(&dir, "file", own(0o600)).is_err());
    }
}
