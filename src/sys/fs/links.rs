//! Symbolic and hard links, and renaming within a directory.

use super::{Dir, FileError};
use rustix::fs::{AtFlags, RenameFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

impl Dir {
    /// Where the link at `name` points; `None` if no link is there.
    pub fn link_target(&self, name: &str) -> Result<Option<OsString>, FileError> {
        match rustix::fs::readlinkat(self.fd(), name, Vec::new()) {
            Ok(target) => Ok(Some(OsString::from_vec(target.into_bytes()))),
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(source) => Err(self.error("reading link", name, source)),
        }
    }

    /// Makes `name` a link to `target` unless something is there. One system call, so that a kill
    /// leaves nothing behind in a directory that has no lock.
    pub fn ensure_link(&self, name: &str, target: &OsStr) -> Result<(), FileError> {
        match rustix::fs::symlinkat(target, self.fd(), name) {
            Ok(()) => self.sync(),
            Err(Errno::EXIST) => Ok(()),
            Err(source) => Err(self.error("linking", name, source)),
        }
    }

    /// Makes `name` a link to `target`, and fixes a link there that leads elsewhere. What is no link stays.
    pub fn point_link(&self, name: &str, target: &OsStr) -> Result<(), FileError> {
        match self.link_target(name)? {
            Some(found) if found == target => Ok(()),
            Some(_) => self.write_link(name, target),
            None => self.ensure_link(name, target),
        }
    }

    /// Makes `name` a link to `target`; replaces a link or file there in one step.
    pub fn write_link(&self, name: &str, target: &OsStr) -> Result<(), FileError> {
        let temporary = shared::atomic::temporary_name();
        rustix::fs::symlinkat(target, self.fd(), &temporary)
            .map_err(|source| self.error("linking", name, source))?;
        let renamed = self.rename(&temporary, name, RenameFlags::empty());
        if renamed.is_err() {
            let _ = rustix::fs::unlinkat(self.fd(), &temporary, AtFlags::empty());
        }
        renamed?;
        self.sync()
    }

    /// Gives a file of another directory the same name here, where nothing has it yet; whether
    /// it did. A missing file, or a file system without hard links, is no error.
    pub fn link_from(&self, other: &Self, name: impl AsRef<Path>) -> Result<bool, FileError> {
        let name = name.as_ref();
        match rustix::fs::linkat(other.fd(), name, self.fd(), name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST | Errno::NOENT | Errno::PERM | Errno::MLINK | Errno::OPNOTSUPP) => {
                Ok(false)
            }
            Err(source) => Err(self.error("linking", name, source)),
        }
    }

    /// Renames within the directory to where nothing may be, and makes that durable.
    pub fn place(&self, from: &str, to: &str) -> Result<(), FileError> {
        self.rename(from, to, RenameFlags::NOREPLACE)?;
        self.sync()
    }

    /// Renames within the directory; the caller syncs it.
    pub fn rename(&self, from: &str, to: &str, flags: RenameFlags) -> Result<(), FileError> {
        rustix::fs::renameat_with(self.fd(), from, self.fd(), to, flags)
            .map_err(|source| self.error("renaming to", to, source))
    }
}
