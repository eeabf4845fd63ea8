//! Whole directories: made, moved, removed.

use super::{Dir, FileError, error};
use rustix::fs::{Mode, RenameFlags};
use std::ffi::OsStr;

impl Dir {
    /// Makes a directory, where nothing may be, with the mode that the umask leaves.
    pub fn make_dir(&self, name: &str) -> Result<(), FileError> {
        let mode = Mode::RWXU | Mode::RWXG | Mode::RWXO;
        rustix::fs::mkdirat(&self.fd, name, mode)
            .map_err(|source| error("making directory", self.path.join(name), source))?;
        self.sync()
    }

    /// Moves an entry into another directory of the same file system, to a name that nothing may have.
    pub fn move_to(&self, name: &OsStr, to: &Self, new_name: &OsStr) -> Result<(), FileError> {
        let path = || to.path.join(new_name);
        rustix::fs::renameat_with(&self.fd, name, &to.fd, new_name, RenameFlags::NOREPLACE)
            .map_err(|source| error("moving to", path(), source))?;
        to.sync()?;
        self.sync()
    }

    /// Moves an entry into another directory of the same file system, where nothing may have its
    /// name.
    pub fn rename_into(&self, name: &OsStr, to: &Self) -> Result<(), FileError> {
        self.move_to(name, to, name)
    }

    /// Removes a directory with all that is in it, following no link. Only for a process that is the
    /// user whose directory it is.
    pub fn remove_tree(&self, name: &str) -> Result<(), FileError> {
        let path = self.path.join(name);
        std::fs::remove_dir_all(&path).map_err(|source| FileError {
            doing: "removing",
            path,
            source,
        })
    }
}
