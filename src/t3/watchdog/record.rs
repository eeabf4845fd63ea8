//! What the watchdog counted since the host was started: `/run/t3/watchdog.json`.

use super::decide::Record;
use crate::sys::fs::{Existing, FileError, trusted_path};
use crate::sys::locks::{self, Lock};
use crate::t3::paths::Paths;
use crate::text::shown;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

const FILE: &str = "watchdog.json";
const LOCK: &str = "watchdog.lock";
/// Maximum size of the file, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// What is on record, by user.
pub type Records = BTreeMap<String, Record>;

/// Why nothing is known of what was counted.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {source}", shown(path))]
    Invalid { path: PathBuf, source: serde_json::Error },
    #[error("writing what was counted: {0}")]
    Json(serde_json::Error),
}

/// Reads the records; none if there are none yet.
///
/// # Errors
/// If they are not root's own, or not of their form.
pub fn read(paths: &Paths) -> Result<Records, RecordError> {
    let path = paths.run().join(FILE);
    let bytes = match trusted_path::read_as_caller(&path, MAX_FILE) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(Records::new()),
        Err(error) => return Err(error.into()),
    };
    serde_json::from_slice(&bytes).map_err(|source| RecordError::Invalid { path, source })
}

/// Replaces the records.
pub fn write(paths: &Paths, records: &Records) -> Result<(), RecordError> {
    let text = serde_json::to_vec(records).map_err(RecordError::Json)?;
    let dir = trusted_path::ensure_dir(&paths.run())?;
    Ok(dir.write_as(FILE, &text, Existing::Replaced, 0o644)?)
}

/// Excludes other runs.
///
/// # Errors
/// [`FileError::is_timeout`] if there is one.
pub fn lock(paths: &Paths) -> Result<Lock, FileError> {
    locks::exclusive(&trusted_path::ensure_dir(&paths.run())?, LOCK, Duration::ZERO)
}
