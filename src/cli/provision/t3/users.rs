//! Which users a verb is about.

use crate::cli::exit::Failure;
use crate::sys::FileError;
use crate::t3::lock;
use crate::t3::paths::Paths;
use crate::t3::served;
use crate::text::shown;
use std::time::Duration;

/// How long another change of a user's instance is waited for.
const WAIT: Duration = Duration::from_mins(20);

/// The named users, each of whom must have an instance; all who have one if none is named.
pub(super) fn selected(paths: &Paths, named: &[String]) -> Result<Vec<String>, Failure> {
    let all = served::ports(paths).map_err(Failure::failed)?;
    if let Some(unknown) = named.iter().find(|user| !all.contains_key(*user)) {
        return Err(Failure::usage(format!("'{}' has no instance", shown(unknown))));
    }
    Ok(all.into_keys().filter(|user| named.is_empty() || named.contains(user)).collect())
}

/// Does something while nothing else changes the user's instance.
pub(super) fn held<T, E: From<FileError>>(
    paths: &Paths,
    user: &str,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let _lock = lock::user(paths, user, WAIT)?;
    work()
}
