//! What was written last: how a person's change is told from the file's and the host's (pure).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `/var/lib/terminal-lobby/applied/machine.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Record {
    /// Hashes of files by path.
    pub hashes: BTreeMap<String, String>,
    /// Packages, tools and trees by the name of their change, with what was done: a version, a mode.
    pub made: BTreeMap<String, String>,
    /// What was begun and not finished, by the name of its change: the hash of a file, a version.
    pub unfinished: BTreeMap<String, String>,
}

impl Record {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it: without it a person's changes could not be told.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }

    /// Whether this is what was written at `path`, by the last run or by one that was killed; `None`
    /// when nothing was ever written there.
    pub fn is_ours(&self, path: &str, id: &str, hash: &str) -> Option<bool> {
        let begun = self.unfinished.get(id).is_some_and(|begun| begun == hash);
        match self.hashes.get(path) {
            Some(last) => Some(begun || last == hash),
            None => begun.then_some(true),
        }
    }
}
