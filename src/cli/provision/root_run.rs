//! What every command that changes the host needs: root, and the lock that all runs share.

use crate::cli::exit::Failure;
use crate::cli::output::note;
use crate::provision::paths::STATE;
use crate::provision::state::state_dir::State;
use crate::sys::{FileError, accounts, locks};
use std::path::Path;
use std::time::Duration;

/// How long `apply` waits for another run.
pub(super) const WAIT: Duration = Duration::from_secs(5);

/// Refuses to go on unless this process is root.
pub(super) fn require_root(command: &str) -> Result<(), Failure> {
    if accounts::is_root() {
        return Ok(());
    }
    Err(Failure::refused(format!("'{command}' must be run as root")))
}

/// Opens the state directory for a run. Waits for another run at most as long as `wait`, and says at once
/// for which process.
pub(super) fn open_state(wait: Duration) -> Result<State, Failure> {
    let error = match State::open(Path::new(STATE), Duration::ZERO) {
        Err(error) if error.is_timeout() => error,
        opened => return Ok(opened?),
    };
    if !wait.is_zero() {
        note(&format!("waiting for another provision run{}", holder(&error)));
    }
    State::open(Path::new(STATE), wait).map_err(|error| {
        if !error.is_timeout() {
            return error.into();
        }
        Failure::failed(format!("another provision run is in progress{}", holder(&error)))
            .with_hint("run the command again when the other one has ended")
    })
}

/// The process that holds the lock, for a message.
pub(super) fn holder(error: &FileError) -> String {
    locks::holder(error).map_or_else(String::new, |pid| format!(" (pid {pid})"))
}
