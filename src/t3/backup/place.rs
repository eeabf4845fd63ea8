//! Where a user's backups are: a directory of root's in which each user has one that is theirs alone.
//!
//! The user's process writes and reads there with the user's rights, so nothing that a user puts there can lead root
//! anywhere: root opens nothing below it.

use crate::sys::accounts::Account;
use crate::sys::fs::{Attributes, Dir, FileError, set_directory, set_mode, trusted_path};
use crate::t3::lock;
use crate::t3::paths::Paths;
use rustix::fs::FileType;
use std::path::PathBuf;

/// Mode of the directory of all: users go through it, and see no names.
const MODE: u32 = 0o711;
/// The part of the state directory that has the records of backups.
const STATE: &str = "backup";

/// The user's directory of backups (0700, theirs); it is made if it is absent.
///
/// # Errors
/// If something else is there, or another account's.
pub(crate) fn of_user(paths: &Paths, account: &Account) -> Result<PathBuf, FileError> {
    let all = trusted_path::ensure_dir(&paths.backups())?;
    set_mode(&all, MODE)?;
    let name = account.name.as_str();
    let path = all.path().join(name);
    if let Some(stat) = all.stat(name)? {
        let why = if !FileType::from_raw_mode(stat.st_mode).is_dir() {
            "not a directory".to_owned()
        } else if stat.st_uid != account.uid.as_raw() {
            format!("belongs to uid {}, not to {name}", stat.st_uid)
        } else if stat.st_mode & 0o077 != 0 {
            format!("mode {:o}: others than {name} can use it", stat.st_mode & 0o7777)
        } else {
            return Ok(path);
        };
        return Err(FileError::refused("checking", path, why));
    }
    // Complete before it has its name.
    let temporary = format!(".new-{name}");
    match all.remove_dir(&temporary) {
        Err(error) if !error.is_not_found() => return Err(error),
        _ => {}
    }
    let made = all.ensure_dir(&temporary)?;
    let (uid, gid) = (account.uid.as_raw(), account.gid.as_raw());
    set_directory(&made, Attributes { uid, gid, mode: 0o700 })?;
    all.place(&temporary, name)?;
    Ok(path)
}

/// Root's directory of records (0700).
pub(crate) fn state(paths: &Paths) -> Result<Dir, FileError> {
    lock::state_dir(paths)?.ensure_dir(STATE)
}
