//! What is on record about versions: `/var/lib/t3/state.json`. A change that is going on is in it step by step, so that
//! the next run finishes or undoes what a killed one began.

use super::version::Version;
use crate::sys::clock::Epoch;
use crate::sys::fs::{Existing, FileError};
use crate::t3::lock::state_dir;
use crate::t3::paths::Paths;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const FILE: &str = "state.json";
/// Exists only during a change: the condition of the unit that resumes one after a boot.
const CHANGING: &str = "changing";
/// Maximum size of the file, in bytes.
const MAX_STATE: u64 = 16 << 20;

/// All that is on record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The last version to which every idle instance was changed with success.
    pub last_good: Option<Version>,
    /// The one before it.
    pub previous: Option<Version>,
    /// The version that is wanted.
    pub target: Option<Target>,
    /// Instances that are to be changed once they are idle.
    pub deferred: BTreeMap<String, Deferred>,
    /// The change that is going on.
    pub change: Option<Change>,
    /// How the last run ended.
    pub last_run: Option<LastRun>,
    /// The highest migration that each version knows, as far as it was seen.
    pub levels: BTreeMap<Version, i64>,
}

/// The version that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub version: Version,
    /// Since when a version is wanted that not every instance runs. A still newer target does not reset it.
    pub behind_since: Option<Epoch>,
}

/// An instance that is to be changed later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferred {
    pub to: Version,
    pub since: Epoch,
    pub why: String,
}

/// A change from one version to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What new instances ran before; `None` if there was no version.
    pub from: Option<Version>,
    pub to: Version,
    pub began: Epoch,
    /// The backups that were made before the first instance was changed.
    pub backups: BTreeMap<String, Prepared>,
    /// The instance that is being changed.
    pub user: Option<InFlight>,
}

/// A backup of a user before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    pub id: String,
    /// What the database said of its newest rows before the backup was made: if it still says so once the instance has
    /// stopped, nothing came after the backup.
    pub mark: String,
}

/// An instance that is being changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    pub user: String,
    /// The version that it ran before.
    pub from: Version,
    pub to: Version,
    /// The backup that an undoing restores; none yet before [`Step::Switching`].
    pub backup: Option<String>,
    pub step: Step,
}

/// How far the change of an instance is: the step that was about to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// It is stopped; if it is needed, another backup is made. The old version is still chosen.
    Stopping,
    /// The new version is chosen and started, and migrates the database.
    Switching,
    /// It has failed: stopped, data restored, old version chosen, started.
    Undoing,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    pub at: Epoch,
    pub outcome: String,
    pub message: String,
}

/// Why the record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path}: {source}")]
    Json { path: String, source: serde_json::Error },
}

impl State {
    /// Reads the record; an empty one if there is none.
    ///
    /// # Errors
    /// If it cannot be read: it must not be taken for empty then.
    pub fn read(paths: &Paths) -> Result<Self, StateError> {
        let bytes = match state_dir(paths)?.read(FILE, MAX_STATE) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(Self::default()),
            Err(error) => return Err(error.into()),
        };
        serde_json::from_slice(&bytes).map_err(|source| StateError::Json {
            path: paths.state().join(FILE).display().to_string(),
            source,
        })
    }

    /// Writes it, synced.
    pub fn write(&self, paths: &Paths) -> Result<(), StateError> {
        let dir = state_dir(paths)?;
        let failed = |source| StateError::Json {
            path: paths.state().join(FILE).display().to_string(),
            source,
        };
        let mut text = serde_json::to_vec_pretty(self).map_err(failed)?;
        text.push(b'\n');
        if self.change.is_some() {
            dir.write(CHANGING, b"", Existing::Replaced)?;
        }
        dir.write(FILE, &text, Existing::Replaced)?;
        if self.change.is_none() {
            dir.remove(CHANGING)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_a_broken_one_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::below(root.path());
        assert_eq!(State::read(&paths).unwrap(), State::default());
        let version: Version = "0.0.26".parse().unwrap();
        let user = InFlight {
            user: "ann".to_owned(),
            from: "0.0.24".parse().unwrap(),
            to: version.clone(),
            backup: None,
            step: Step::Stopping,
        };
        let change = Change {
            from: None,
            to: version.clone(),
            began: 7,
            backups: BTreeMap::new(),
            user: Some(user),
        };
        let mut state = State { change: Some(change), ..State::default() };
        state.levels.insert(version, 32);
        state.write(&paths).unwrap();
        assert_eq!(State::read(&paths).unwrap(), state);
        assert!(paths.state().join(CHANGING).exists());
        state.change = None;
        state.write(&paths).unwrap();
        assert!(!paths.state().join(CHANGING).exists());
        std::fs::write(paths.state().join(FILE), "{").unwrap();
        assert!(State::read(&paths).is_err());
    }
}
