//! Moving an entry of any kind from one directory into another, across file systems where it must
//! be; and files that are read and written a piece at a time.

use super::{Dir, FileError, PRIVATE, READ, TEMPORARY, error};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Timestamps, Uid};
use rustix::io::Errno;
use std::io::{self, Read, Write};

impl Dir {
    /// Moves `name` to `to_name` in another directory, where nothing may have that name. The entry
    /// itself is moved, whatever it is; to another file system a regular file of at most `limit`
    /// bytes is copied, with owner, mode and time, and then removed here.
    pub fn move_across(
        &self,
        name: &str,
        to: &Self,
        to_name: &str,
        limit: u64,
    ) -> Result<(), FileError> {
        match rustix::fs::renameat_with(&self.fd, name, &to.fd, to_name, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::XDEV) => self.copy_across(name, to, to_name, limit)?,
            Err(source) => return Err(error("moving to", to.path.join(to_name), source)),
        }
        to.sync()?;
        self.sync()
    }

    fn read_any(&self, name: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        let path = self.path.join(name);
        let failed = |source| FileError { doing: "reading", path: path.clone(), source };
        let mut bytes = Vec::new();
        self.open_file(name)?.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    fn copy_across(
        &self,
        name: &str,
        to: &Self,
        to_name: &str,
        limit: u64,
    ) -> Result<(), FileError> {
        let (path, target) = (self.path.join(name), to.path.join(to_name));
        let failed = |source: Errno| error("copying", &path, source);
        let from = rustix::fs::openat(&self.fd, name, READ, Mode::empty()).map_err(failed)?;
        let stat = rustix::fs::fstat(&from).map_err(failed)?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(FileError::refused("copying", path, "not a regular file"));
        }
        if to.stat(to_name)?.is_some() {
            // What a killed try copied and did not remove here yet.
            let same = to.read_any(to_name, limit)? == self.read_any(name, limit)?;
            return if same {
                self.remove(name)
            } else {
                Err(error("moving to", target, Errno::EXIST))
            };
        }
        // Always the same one, so that a killed try leaves no more than the next one clears away.
        let temporary = format!("{TEMPORARY}{to_name}");
        to.remove(&temporary)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let made = rustix::fs::openat(&to.fd, &temporary, flags | OFlags::CLOEXEC, PRIVATE)
            .map_err(|source| error("making", &target, source))?;
        let copy = || -> io::Result<()> {
            let mut made = std::fs::File::from(made);
            let mut bytes = std::fs::File::from(from).take(limit + 1);
            if io::copy(&mut bytes, &mut made)? > limit {
                return Err(io::Error::other(format!("larger than {limit} bytes")));
            }
            let owner = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
            rustix::fs::fchown(&made, Some(owner.0), Some(owner.1))?;
            rustix::fs::fchmod(&made, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
            let time = |seconds, nanoseconds: u64| rustix::fs::Timespec {
                tv_sec: seconds,
                tv_nsec: nanoseconds.try_into().unwrap_or(0),
            };
            let times = Timestamps {
                last_access: time(stat.st_atime, stat.st_atime_nsec),
                last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
            };
            rustix::fs::futimens(&made, &times)?;
            made.sync_all()
        };
        let copied = copy().map_err(|source| FileError { doing: "copying", path, source });
        let renamed = copied.and_then(|()| {
            rustix::fs::renameat_with(&to.fd, &temporary, &to.fd, to_name, RenameFlags::NOREPLACE)
                .map_err(|source| error("moving to", &target, source))
        });
        if renamed.is_err() {
            let _ = rustix::fs::unlinkat(&to.fd, &temporary, AtFlags::empty());
        }
        renamed?;
        to.sync()?;
        self.remove(name)
    }

    /// Makes a new file (0600) for writing, where nothing is.
    pub fn create_new(&self, name: &str) -> Result<std::fs::File, FileError> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, PRIVATE)
            .map_err(|source| error("making", self.path.join(name), source))?;
        Ok(std::fs::File::from(fd))
    }

    /// Opens a regular file for reading, not through a link.
    pub fn open_file(&self, name: &str) -> Result<std::fs::File, FileError> {
        let path = self.path.join(name);
        let failed = |source: Errno| error("reading", &path, source);
        let fd = rustix::fs::openat(&self.fd, name, READ, Mode::empty()).map_err(failed)?;
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(FileError::refused("reading", path, "not a regular file"));
        }
        Ok(std::fs::File::from(fd))
    }

    /// Writes into a file that the kernel offers, as it is.
    pub fn write_in_place(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.path.join(name);
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())
            .map_err(|source| error("writing", &path, source))?;
        let written = std::fs::File::from(fd).write_all(bytes);
        written.map_err(|source| FileError { doing: "writing", path, source })
    }
}
