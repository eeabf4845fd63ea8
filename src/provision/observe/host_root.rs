//! Reads root's files below an injected root directory; no link is followed, no file of a home read.

use super::observed::File;
use crate::sys::{Dir, FileError, fs};
use crate::text::io_reason;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Maximum size of a file that is read here, in bytes.
const MAX: u64 = 16 << 20;
/// Maximum number of entries of a directory that is listed here.
const MAX_NAMES: usize = 100_000;

/// The directory that the host is read from.
pub(super) struct HostRoot<'a> {
    /// `/`, or a directory with the files of a host.
    pub(super) root: &'a Path,
}

impl HostRoot<'_> {
    /// Where a path of the host is.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// What is at a path, not following a link.
    pub(super) fn stat(&self, path: &str) -> Result<Option<std::fs::Metadata>, FileError> {
        let path = self.at(path);
        match path.symlink_metadata() {
            Ok(meta) => Ok(Some(meta)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FileError { doing: "inspecting", path, source }),
        }
    }

    /// A file that must be there.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        fs::read(&self.at(path), MAX)
    }

    /// A file that may be absent.
    pub(super) fn optional(&self, path: &str) -> Result<Option<Vec<u8>>, FileError> {
        match self.read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A file that may have to be written. One that cannot be read is a fact like others; a link is not
    /// followed, since a rename would replace it.
    pub(super) fn file(&self, path: &str) -> Option<File> {
        let unknown = |error: &FileError| File::Unknown(io_reason(&error.source));
        let meta = match self.stat(path) {
            Ok(meta) => meta?,
            Err(error) => return Some(unknown(&error)),
        };
        if meta.is_symlink() {
            return Some(File::Unknown("a link: not followed".to_owned()));
        }
        Some(match self.read(path) {
            Ok(bytes) => File::Read { bytes, mode: meta.mode() & 0o7777 },
            Err(error) => unknown(&error),
        })
    }

    /// The names in a directory, sorted; none when it is absent.
    pub(super) fn names(&self, path: &str) -> Result<Vec<String>, FileError> {
        let path = self.at(path);
        let dir = match Dir::open(&path) {
            Ok(dir) => dir,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let many = || FileError::refused("listing", &path, format!("more than {MAX_NAMES} names"));
        let names = dir.names(MAX_NAMES)?.ok_or_else(many)?;
        let mut names: Vec<String> =
            names.into_iter().filter_map(|name| name.into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// Where a link points.
    pub(super) fn link(&self, path: &str) -> Option<PathBuf> {
        self.at(path).read_link().ok()
    }
}
