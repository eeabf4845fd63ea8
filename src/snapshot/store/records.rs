//! The records beside the snapshots: closed sessions, ended agents, activity, what panes wait for.

use super::{
    ACTIVITY, ENDINGS, ENDINGS_LOCK, FORGOTTEN, MAX_FILES, MAX_LINES, RESTORED, SUSPENDING, Store,
    UNRESTORED,
};
use crate::snapshot::activity::Activity;
use crate::snapshot::endings::Endings;
use crate::snapshot::suspending::Suspending;
use crate::snapshot::tombstones::Tombstones;
use crate::snapshot::unrestored::Unrestored;
use crate::sys::fs::{Existing, FileError};
use crate::sys::locks::{self, Lock};
use crate::text::shown;
use std::path::Path;
use std::time::Duration;

/// Maximum size of the record of activity, in bytes.
const MAX_ACTIVITY: u64 = 64 << 10;
/// Conversations with their last activity and title, in [`RESTORED`].
const WAITING: &str = "waiting.tsv";

impl Store {
    /// Reads the tombstones; lines that do not parse are named in `notes`.
    pub fn tombstones(&self, notes: &mut Vec<String>) -> Result<Tombstones, FileError> {
        self.read_lines(FORGOTTEN, Tombstones::decode, notes)
    }

    /// Replaces the tombstones. The lock is held.
    pub fn write_tombstones(&self, tombstones: &Tombstones, _lock: &Lock) -> Result<(), FileError> {
        self.dir.write(FORGOTTEN, &tombstones.encode(), Existing::Replaced)
    }

    /// Reads how agents ended; lines that do not parse are named in `notes`.
    pub fn endings(&self, notes: &mut Vec<String>) -> Result<Endings, FileError> {
        self.read_lines(ENDINGS, Endings::decode, notes)
    }

    /// Changes the record of endings, under a lock of its own: an agent's launcher cannot wait for a save
    /// that a hung server delays.
    pub fn change_endings(
        &self,
        wait: Duration,
        notes: &mut Vec<String>,
        change: impl FnOnce(&mut Endings),
    ) -> Result<(), FileError> {
        const TRIES: usize = 3;
        let _lock = locks::exclusive(&self.dir, ENDINGS_LOCK, wait)?;
        let mut endings = self.endings(notes)?;
        change(&mut endings);
        let bytes = endings.encode();
        let mut written = Ok(());
        for _ in 0..TRIES {
            written = self.dir.write(ENDINGS, &bytes, Existing::Replaced);
            // The process that has just taken the store's lock removed our temporary file as a leftover.
            if !written.as_ref().is_err_and(FileError::is_not_found) {
                break;
            }
        }
        written
    }

    /// Reads what was last done. It is only informative: a missing file reads as empty, and so does one
    /// that is incomplete or cannot be read, which is named in `notes`.
    pub fn activity(&self, notes: &mut Vec<String>) -> Activity {
        let path = self.dir.path().join(ACTIVITY);
        match self.dir.read(ACTIVITY, MAX_ACTIVITY).map(|text| Activity::decode(&text)) {
            Ok(Some((activity, bad))) => {
                notes.extend(bad.into_iter().map(|line| skipped(&path, line)));
                activity
            }
            Ok(None) => {
                notes.push(format!("skipped: {}: incomplete", shown(&path)));
                Activity::default()
            }
            Err(error) if error.is_not_found() => Activity::default(),
            Err(error) => {
                notes.push(format!("skipped: {error}"));
                Activity::default()
            }
        }
    }

    /// Changes what was last done. No lock is needed: if two processes do so at once, one may be lost.
    pub fn record(&self, notes: &mut Vec<String>, change: impl FnOnce(&mut Activity)) {
        let mut activity = self.activity(notes);
        change(&mut activity);
        let bytes = activity.encode();
        let written = match self.dir.write_hint(ACTIVITY, &bytes) {
            // The process that has just taken the lock removed our temporary file as a leftover.
            Err(error) if error.is_not_found() => self.dir.write_hint(ACTIVITY, &bytes),
            written => written,
        };
        notes.extend(written.err().map(|error| format!("not recorded: {error}")));
    }

    /// Reads what restores could not bring back. A file that cannot be read is named in `notes`.
    pub fn unrestored(&self, notes: &mut Vec<String>) -> Unrestored {
        match self.read_lines(UNRESTORED, Unrestored::decode, notes) {
            Ok(unrestored) => unrestored,
            Err(error) => {
                notes.push(format!("skipped: {error}"));
                Unrestored::default()
            }
        }
    }

    /// Replaces the record of what restores could not bring back. The lock is held.
    pub fn write_unrestored(&self, unrestored: &Unrestored, _lock: &Lock) -> Result<(), FileError> {
        self.dir.write(UNRESTORED, &unrestored.encode(), Existing::Replaced)
    }

    /// Reads which conversations are being suspended. A file that cannot be read is named in `notes`.
    pub fn suspending(&self, notes: &mut Vec<String>) -> Suspending {
        match self.read_lines(SUSPENDING, Suspending::decode, notes) {
            Ok(suspending) => suspending,
            Err(error) => {
                notes.push(format!("skipped: {error}"));
                Suspending::default()
            }
        }
    }

    /// Replaces the record of conversations that are being suspended. The lock is held.
    pub fn write_suspending(&self, suspending: &Suspending, _lock: &Lock) -> Result<(), FileError> {
        self.dir.write(SUSPENDING, &suspending.encode(), Existing::Replaced)
    }

    /// Writes a text for the panes of a restore, into the directory in which they also lock files.
    pub fn leave_for_panes(&self, text: &[u8], _lock: &Lock) -> Result<(), FileError> {
        let dir = self.dir.ensure_dir(RESTORED)?;
        if let Some(names) = dir.names(MAX_FILES)? {
            dir.remove_temporaries(&names)?;
        }
        dir.write(WAITING, text, Existing::Replaced)
    }

    /// Reads a file of lines that may be missing; invalid lines are skipped and named.
    fn read_lines<T: Default>(
        &self,
        name: &str,
        decode: impl Fn(&[u8]) -> (T, Vec<usize>),
        notes: &mut Vec<String>,
    ) -> Result<T, FileError> {
        let text = match self.dir.read(name, MAX_LINES) {
            Ok(text) => text,
            Err(error) if error.is_not_found() => return Ok(T::default()),
            Err(error) => return Err(error),
        };
        let (read, bad) = decode(&text);
        let path = self.dir.path().join(name);
        notes.extend(bad.into_iter().map(|line| skipped(&path, line)));
        Ok(read)
    }
}

fn skipped(file: &Path, line: usize) -> String {
    format!("skipped: {}: line {line}", shown(file))
}
