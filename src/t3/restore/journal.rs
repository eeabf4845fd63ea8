//! What is on record of a restore while it goes on: `/var/lib/t3/restore/USER.json`, so that the next run finishes it;
//! and `/var/lib/t3/restoring/USER`, which keeps the instance's unit from starting (`ConditionPathExists=!`).

use super::RestoreError;
use crate::sys::Dir;
use crate::sys::fs::{Existing, FileError};
use crate::t3::lock;
use crate::t3::paths::Paths;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const JOURNALS: &str = "restore";
const HOLDS: &str = "restoring";
/// Maximum size of a journal, in bytes.
const MAX: u64 = 64 << 10;
/// Maximum number of journals.
const MAX_JOURNALS: usize = 100_000;

/// A restore that goes on: all is ready, and the data are to be exchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    /// The directory, beside the present data, whose data take their place.
    pub(super) from: String,
    pub(super) stamp: String,
    /// Whether the instance ran.
    pub(super) ran: bool,
}

impl Journal {
    pub(super) fn read(paths: &Paths, user: &str) -> Result<Option<Self>, RestoreError> {
        let (dir, name) = (directory(paths, JOURNALS)?, file(user));
        match dir.read(&name, MAX) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|source| RestoreError::Journal { path: dir.path().join(name), source }),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn write(&self, paths: &Paths, user: &str) -> Result<(), RestoreError> {
        let (dir, name) = (directory(paths, JOURNALS)?, file(user));
        let bytes = serde_json::to_vec(self)
            .map_err(|source| RestoreError::Journal { path: dir.path().join(&name), source })?;
        Ok(dir.write(&name, &bytes, Existing::Replaced)?)
    }
}

/// Ends the record of a restore.
pub(super) fn close(paths: &Paths, user: &str) -> Result<(), FileError> {
    let dir = directory(paths, JOURNALS)?;
    dir.remove(file(user))?;
    dir.sync()
}

/// Keeps the instance from starting.
pub(super) fn hold(paths: &Paths, user: &str) -> Result<(), FileError> {
    directory(paths, HOLDS)?.write(user, b"", Existing::Replaced)
}

/// Lets the instance start again.
pub(super) fn let_go(paths: &Paths, user: &str) -> Result<(), FileError> {
    let dir = directory(paths, HOLDS)?;
    dir.remove(user)?;
    dir.sync()
}

/// The users whose restore was begun and has not ended.
pub fn unfinished(paths: &Paths) -> Result<Vec<String>, FileError> {
    let names = directory(paths, JOURNALS)?.names(MAX_JOURNALS)?.unwrap_or_default();
    let users = names.iter().filter_map(|name| name.to_str()?.strip_suffix(".json"));
    let mut users: Vec<String> =
        users.filter(|name| !name.starts_with('.')).map(str::to_owned).collect();
    users.sort();
    Ok(users)
}

/// The directory with a file for each user whose instance must not start.
pub fn hold_directory(paths: &Paths) -> PathBuf {
    paths.state().join(HOLDS)
}

fn directory(paths: &Paths, name: &str) -> Result<Dir, FileError> {
    lock::state_dir(paths)?.ensure_dir(name)
}

fn file(user: &str) -> String {
    format!("{user}.json")
}
