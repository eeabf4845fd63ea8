//! What failed with which path.

use crate::text::{io_reason, shown};
use rustix::io::Errno;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// What failed with which path.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}: {}", shown(path), io_reason(source))]
pub struct FileError {
    /// A participle: 'reading', 'renaming'.
    pub doing: &'static str,
    /// The path as it was opened; a directory above may have been renamed since.
    pub path: PathBuf,
    /// The system's error, or why it was refused.
    pub source: io::Error,
}

/// A file or directory that exists but is not what it must be.
#[derive(Debug)]
struct Refusal {
    why: String,
    /// Whether somebody other than root could have changed it.
    untrusted: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Refusal {}

impl FileError {
    /// An error for something that exists but is not what it must be.
    pub fn refused(doing: &'static str, path: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        let refusal = Refusal { why: why.into(), untrusted: false };
        Self { doing, path: path.into(), source: io::Error::other(refusal) }
    }

    /// An error for something that others than root could have changed.
    pub(crate) fn untrusted(path: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        let refusal = Refusal { why: why.into(), untrusted: true };
        Self { doing: "checking", path: path.into(), source: io::Error::other(refusal) }
    }

    pub(super) fn system(doing: &'static str, path: impl Into<PathBuf>, source: Errno) -> Self {
        Self { doing, path: path.into(), source: source.into() }
    }

    /// Whether nothing is at the path.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Whether something is already at the path.
    pub fn is_existing(&self) -> bool {
        self.source.kind() == io::ErrorKind::AlreadyExists
    }

    /// Whether another process held a lock for too long.
    pub fn is_timeout(&self) -> bool {
        self.source.kind() == io::ErrorKind::TimedOut
    }

    /// Whether it is larger than it may be.
    pub fn is_too_large(&self) -> bool {
        self.source.kind() == io::ErrorKind::FileTooLarge
    }

    /// Whether nothing can be written there: the file system is read-only or full, or the owner's quota is
    /// used up.
    pub fn is_unwritable(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        matches!(self.source.kind(), ReadOnlyFilesystem | StorageFull | QuotaExceeded)
    }

    /// Whether the path is not root's own (see [`super::trusted_path`]).
    pub fn is_untrusted(&self) -> bool {
        let refusal = self.source.get_ref().and_then(|source| source.downcast_ref::<Refusal>());
        refusal.is_some_and(|refusal| refusal.untrusted)
    }
}

impl From<FileError> for String {
    fn from(error: FileError) -> Self {
        error.to_string()
    }
}
