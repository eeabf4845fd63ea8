//! The restart of one instance: its data are backed up first, as far as that is possible.

use crate::sys::FileError;
use crate::sys::process::tool::ToolError;
use crate::t3::lock;
use crate::t3::paths::Paths;
use crate::t3::units;
use std::time::Duration;

/// How long to wait for what changes this instance.
const WAIT: Duration = Duration::from_secs(5);

/// Why an instance was not restarted.
#[derive(Debug, thiserror::Error)]
pub enum RestartError {
    /// A change, a backup or a restore of this instance is going on.
    #[error("the instance is being changed: {0}")]
    Changing(FileError),
    #[error(transparent)]
    Units(#[from] ToolError),
}

/// Restarts an instance, if its unit is active. `back_up` is tried first; that it failed is said, and hinders nothing.
///
/// # Errors
/// If the instance is being changed, or the service manager fails.
pub fn restart<E: std::fmt::Display>(
    user: &str,
    paths: &Paths,
    back_up: impl FnOnce() -> Result<(), E>,
) -> Result<Option<String>, RestartError> {
    let _lock = lock::user(paths, user, WAIT).map_err(RestartError::Changing)?;
    let failed = back_up().err().map(|error| error.to_string());
    units::restart(&units::instance(user))?;
    Ok(failed)
}
