//! `backup.json`: when each home was last backed up well to each repository, and when each repository was
//! last verified.

use super::BackupError;
use crate::provision::paths::STATE;
use crate::sys::Dir;
use crate::sys::clock::Epoch;
use crate::sys::fs::{Existing, trusted_path};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The file, in `/var/lib/terminal-lobby`.
const FILE: &str = "backup.json";
/// Maximum size of the file, in bytes.
const MAX: u64 = 16 << 20;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// By name, which holds no login.
    pub repositories: BTreeMap<String, RepositoryRecord>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RepositoryRecord {
    /// By user.
    pub homes: BTreeMap<String, Attempts>,
    pub verification: Attempts,
}

/// The last time that something went well, and the last failure since then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attempts {
    pub good: Option<Epoch>,
    pub failed: Option<Epoch>,
    /// Why it failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Attempts {
    /// Notes the outcome of an attempt: well, or why it failed.
    pub fn note(&mut self, now: Epoch, failure: Option<String>) {
        match failure {
            None => *self = Self { good: Some(now), ..Self::default() },
            Some(why) => (self.failed, self.why) = (Some(now), why),
        }
    }

    /// Whether the last good attempt is at most `hours` old.
    pub fn is_fresh(&self, now: Epoch, hours: u16) -> bool {
        self.good.is_some_and(|good| now.saturating_sub(good) <= u64::from(hours) * 3600)
    }
}

/// Reads the record; an empty one if there is none. It is for root to read.
pub fn read() -> Result<Record, BackupError> {
    match trusted_path::read(&Path::new(STATE).join(FILE), MAX) {
        Ok(bytes) => parse(&bytes),
        Err(error) if error.is_not_found() => Ok(Record::default()),
        Err(error) => Err(error.into()),
    }
}

fn parse(bytes: &[u8]) -> Result<Record, BackupError> {
    serde_json::from_slice(bytes).map_err(|source| BackupError::Record { name: FILE, source })
}

/// Writes the record (0600). The caller holds the lock of backups.
pub fn write(state: &Dir, record: &Record) -> Result<(), BackupError> {
    let bytes = serde_json::to_vec_pretty(record)
        .map_err(|source| BackupError::Record { name: FILE, source })?;
    Ok(state.write(FILE, &bytes, Existing::Replaced)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_the_last_good_time_and_a_success_ends_the_failure() {
        let mut attempts = Attempts::default();
        assert!(!attempts.is_fresh(100, 1));
        attempts.note(100, None);
        attempts.note(200, Some("the disk is full".to_owned()));
        assert_eq!((attempts.good, attempts.failed), (Some(100), Some(200)));
        assert!(attempts.is_fresh(3700, 1) && !attempts.is_fresh(3701, 1));
        let record = Record {
            repositories: [(
                "/srv/b".to_owned(),
                RepositoryRecord {
                    homes: [("ann".to_owned(), attempts.clone())].into(),
                    ..RepositoryRecord::default()
                },
            )]
            .into(),
        };
        assert_eq!(parse(&serde_json::to_vec(&record).unwrap()).unwrap(), record);
        attempts.note(300, None);
        assert_eq!(attempts, Attempts { good: Some(300), ..Attempts::default() });
        assert!(parse(b"{\"repositories\": {}, \"x\": 1}").is_err());
    }
}
