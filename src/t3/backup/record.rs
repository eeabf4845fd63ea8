//! Root's own record of a user's backups: `/var/lib/t3/backup/USER.json`. What the user's directory says of itself
//! may be changed by the user; this is what it was.

use super::BackupError;
use super::id::BackupId;
use super::place;
use super::protocol::Kind;
use crate::sys::clock::Epoch;
use crate::sys::fs::{Dir, Existing};
use crate::t3::paths::Paths;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Maximum size of a record, in bytes.
const MAX: u64 = 1 << 20;

/// What is on record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Record {
    /// The newest good one.
    pub good: Option<Good>,
    /// The last attempt, if it failed.
    pub failed: Option<Attempt>,
    /// The backup of the running change of the version.
    pub protected: Option<BackupId>,
    /// The hashes of the manifests.
    pub sha256: BTreeMap<BackupId, String>,
}

/// A good backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Good {
    pub id: BackupId,
    /// When it was complete, in seconds since the epoch.
    pub time: Epoch,
    /// What it takes beside what it shares with the previous one, in bytes.
    pub bytes: u64,
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// In seconds since the epoch.
    pub time: Epoch,
    pub kind: Kind,
    /// Why; not escaped.
    pub why: String,
}

impl Record {
    /// Reads the record of a user; an empty one if there is none.
    pub fn read(state: &Dir, user: &str) -> Result<Self, BackupError> {
        let name = file(user);
        match state.read(&name, MAX) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|source| BackupError::Record { path: state.path().join(name), source }),
            Err(error) if error.is_not_found() => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes it (0600). The caller holds the user's lock.
    pub fn write(&self, state: &Dir, user: &str) -> Result<(), BackupError> {
        let name = file(user);
        let bytes = serde_json::to_vec_pretty(self)
            .map_err(|source| BackupError::Record { path: state.path().join(&name), source })?;
        Ok(state.write(&name, &bytes, Existing::Replaced)?)
    }
}

/// Reads records.
#[derive(Debug)]
pub struct RecordReader(Dir);

impl RecordReader {
    /// Opens root's directory of records.
    pub fn open(paths: &Paths) -> Result<Self, BackupError> {
        Ok(Self(place::state(paths)?))
    }

    /// The record of a user; an empty one if there is none.
    pub fn read(&self, user: &str) -> Result<Record, BackupError> {
        Record::read(&self.0, user)
    }
}

fn file(user: &str) -> String {
    format!("{user}.json")
}
