//! The complete backups of a user, as the user's process finds them.

use super::BackupError;
use super::place;
use super::protocol::{Answer, Listed, Request};
use super::record::Record;
use super::take::ask;
use crate::sys::accounts;
use crate::t3::paths::Paths;
use crate::t3::user_process::AskError;
use std::path::PathBuf;
use std::time::Duration;

/// How long listing may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A user's backups, newest first, and what root has on record.
pub fn list(user: &str, paths: &Paths) -> Result<(Vec<Listed>, Record), BackupError> {
    let account = accounts::by_name(user)?;
    let record = Record::read(&place::state(paths)?, user)?;
    let request = Request::List { place: place::of_user(paths, &account)? };
    match ask(user, &request, DEADLINE)? {
        Answer::Listed(list) => Ok((list, record)),
        Answer::Failed { kind, message } => Err(BackupError::Failed { kind, message }),
        Answer::Made(_) => Err(AskError::Unexpected.into()),
    }
}

/// A user's directory of backups; it is made if it is absent.
pub fn place_of(user: &str, paths: &Paths) -> Result<PathBuf, BackupError> {
    Ok(place::of_user(paths, &accounts::by_name(user)?)?)
}
