//! The files of the watch, as bytes: what is in them is known to `persist::watch`.

use super::{MAX_LINES, Store};
use crate::sys::fs::{Existing, FileError};
use crate::sys::locks::{self, Lock};
use std::time::Duration;

pub(super) const WATCH_LOCK: &str = "watch.lock";
pub(super) const DEATHS_LOCK: &str = "deaths.lock";

/// A file of the watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchFile {
    /// What is waited for.
    Watched,
    /// What ended and is not settled.
    Deaths,
    /// What came back how often.
    Comebacks,
}

impl WatchFile {
    /// Its name in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Watched => "watched.tsv",
            Self::Deaths => "deaths.tsv",
            Self::Comebacks => "comebacks.tsv",
        }
    }
}

impl Store {
    /// The right to be the user's one watch, without waiting for it.
    pub fn watch_lock(&self) -> Result<Lock, FileError> {
        locks::exclusive(&self.dir, WATCH_LOCK, Duration::ZERO)
    }

    /// Whether a watch runs for this user.
    pub fn is_watched(&self) -> bool {
        let exists = self.dir.has_file(WATCH_LOCK).unwrap_or(false);
        exists && self.watch_lock().is_err_and(|error| error.is_timeout())
    }

    /// Excludes other changes of the deaths.
    pub fn deaths_lock(&self) -> Result<Lock, FileError> {
        const PATIENCE: Duration = Duration::from_secs(5);
        locks::exclusive(&self.dir, DEATHS_LOCK, PATIENCE)
    }

    /// Reads a file of the watch; empty if it is missing.
    pub fn read_watch_file(&self, file: WatchFile) -> Result<Vec<u8>, FileError> {
        match self.dir.read(file.name(), MAX_LINES) {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            read => read,
        }
    }

    /// Replaces a file of the watch.
    pub fn write_watch_file(&self, file: WatchFile, bytes: &[u8]) -> Result<(), FileError> {
        match self.dir.write(file.name(), bytes, Existing::Replaced) {
            // The process that has just taken the store's lock removed our temporary file as a leftover.
            Err(error) if error.is_not_found() => {
                self.dir.write(file.name(), bytes, Existing::Replaced)
            }
            written => written,
        }
    }
}
