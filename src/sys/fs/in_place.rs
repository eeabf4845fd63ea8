//! Changes to a file where it is: appending, and its mode.

use super::{Dir, FileError, PRIVATE, READ, error};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

impl Dir {
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
        let fd = rustix::fs::openat(&self.fd, name, READ, Mode::empty()).map_err(failed)?;
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode)).map_err(failed)
    }
}
