//! Which homes are backed up, and whether each may be.

use super::BackupError;
use super::restic::{Backup, Restic};
use crate::provision::state::applied::{self, AppliedError};
use crate::provision::state::state_dir::State;
use crate::sys::accounts;
use crate::sys::fs::trusted_path;
use rustix::fs::FileType;
use std::path::PathBuf;

/// The users whose homes are backed up: those of the applied roster.
pub fn users(state: &State) -> Result<Vec<String>, AppliedError> {
    let (roster, _) = applied::roster(state)?;
    Ok(roster.users.into_keys().collect())
}

/// The home of a user, checked: a directory of the user's in directories of root's, so that no user could
/// lead the path elsewhere.
pub fn home(user: &str) -> Result<PathBuf, BackupError> {
    let account = accounts::by_name(user)?;
    let path = account.home.clone();
    let refused = |why: &str| BackupError::Home { path: path.clone(), why: why.to_owned() };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(refused("not a home"));
    };
    if account.uid.is_root() {
        return Err(refused("root's home is not backed up"));
    }
    let parent = trusted_path::open_dir(parent)?;
    let stat = parent.stat(name)?.ok_or_else(|| refused("there is no home"))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Err(refused("not a directory"));
    }
    if stat.st_uid != account.uid.as_raw() {
        return Err(refused(&format!("belongs to uid {}, not to {user}", stat.st_uid)));
    }
    Ok(parent.path().join(name))
}

/// Backs up the home of a user.
pub fn backup(restic: &Restic<'_>, user: &str, host: &str) -> Result<Backup, BackupError> {
    restic.backup(user, &home(user)?, host)
}
