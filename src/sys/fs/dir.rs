//! An open directory: what is in it, bounded reads, and changes to a file where it is.

use super::FileError;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
pub(super) const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// An open directory; what is done through it cannot be led elsewhere by renaming its path.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Dir {
    /// Opens a directory by path. The last component may not be a link.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let fd = rustix::fs::open(path, DIRECTORY, Mode::empty())
            .map_err(|source| FileError::system("opening directory", path, source))?;
        Ok(Self { fd, path: path.to_owned() })
    }

    pub(super) fn from_fd(fd: OwnedFd, path: PathBuf) -> Self {
        Self { fd, path }
    }

    /// Opens a directory below this one; it may not be a link.
    pub fn open_dir(&self, name: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = self.path.join(&name);
        match rustix::fs::openat(&self.fd, name.as_ref(), DIRECTORY, Mode::empty()) {
            Ok(fd) => Ok(Self { fd, path }),
            Err(Errno::NOTDIR | Errno::LOOP) if path.is_symlink() => {
                Err(FileError::refused("opening directory", path, "a link: not followed"))
            }
            Err(source) => Err(FileError::system("opening directory", path, source)),
        }
    }

    /// Opens a directory below this one; a missing one is made (0700).
    pub fn ensure_dir(&self, name: &str) -> Result<Self, FileError> {
        match rustix::fs::mkdirat(&self.fd, name, Mode::RWXU) {
            Ok(()) => self.sync()?,
            Err(Errno::EXIST) => {}
            Err(source) => return Err(self.error("making directory", name, source)),
        }
        self.open_dir(name)
    }

    /// Makes a directory (0700) of any name, where nothing may be; the caller syncs this one.
    pub fn make_private_dir(&self, name: impl AsRef<Path>) -> Result<(), FileError> {
        rustix::fs::mkdirat(&self.fd, name.as_ref(), Mode::RWXU)
            .map_err(|source| self.error("making directory", name, source))
    }

    /// Makes a directory, where nothing may be, with the mode that the umask leaves.
    pub fn make_dir(&self, name: &str) -> Result<(), FileError> {
        let mode = Mode::RWXU | Mode::RWXG | Mode::RWXO;
        rustix::fs::mkdirat(&self.fd, name, mode)
            .map_err(|source| self.error("making directory", name, source))?;
        self.sync()
    }

    /// Whether it belongs to the user this process is.
    pub fn is_own(&self) -> Result<bool, FileError> {
        let stat = rustix::fs::fstat(&self.fd);
        let stat = stat.map_err(|source| FileError::system("inspecting", &self.path, source))?;
        Ok(stat.st_uid == rustix::process::geteuid().as_raw())
    }

    /// The path by which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Reads a file of at most `limit` bytes; refuses links, anything that is not a regular
    /// file, and files of other owners. Never blocks on a fifo or a device.
    pub fn read(&self, name: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, FileError> {
        let (file, size) = self.open_own(name.as_ref())?;
        read_bounded(file, size, &self.path.join(name), limit, Excess::Refused)
    }

    /// Reads at most the first `limit` bytes of a file, with the same refusals.
    pub fn read_start(&self, name: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, FileError> {
        let (file, size) = self.open_own(name.as_ref())?;
        read_bounded(file, size, &self.path.join(name), limit, Excess::LeftUnread)
    }

    /// Reads at most the last `limit` bytes of a file, with the same refusals.
    pub fn read_end(&self, name: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, FileError> {
        let (file, size) = self.open_own(name.as_ref())?;
        let path = self.path.join(name);
        if size > limit {
            rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(size - limit))
                .map_err(|source| FileError::system("reading", &path, source))?;
        }
        read_bounded(file, size, &path, limit, Excess::LeftUnread)
    }

    /// Opens a regular file of any owner for reading, not through a link.
    pub fn open_file(&self, name: &str) -> Result<File, FileError> {
        self.open_regular(Path::new(name)).map(|(file, _)| file)
    }

    /// Opens a regular file of this user's for reading, not through a link.
    pub fn open_own_file(&self, name: impl AsRef<Path>) -> Result<File, FileError> {
        self.open_own(name.as_ref()).map(|(file, _)| file)
    }

    /// Opens a regular file for reading; returns it with what fstat(2) reports.
    pub(super) fn open_regular(&self, name: &Path) -> Result<(File, Stat), FileError> {
        let path = self.path.join(name);
        let failed = |source: Errno| match source {
            Errno::LOOP => FileError::refused("reading", &path, "a link: not followed"),
            source => FileError::system("reading", &path, source),
        };
        let fd = rustix::fs::openat(&self.fd, name, READ, Mode::empty()).map_err(failed)?;
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(FileError::refused("reading", path, "not a regular file"));
        }
        Ok((fd.into(), stat))
    }

    /// Opens a regular file of this user's; returns it with its size.
    fn open_own(&self, name: &Path) -> Result<(File, u64), FileError> {
        let (file, stat) = self.open_regular(name)?;
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            let why = format!("belongs to uid {}", stat.st_uid);
            return Err(FileError::refused("reading", self.path.join(name), why));
        }
        Ok((file, size(&stat)))
    }

    /// Refuses a directory in which others than its owner may make files, also where the sticky bit keeps them from
    /// removing what is another's.
    ///
    /// # Errors
    /// [`FileError::is_untrusted`].
    pub fn refuse_others(&self) -> Result<(), FileError> {
        let stat = rustix::fs::fstat(&self.fd)
            .map_err(|source| FileError::system("inspecting", &self.path, source))?;
        if stat.st_mode & 0o022 == 0 {
            return Ok(());
        }
        let why = format!("mode {:o}: others than root can write it", stat.st_mode & 0o7777);
        Err(FileError::untrusted(&self.path, why))
    }

    /// Names in the directory, at most `limit` of them; `None` if there are more.
    pub fn names(&self, limit: usize) -> Result<Option<Vec<OsString>>, FileError> {
        let failed = |source: Errno| FileError::system("listing", &self.path, source);
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

    /// What fstatat(2) reports of `name`, not following a link; `None` if nothing is there.
    pub fn stat(&self, name: impl AsRef<Path>) -> Result<Option<Stat>, FileError> {
        match rustix::fs::statat(&self.fd, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(source) => Err(self.error("inspecting", name, source)),
        }
    }

    /// Whether a regular file is at `name`.
    pub fn has_file(&self, name: impl AsRef<Path>) -> Result<bool, FileError> {
        let stat = self.stat(name)?;
        Ok(stat.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file()))
    }

    /// Makes a new file (0600) for writing, where nothing may be.
    pub fn create_new(&self, name: &str) -> Result<File, FileError> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, PRIVATE)
            .map_err(|source| self.error("making", name, source))?;
        Ok(fd.into())
    }

    /// Appends to a file (0600, made if absent) and waits for the disk. A line of a killed writer
    /// may be incomplete; the next one begins on a line of its own.
    pub fn append(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.path.join(name);
        let failed =
            |source: io::Error| FileError { doing: "appending to", path: path.clone(), source };
        let flags =
            OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let flags = flags | OFlags::NONBLOCK; // for a fifo in the file's place
        let fd =
            rustix::fs::openat(&self.fd, name, flags, PRIVATE).map_err(|e| failed(e.into()))?;
        let mut file = File::from(fd);
        let size = file.metadata().map_err(failed)?.len();
        let mut last = [b'\n'];
        if size > 0 {
            file.read_exact_at(&mut last, size - 1).map_err(failed)?;
        }
        let line_end: &[u8] = if last == [b'\n'] { b"" } else { b"\n" };
        file.write_all(&[line_end, bytes].concat()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        if size == 0 { self.sync() } else { Ok(()) }
    }

    /// Writes into an existing file of the kernel's.
    pub fn write_in_place(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.path.join(name);
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())
            .map_err(|source| FileError::system("writing", &path, source))?;
        let written = File::from(fd).write_all(bytes);
        written.map_err(|source| FileError { doing: "writing", path, source })
    }

    /// Changes the mode of a regular file, not through a link.
    pub fn set_mode(&self, name: &str, mode: u32) -> Result<(), FileError> {
        let failed = |source: Errno| self.error("changing the mode of", name, source);
        let fd = rustix::fs::openat(&self.fd, name, READ, Mode::empty()).map_err(failed)?;
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode)).map_err(failed)
    }

    /// Removes a file or link that may be absent.
    pub fn remove(&self, name: impl AsRef<Path>) -> Result<(), FileError> {
        match rustix::fs::unlinkat(&self.fd, name.as_ref(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(source) => Err(self.error("removing", name, source)),
        }
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, name: impl AsRef<Path>) -> Result<(), FileError> {
        rustix::fs::unlinkat(&self.fd, name.as_ref(), AtFlags::REMOVEDIR)
            .map_err(|source| self.error("removing", name, source))
    }

    /// Makes the directory's entries durable.
    pub fn sync(&self) -> Result<(), FileError> {
        rustix::fs::fsync(&self.fd)
            .map_err(|source| FileError::system("syncing", &self.path, source))
    }

    pub(super) fn error(
        &self,
        doing: &'static str,
        name: impl AsRef<Path>,
        source: Errno,
    ) -> FileError {
        FileError::system(doing, self.path.join(name), source)
    }
}

/// Reads a file by path with the refusals of [`Dir::read`], but of any owner and through links: for
/// files of the system and files that users name on their own command line. What root acts on is read
/// by [`super::trusted_path::read`].
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::system("reading", path, source);
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
    let stat = rustix::fs::fstat(&fd).map_err(failed)?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(FileError::refused("reading", path, "not a regular file"));
    }
    read_bounded(fd.into(), size(&stat), path, limit, Excess::Refused)
}

/// Whether this process may make a directory its working directory.
pub fn may_enter(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

pub fn may_read(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok()
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

pub(super) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// What happens to the bytes of a file beyond the limit.
#[derive(Clone, Copy)]
pub(super) enum Excess {
    Refused,
    LeftUnread,
}

pub(super) fn read_bounded(
    file: File,
    size: u64,
    path: &Path,
    limit: u64,
    excess: Excess,
) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0) + 1);
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|source| FileError { doing: "reading", path: path.to_owned(), source })?;
    if bytes.len() as u64 > limit {
        match excess {
            Excess::Refused => {
                let why = format!("larger than {limit} bytes");
                return Err(FileError::refused("reading", path, why));
            }
            Excess::LeftUnread => bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX)),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fs::Existing;

    fn dir() -> (tempfile::TempDir, Dir) {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        (root, dir)
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
        assert_eq!(dir.read_end("file", 4).unwrap(), b"2345");
        assert!(dir.read("absent", 4).unwrap_err().is_not_found());
    }

    #[test]
    fn a_directory_behind_a_link_is_refused() {
        let (root, dir) = dir();
        std::os::unix::fs::symlink("/etc", root.path().join("link")).unwrap();
        assert!(dir.open_dir("link").is_err());
    }
}
