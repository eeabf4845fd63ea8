//! Files relative to an open directory: bounded reads that never follow a link, atomic synced
//! writes. Every error says which path.

pub mod batch;
mod in_place;
pub mod install_file;
pub mod relocate;
pub mod replace;
mod trees;
pub mod trusted_path;
pub mod walk;

use crate::text::{io_reason, shown};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What went wrong with which path.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}: {}", shown(path), io_reason(source))]
pub struct FileError {
    /// A participle: 'reading', 'renaming'.
    pub doing: &'static str,
    /// The path as far as it is known; the directory is opened, so a link may have moved it.
    pub path: PathBuf,
    /// What the system said, or what we refused.
    pub source: io::Error,
}

impl FileError {
    /// An error of our own making, for something that is there but is not what it must be.
    pub fn refused(doing: &'static str, path: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        Self { doing, path: path.into(), source: io::Error::other(why.into()) }
    }

    /// Whether the path is simply not there.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Whether something is there already.
    pub fn is_existing(&self) -> bool {
        self.source.kind() == io::ErrorKind::AlreadyExists
    }

    /// Whether somebody else held a lock for too long.
    pub fn is_timeout(&self) -> bool {
        self.source.kind() == io::ErrorKind::TimedOut
    }
}

impl From<FileError> for String {
    fn from(error: FileError) -> Self {
        error.to_string()
    }
}

/// An open directory; what is done through it cannot be led elsewhere by renaming its path.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Opens a directory by path. The last component may not be a link.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let failed = |source: Errno| error("opening directory", path, source);
        let fd = rustix::fs::open(path, DIRECTORY, Mode::empty()).map_err(failed)?;
        Ok(Self { fd, path: path.to_owned() })
    }

    /// Opens a directory below this one; it may not be a link.
    pub fn open_dir(&self, name: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = self.path.join(&name);
        let failed = |source: Errno| error("opening directory", &path, source);
        let fd = rustix::fs::openat(&self.fd, name.as_ref(), DIRECTORY, Mode::empty())
            .map_err(failed)?;
        Ok(Self { fd, path })
    }

    /// Opens a directory below this one, making it (0700) when it is absent.
    pub fn ensure_dir(&self, name: &str) -> Result<Self, FileError> {
        match rustix::fs::mkdirat(&self.fd, name, Mode::RWXU) {
            Ok(()) => self.sync()?,
            Err(Errno::EXIST) => {}
            Err(source) => return Err(error("making directory", self.path.join(name), source)),
        }
        self.open_dir(name)
    }

    /// Whether it belongs to the user this process is.
    pub fn is_own(&self) -> Result<bool, FileError> {
        let stat = rustix::fs::fstat(&self.fd);
        let stat = stat.map_err(|source| error("looking at", &self.path, source))?;
        Ok(stat.st_uid == rustix::process::geteuid().as_raw())
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The descriptor.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Reads a file of at most `limit` bytes; refuses links, anything that is not a regular
    /// file, and files of other owners. Never blocks on a fifo or a device.
    pub fn read(&self, name: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, FileError> {
        let path = self.path.join(&name);
        let fd = rustix::fs::openat(&self.fd, name.as_ref(), READ, Mode::empty())
            .map_err(|source| error("reading", &path, source))?;
        read_open_file(fd, &path, limit, Beyond::Refused)
    }

    /// Reads at most the first `limit` bytes of a file, with the same refusals.
    pub fn read_start(&self, name: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, FileError> {
        let path = self.path.join(&name);
        let fd = rustix::fs::openat(&self.fd, name.as_ref(), READ, Mode::empty())
            .map_err(|source| error("reading", &path, source))?;
        read_open_file(fd, &path, limit, Beyond::LeftUnread)
    }

    /// Reads at most the last `limit` bytes of a file, with the same refusals.
    pub fn read_end(&self, name: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, FileError> {
        let path = self.path.join(&name);
        let failed = |source: Errno| error("reading", &path, source);
        let fd =
            rustix::fs::openat(&self.fd, name.as_ref(), READ, Mode::empty()).map_err(failed)?;
        let size = u64::try_from(rustix::fs::fstat(&fd).map_err(failed)?.st_size).unwrap_or(0);
        if size > limit {
            rustix::fs::seek(&fd, rustix::fs::SeekFrom::Start(size - limit)).map_err(failed)?;
        }
        read_open_file(fd, &path, limit, Beyond::LeftUnread)
    }

    /// Names in the directory, at most `limit` of them; `None` when there are more.
    pub fn names(&self, limit: usize) -> Result<Option<Vec<OsString>>, FileError> {
        let failed = |source: Errno| error("listing", &self.path, source);
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if names.len() == limit {
                return Ok(None);
            }
            names.push(OsString::from_vec(name.to_vec()));
        }
        Ok(Some(names))
    }

    /// What is at `name`, not following a link; `None` when nothing is.
    pub fn stat(&self, name: impl AsRef<Path>) -> Result<Option<rustix::fs::Stat>, FileError> {
        match rustix::fs::statat(&self.fd, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(source) => Err(error("looking at", self.path.join(name), source)),
        }
    }

    /// Whether a regular file is at `name`.
    pub fn has_file(&self, name: impl AsRef<Path>) -> Result<bool, FileError> {
        let stat = self.stat(name)?;
        Ok(stat.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file()))
    }

    /// Where the link at `name` points; `None` when there is no link there.
    pub fn link_target(&self, name: &str) -> Result<Option<OsString>, FileError> {
        match rustix::fs::readlinkat(&self.fd, name, Vec::new()) {
            Ok(target) => Ok(Some(OsString::from_vec(target.into_bytes()))),
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(source) => Err(error("reading link", self.path.join(name), source)),
        }
    }

    /// Makes a file appear under `name`, whole and synced, or not at all: a temporary file
    /// beside it, mode 0600, then a rename. With [`Existing::Kept`] an existing file of that name is an
    /// error, otherwise it is replaced.
    pub fn write(&self, name: &str, bytes: &[u8], existing: Existing) -> Result<(), FileError> {
        self.write_and_rename(name, bytes, existing.flags(), Kept { mode: PRIVATE, synced: true })?;
        self.sync()
    }

    /// The same with another mode, for files that are not only ours.
    pub fn write_as(
        &self,
        name: &str,
        bytes: &[u8],
        existing: Existing,
        mode: u32,
    ) -> Result<(), FileError> {
        let mode = Mode::from_raw_mode(mode);
        self.write_and_rename(name, bytes, existing.flags(), Kept { mode, synced: true })?;
        self.sync()
    }

    /// Replaces a file that is only a hint: atomically, but nothing waits for the disk. After a
    /// power loss it may be the old one, or empty.
    pub fn write_hint(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let kept = Kept { mode: PRIVATE, synced: false };
        self.write_and_rename(name, bytes, RenameFlags::empty(), kept)
    }

    /// As [`Dir::write_hint`], for all to read (0644, whatever the umask).
    pub fn write_public_hint(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let kept = Kept { mode: PUBLIC, synced: false };
        self.write_and_rename(name, bytes, RenameFlags::empty(), kept)
    }

    fn write_and_rename(
        &self,
        name: &str,
        bytes: &[u8],
        flags: RenameFlags,
        kept: Kept,
    ) -> Result<(), FileError> {
        let temporary = temporary_name();
        let result = self
            .write_temporary(&temporary, bytes, kept)
            .and_then(|()| self.rename(&temporary, name, flags));
        if result.is_err() {
            let _ = rustix::fs::unlinkat(&self.fd, &temporary, AtFlags::empty());
        }
        result
    }

    /// Makes `name` a link to `target` where nothing is yet; what is there stays. One system call,
    /// so that a kill leaves nothing to clear away in a directory that has no lock.
    pub fn ensure_link(&self, name: &str, target: &OsStr) -> Result<(), FileError> {
        match rustix::fs::symlinkat(target, &self.fd, name) {
            Ok(()) => self.sync(),
            Err(Errno::EXIST) => Ok(()),
            Err(source) => Err(error("linking", self.path.join(name), source)),
        }
    }

    /// Makes `name` a link to `target`, replacing what link or file was there, atomically.
    pub fn write_link(&self, name: &str, target: &OsStr) -> Result<(), FileError> {
        let temporary = temporary_name();
        rustix::fs::symlinkat(target, &self.fd, &temporary)
            .map_err(|source| error("linking", self.path.join(name), source))?;
        let renamed = self.rename(&temporary, name, RenameFlags::empty());
        if renamed.is_err() {
            let _ = rustix::fs::unlinkat(&self.fd, &temporary, AtFlags::empty());
        }
        renamed?;
        self.sync()
    }

    /// Removes a file or link that may be absent.
    pub fn remove(&self, name: impl AsRef<Path>) -> Result<(), FileError> {
        match rustix::fs::unlinkat(&self.fd, name.as_ref(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(source) => Err(error("removing", self.path.join(name), source)),
        }
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, name: impl AsRef<Path>) -> Result<(), FileError> {
        rustix::fs::unlinkat(&self.fd, name.as_ref(), AtFlags::REMOVEDIR)
            .map_err(|source| error("removing", self.path.join(name), source))
    }

    /// Removes what [`Dir::write`] and [`Dir::write_link`] leave behind when they are killed.
    /// The caller holds the lock that makes sure nobody is writing.
    pub fn remove_temporaries(&self, names: &[OsString]) -> Result<(), FileError> {
        names.iter().filter(|name| is_temporary(name)).try_for_each(|name| self.remove(name))
    }

    /// Renames within the directory.
    pub fn rename(&self, from: &str, to: &str, flags: RenameFlags) -> Result<(), FileError> {
        rustix::fs::renameat_with(&self.fd, from, &self.fd, to, flags)
            .map_err(|source| error("renaming to", self.path.join(to), source))
    }

    /// Makes the directory's entries durable.
    pub fn sync(&self) -> Result<(), FileError> {
        rustix::fs::fsync(&self.fd).map_err(|source| error("syncing", &self.path, source))
    }

    fn write_temporary(&self, name: &str, bytes: &[u8], kept: Kept) -> Result<(), FileError> {
        let path = self.path.join(name);
        let failed = |source: io::Error| FileError { doing: "writing", path: path.clone(), source };
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, PRIVATE)
            .map_err(|source| failed(source.into()))?;
        if kept.mode != PRIVATE {
            rustix::fs::fchmod(&fd, kept.mode).map_err(|source| failed(source.into()))?;
        }
        let mut file = std::fs::File::from(fd);
        file.write_all(bytes).map_err(failed)?;
        if kept.synced { file.sync_all().map_err(failed) } else { Ok(()) }
    }
}

/// What becomes of a file that is in the way of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// The write fails.
    Kept,
    /// It is replaced in one step.
    Replaced,
}

impl Existing {
    fn flags(self) -> RenameFlags {
        match self {
            Self::Kept => RenameFlags::NOREPLACE,
            Self::Replaced => RenameFlags::empty(),
        }
    }
}

/// Reads a file by path with the refusals of [`Dir::read`], but of any owner: for files of the
/// administrator and files a user names on his own command line.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|source| error("reading", path, source))?;
    let stat = rustix::fs::fstat(&fd).map_err(|source| error("reading", path, source))?;
    read_checked(fd, &stat, path, limit, Beyond::Refused)
}

/// Replaces a file for all to read in one step; see [`Dir::write_public_hint`]. The directory may be
/// behind a link.
pub fn write_public_hint(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError { doing: "resolving", path: dir.to_owned(), source };
    Dir::open(&dir.canonicalize().map_err(failed)?)?.write_public_hint(name, bytes)
}

/// Whether this process may make a directory its working directory.
pub fn may_enter(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Whether names like this are our own left-over temporaries.
pub fn is_temporary(name: &OsStr) -> bool {
    name.as_bytes().starts_with(TEMPORARY.as_bytes())
}

/// Makes a directory with its missing parents, each 0700: for a user's own state directory.
pub fn create_private_dirs(path: &Path) -> Result<(), FileError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| FileError { doing: "making directory", path: path.to_owned(), source })
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
const PUBLIC: Mode = PRIVATE.union(Mode::RGRP).union(Mode::ROTH);
const TEMPORARY: &str = ".new-";

/// How a new file is kept.
#[derive(Clone, Copy)]
struct Kept {
    mode: Mode,
    synced: bool,
}

#[derive(Clone, Copy)]
enum Beyond {
    Refused,
    LeftUnread,
}

fn read_open_file(
    fd: OwnedFd,
    path: &Path,
    limit: u64,
    beyond: Beyond,
) -> Result<Vec<u8>, FileError> {
    let stat = rustix::fs::fstat(&fd).map_err(|source| error("reading", path, source))?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(FileError::refused("reading", path, format!("belongs to uid {}", stat.st_uid)));
    }
    read_checked(fd, &stat, path, limit, beyond)
}

fn read_checked(
    fd: OwnedFd,
    stat: &rustix::fs::Stat,
    path: &Path,
    limit: u64,
    beyond: Beyond,
) -> Result<Vec<u8>, FileError> {
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(FileError::refused("reading", path, "not a regular file"));
    }
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0) + 1);
    let read = std::fs::File::from(fd).take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|source| FileError { doing: "reading", path: path.to_owned(), source })?;
    if bytes.len() as u64 > limit {
        match beyond {
            Beyond::Refused => {
                let why = format!("larger than {limit} bytes");
                return Err(FileError::refused("reading", path, why));
            }
            Beyond::LeftUnread => bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX)),
        }
    }
    Ok(bytes)
}

fn temporary_name() -> String {
    format!("{TEMPORARY}{}", random_hex())
}

/// 128 random bits as 32 hexadecimal digits.
pub fn random_hex() -> String {
    let mut bytes = [0_u8; 16];
    let mut filled = 0;
    while filled < bytes.len() {
        // getrandom(2) of 16 bytes fails only before the pool is ready, and then it waits.
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => unreachable!("getrandom(2) of 16 bytes: {error}"),
        }
    }
    format!("{:032x}", u128::from_ne_bytes(bytes))
}

fn error(doing: &'static str, path: impl Into<PathBuf>, source: Errno) -> FileError {
    FileError { doing, path: path.into(), source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir() -> (tempfile::TempDir, Dir) {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        (root, dir)
    }

    #[test]
    fn a_write_appears_whole_with_mode_0600_and_leaves_no_temporary() {
        use std::os::unix::fs::PermissionsExt;
        let (root, dir) = dir();
        dir.write("a", b"one", Existing::Kept).unwrap();
        dir.write("a", b"two", Existing::Replaced).unwrap();
        assert_eq!(dir.read("a", 10).unwrap(), b"two");
        let mode = root.path().join("a").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(dir.names(10).unwrap().unwrap(), ["a"]);
    }

    #[test]
    fn an_existing_file_is_kept_when_asked() {
        let (_root, dir) = dir();
        dir.write("a", b"one", Existing::Kept).unwrap();
        let error = dir.write("a", b"two", Existing::Kept).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(dir.read("a", 10).unwrap(), b"one");
        assert_eq!(dir.names(10).unwrap().unwrap().len(), 1);
    }

    #[test]
    fn links_fifos_directories_and_oversized_files_are_refused() {
        let (root, dir) = dir();
        dir.write("file", b"12345", Existing::Kept).unwrap();
        std::os::unix::fs::symlink("file", root.path().join("link")).unwrap();
        rustix::fs::mknodat(dir.fd(), "fifo", FileType::Fifo, Mode::RWXU, 0).unwrap();
        std::fs::create_dir(root.path().join("directory")).unwrap();
        for name in ["link", "fifo", "directory"] {
            assert!(dir.read(name, 10).is_err(), "{name}");
        }
        assert!(dir.read("file", 4).unwrap_err().to_string().ends_with("larger than 4 bytes"));
        assert_eq!(dir.read_start("file", 4).unwrap(), b"1234");
        assert!(dir.read("absent", 4).unwrap_err().is_not_found());
    }

    #[test]
    fn a_directory_behind_a_link_is_refused() {
        let (root, dir) = dir();
        std::os::unix::fs::symlink("/etc", root.path().join("link")).unwrap();
        assert!(dir.open_dir("link").is_err());
    }
}
