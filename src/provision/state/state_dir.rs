//! `/var/lib/terminal-lobby`: what was applied, the lock, and the receipts. A file is written only if it
//! changes.

use super::written::Written;
use crate::roster::Roster;
use crate::roster::edit::{Edit, EditError, edit};
use crate::roster::ports::Ledger;
use crate::sys::fs::{Existing, trusted_path};
use crate::sys::locks::{self, Lock};
use crate::sys::{Dir, FileError};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Maximum size of a record, in bytes.
const MAX: u64 = 16 << 20;
/// Number of receipts that are kept.
const MAX_RECEIPTS: usize = 500;
const RECEIPTS_DIR: &str = "receipts";

/// Why a record could not be written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("writing {name}: {source}")]
    Json { name: String, source: serde_json::Error },
    #[error("writing the applied roster: {0}")]
    Roster(#[from] EditError),
}

/// The directory, locked for one run.
#[derive(Debug)]
pub struct State {
    dir: Dir,
    applied: Dir,
    _lock: Option<Lock>,
}

impl State {
    /// Opens and locks it for a run, as root; it is made if it is absent. Waits at most `wait` for
    /// another run to end.
    ///
    /// # Errors
    /// Users other than root could change it, or another run is in progress.
    pub fn open(path: &Path, wait: Duration) -> Result<Self, FileError> {
        let dir = trusted_path::ensure_dir(path)?;
        let lock = locks::exclusive(&dir, "lock", wait)?;
        let applied = dir.ensure_dir("applied")?;
        Ok(Self { dir, applied, _lock: Some(lock) })
    }

    /// Opens it while another run holds the lock: for what must not wait.
    ///
    /// # Errors
    /// Users other than root could change it.
    pub fn open_unlocked(path: &Path) -> Result<Self, FileError> {
        let dir = trusted_path::ensure_dir(path)?;
        let applied = dir.ensure_dir("applied")?;
        Ok(Self { dir, applied, _lock: None })
    }

    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// A file of what was applied last; `None` if it is absent.
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

    pub(crate) fn ports(&self, t3: &Ledger, playwright: &Ledger) -> Result<(), StateError> {
        self.json("ports.json", t3)?;
        self.json("playwright-ports.json", playwright)
    }

    pub(crate) fn written(&self, written: &Written) -> Result<(), StateError> {
        self.json("written.json", written)
    }

    pub(crate) fn roster(&self, roster: &Roster) -> Result<(), StateError> {
        let rows = Edit { add: roster.users.clone(), comment_out: BTreeMap::new() };
        let text = edit(b"", &rows)?;
        self.put("roster.yaml", &text)
    }

    /// Keeps the receipt of a run, and removes the oldest ones beyond [`MAX_RECEIPTS`].
    pub(crate) fn receipt(
        &self,
        run: &str,
        receipt: &impl serde::Serialize,
    ) -> Result<(), StateError> {
        let name = format!("{run}.json");
        let text = serde_json::to_string(receipt)
            .map_err(|source| StateError::Json { name: name.clone(), source })?;
        let dir = self.dir.ensure_dir(RECEIPTS_DIR)?;
        dir.write(&name, (text + "\n").as_bytes(), Existing::Kept)?;
        let mut names = dir.names(usize::MAX)?.unwrap_or_default();
        names.sort();
        let spare = names.len().saturating_sub(MAX_RECEIPTS);
        Ok(names.iter().take(spare).try_for_each(|name| dir.remove(name))?)
    }

    fn json(&self, name: &str, value: &impl serde::Serialize) -> Result<(), StateError> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|source| StateError::Json { name: name.to_owned(), source })?;
        self.put(name, (text + "\n").as_bytes())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        match self.applied.read(name, MAX) {
            Ok(old) if old == bytes => Ok(()),
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(self.applied.write(name, bytes, Existing::Replaced)?),
        }
    }
}
