//! The users who have an instance, by the table that root generates.

use super::paths::Paths;
use super::table::{self, MAX_TABLE, TableError};
use crate::sys::FileError;
use crate::sys::fs::trusted_path;
use crate::text::shown;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Why it is not known who has an instance.
#[derive(Debug, thiserror::Error)]
pub enum ServedError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {source}", shown(path))]
    Table { path: PathBuf, source: TableError },
}

/// Each user's port, by name; none if there is no table.
///
/// # Errors
/// If the table is not root's own, or not of its form.
pub fn ports(paths: &Paths) -> Result<BTreeMap<String, u16>, ServedError> {
    let path = paths.dispatch();
    let bytes = match trusted_path::read(&path, MAX_TABLE) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let rows = table::dispatch(&bytes).map_err(|source| ServedError::Table { path, source })?;
    Ok(rows.into_values().map(|one| (one.os_user, one.port)).collect())
}
