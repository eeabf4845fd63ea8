//! Directories of many files that come and go together.

use super::{Dir, FileError, Kept, PRIVATE, error};
use rustix::fs::{AtFlags, RenameFlags};
use rustix::io::Errno;

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
}
