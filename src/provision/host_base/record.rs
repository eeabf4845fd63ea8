//! What was written last, by which a person's change is told from one of host.toml or of the host
//! (pure).

use crate::provision::state::written::RecordError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The beginning of the `id` of a change that puts lines into a file; its path follows.
pub(crate) const BLOCK_ID: &str = "block/";
/// The beginning of the `id` of a change that unpacks an archive; its path follows.
pub(crate) const UNPACK_ID: &str = "unpack/";
/// The beginning of the `id` of a change that makes a swap file; its path follows.
pub(crate) const SWAP_ID: &str = "swap/";

/// `/var/lib/terminal-lobby/applied/machine.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Record {
    /// Hashes of files by path.
    pub hashes: BTreeMap<String, String>,
    /// Packages, tools, members of archives, unpacked archives, links, lines in files, swap files and trees by the `id` of their change, with
    /// what was done: a version, a hash, a size, a mode.
    pub made: BTreeMap<String, String>,
    /// Unfinished changes, by `id`: the hash of a file, a version.
    pub unfinished: BTreeMap<String, String>,
}

impl Record {
    /// Reads the file.
    ///
    /// # Errors
    /// It is invalid: a person's changes could not be recognised.
    pub fn read(text: &[u8]) -> Result<Self, RecordError> {
        Ok(serde_json::from_slice(text)?)
    }

    /// Whether a file with this hash was written at `path` by the last run, or by one that was killed;
    /// `None` if nothing was ever written there.
    pub fn is_ours(&self, path: &str, id: &str, hash: &str) -> Option<bool> {
        let begun = self.unfinished.get(id).is_some_and(|begun| begun == hash);
        match self.hashes.get(path) {
            Some(last) => Some(begun || last == hash),
            None => begun.then_some(true),
        }
    }
}
