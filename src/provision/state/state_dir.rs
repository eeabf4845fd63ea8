//! `/var/lib/terminal-lobby`: what was applied, who is at it, and the receipts. Nothing is written
//! that is there already.

use super::receipt::Receipt;
use super::written::Written;
use crate::roster::Roster;
use crate::roster::edit::{Edit, edit};
use crate::roster::ports::Ledger;
use crate::sys::fs::{Existing, trusted_path};
use crate::sys::locks::{self, Lock};
use crate::sys::{Dir, FileError};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// No record is larger (bytes).
const MAX: u64 = 16 << 20;
/// So many receipts are kept.
const RECEIPTS: usize = 500;
/// Where they are.
const RECEIPTS_DIR: &str = "receipts";

/// The directory, with nobody else at it.
#[derive(Debug)]
pub struct State {
    dir: Dir,
    applied: Dir,
    _lock: Lock,
}

impl State {
    /// Opens it for a run, as root; it is made when it is absent. Another run is waited for as long as
    /// `wait`.
    ///
    /// # Errors
    /// When somebody else could change it, or another run is at it.
    pub fn open(path: &Path, wait: Duration) -> Result<Self, FileError> {
        let dir = trusted_path::ensure_state_dir(path)?;
        let lock = locks::exclusive(&dir, "lock", wait)?;
        let applied = dir.ensure_dir("applied")?;
        Ok(Self { dir, applied, _lock: lock })
    }

    /// The directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// A file of what was applied last; `None` when there is none.
    pub(super) fn applied(&self, name: &str) -> Result<Option<Vec<u8>>, FileError> {
        match self.applied.read(name, MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn replace_applied(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        self.applied.write(name, bytes, Existing::Replaced)
    }

    pub(crate) fn ports(&self, t3: &Ledger, playwright: &Ledger) -> Result<(), String> {
        self.json("ports.json", t3)?;
        self.json("playwright-ports.json", playwright)
    }

    pub(crate) fn written(&self, written: &Written) -> Result<(), String> {
        self.json("written.json", written)
    }

    pub(crate) fn roster(&self, roster: &Roster) -> Result<(), String> {
        let rows = Edit { add: roster.users.clone(), comment_out: BTreeMap::new() };
        let text = edit(b"", &rows).map_err(|error| format!("the applied roster: {error}"))?;
        self.put("roster.yaml", &text)
    }

    /// Keeps the receipt of a run that did something.
    pub(crate) fn receipt(&self, receipt: &Receipt) -> Result<(), String> {
        if receipt.is_empty() {
            return Ok(());
        }
        let keep = || {
            let dir = self.dir.ensure_dir(RECEIPTS_DIR)?;
            let text = serde_json::to_string(receipt).unwrap_or_default() + "\n";
            dir.write(&format!("{}.json", receipt.run), text.as_bytes(), Existing::Kept)?;
            let mut names = dir.names(usize::MAX)?.unwrap_or_default();
            names.sort();
            let spare = names.len().saturating_sub(RECEIPTS);
            names.iter().take(spare).try_for_each(|name| dir.remove(name))
        };
        keep().map_err(|error: FileError| error.to_string())
    }

    fn json(&self, name: &str, value: &impl serde::Serialize) -> Result<(), String> {
        let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())? + "\n";
        self.put(name, text.as_bytes())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let put = || match self.applied.read(name, MAX) {
            Ok(there) if there == bytes => Ok(()),
            Err(error) if !error.is_not_found() => Err(error),
            _ => self.applied.write(name, bytes, Existing::Replaced),
        };
        put().map_err(|error: FileError| error.to_string())
    }
}
