//! A directory for what an account of no other purpose does: installing a version, a trial of it. Nothing of the
//! account's is left when it is dropped, neither a process nor a file.

use crate::sys::Dir;
use crate::sys::accounts::{self, Account};
use crate::sys::fs::{self, Attributes, FileError, random_hex, set_directory, trusted_path, walk};
use crate::sys::process::orphans;
use crate::sys::process::signal_all::{AccountUids, kill_all};
use crate::t3::enforce::error::EnforceError;
use crate::t3::paths::Paths;
use std::path::PathBuf;

/// Maximum number of directories that killed runs can have left.
const MAX_LEFT: usize = 1000;

/// The directory. The account's home is in it.
#[derive(Debug)]
pub struct Scratch {
    parent: Dir,
    name: String,
    account: Account,
}

impl Scratch {
    /// Makes one (0700, the account's), on a disk: a temporary file system may be too small.
    pub fn new(paths: &Paths, account: &Account) -> Result<Self, EnforceError> {
        orphans::adopt_orphans()
            .map_err(|source| EnforceError::Io { doing: "adopting orphans", source })?;
        let parent = parent(paths)?;
        let name = random_hex();
        let dir = parent.ensure_dir(&name)?;
        let (uid, gid) = (account.uid.as_raw(), account.gid.as_raw());
        set_directory(&dir, Attributes { uid, gid, mode: 0o700 })?;
        let account = Account { home: dir.path().to_owned(), ..account.clone() };
        Ok(Self { parent, name, account })
    }

    /// The account, whose home is the directory.
    pub fn account(&self) -> &Account {
        &self.account
    }

    pub fn path(&self) -> PathBuf {
        self.parent.path().join(&self.name)
    }

    /// Opens it.
    pub fn dir(&self) -> Result<Dir, FileError> {
        self.parent.open_dir(&self.name)
    }

    /// Ends every process of the account.
    pub fn end_processes(&self) {
        end_all(&self.account);
    }

    /// Makes a directory (0700) of the account's in it.
    pub fn make_dir(&self, name: &str) -> Result<Dir, FileError> {
        let dir = self.dir()?.ensure_dir(name)?;
        let (uid, gid) = (self.account.uid.as_raw(), self.account.gid.as_raw());
        set_directory(&dir, Attributes { uid, gid, mode: 0o700 })?;
        Ok(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.end_processes();
        if let Err(error) = walk::remove(&self.parent, &self.name) {
            tracing::warn!(%error, "removing a scratch directory");
        }
    }
}

/// The account for trials: never root, and no user's.
pub fn account(name: &str, users: &[&str]) -> Result<Account, EnforceError> {
    let account = accounts::by_name(name)?;
    if account.uid.is_root() || users.contains(&name) {
        return Err(EnforceError::TrialAccount(name.to_owned()));
    }
    Ok(account)
}

/// Removes what killed runs left, processes first. The caller holds the lock of runs.
pub fn clean(paths: &Paths, account: &Account) -> Result<(), EnforceError> {
    end_all(account);
    let parent = parent(paths)?;
    for name in parent.names(MAX_LEFT)?.unwrap_or_default() {
        if let Some(name) = name.to_str() {
            walk::remove(&parent, name)?;
        }
    }
    Ok(())
}

fn end_all(account: &Account) {
    let uids = AccountUids { uid: account.uid.as_raw(), ranges: Vec::new() };
    orphans::reap_orphans(account.uid);
    match kill_all(&uids, &mut |_| ()) {
        Ok(left) if left.is_empty() => {}
        Ok(left) => tracing::warn!(left = left.len(), "processes of the trial still run"),
        Err(error) => tracing::warn!(%error, "ending the processes of the trial"),
    }
    orphans::reap_orphans(account.uid);
}

fn parent(paths: &Paths) -> Result<Dir, FileError> {
    let dir = trusted_path::ensure_dir(&paths.root().join("var/lib/t3-trial"))?;
    fs::set_mode(&dir, 0o711)?;
    Ok(dir)
}
