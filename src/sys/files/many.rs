//! Directories of many files that come and go together.

use super::{Dir, FileError, Kept, PRIVATE, error};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

impl Dir {
    /// Replaces one of many files; the caller syncs the directory when all are written. The file
    /// itself is synced: whenever its name appears, its content is whole.
    pub fn write_one_of_many(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let kept = Kept { mode: PRIVATE, synced: true };
        self.write_and_rename(name, bytes, RenameFlags::empty(), kept)
    }

    /// Gives a file of another directory the same name here, where nothing has it yet; whether
    /// it did. A file that is not there, or a file system without hard links, is no error.
    pub fn link_from(&self, other: &Self, name: &str) -> Result<bool, FileError> {
        match rustix::fs::linkat(&other.fd, name, &self.fd, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST | Errno::NOENT | Errno::PERM | Errno::MLINK | Errno::OPNOTSUPP) => {
                Ok(false)
            }
            Err(source) => Err(error("linking", self.path.join(name), source)),
        }
    }

    /// Appends to a file (0600, made when absent) and waits for the disk. A line of a killed writer
    /// may be cut short; the next one begins a line of its own.
    pub fn append(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.path.join(name);
        let failed =
            |source: io::Error| FileError { doing: "appending to", path: path.clone(), source };
        let flags =
            OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd =
            rustix::fs::openat(&self.fd, name, flags, PRIVATE).map_err(|e| failed(e.into()))?;
        let mut file = std::fs::File::from(fd);
        let size = file.metadata().map_err(failed)?.len();
        let mut last = [b'\n'];
        if size > 0 {
            file.read_exact_at(&mut last, size - 1).map_err(failed)?;
        }
        let torn: &[u8] = if last == [b'\n'] { b"" } else { b"\n" };
        file.write_all(&[torn, bytes].concat()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        if size == 0 { self.sync() } else { Ok(()) }
    }

    /// Changes the mode of a regular file, not through a link.
    pub fn set_mode(&self, name: &str, mode: u32) -> Result<(), FileError> {
        let failed = |source: Errno| error("changing the mode of", self.path.join(name), source);
        let fd = rustix::fs::openat(&self.fd, name, super::READ, Mode::empty()).map_err(failed)?;
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode)).map_err(failed)
    }
}
