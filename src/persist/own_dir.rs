//! The user's own state directory, for what others than `save` keep there.

use crate::snapshot::store::Store;
use crate::sys::fs::{Dir, FileError};
use std::path::Path;

/// Opens `<state>/<user>`; where it is not there and `may_create`, makes it.
///
/// # Errors
/// If it is not there and only root may make it, or belongs to another user.
pub fn open(state: &Path, user: &str, may_create: bool) -> Result<Dir, FileError> {
    let own = state.join(user);
    let dir = match Dir::open(&own) {
        Err(error) if error.is_not_found() && may_create => {
            Store::create(state, user)?;
            Dir::open(&own)?
        }
        opened => opened?,
    };
    if dir.is_own()? {
        Ok(dir)
    } else {
        Err(FileError::refused("opening", own, "belongs to another user"))
    }
}
