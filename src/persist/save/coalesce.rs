//! Saves on change: requested by tmux's hooks, by the agents' hooks and by the launcher. Any number of
//! requests leads to at most one save a second.

use crate::persist::own_program;
use crate::persist::request::Job;
use crate::snapshot::Store;
use crate::sys::locks::Lock;
use crate::sys::{FileError, clock};
use crate::tmux::HookState;
use crate::tmux::{Hooks, Server, TmuxError};
use std::ffi::OsStr;
use std::time::Duration;

/// Minimum time between saves on change.
const INTERVAL: Duration = Duration::from_secs(1);

/// The hooks that a user's server should have: they run this program for that user's state. A server
/// runs them as its own user, no matter who set them.
pub(crate) fn hooks(job: &Job) -> Option<Hooks> {
    let program = own_program::program().filter(|_| job.save_on_change)?;
    let mut words = vec![program.as_os_str()];
    words.extend(["save", "--coalesce", "--quiet", "--state-dir"].map(OsStr::new));
    words.extend([job.state_dir.as_os_str(), "--socket".as_ref(), job.socket.as_ref()]);
    if let Some(config) = &job.config {
        words.extend(["--config".as_ref(), config.as_os_str()]);
    }
    let mut line = Vec::new();
    if let Some(dir) = &job.tmpdir {
        line.extend(own_program::assignment("TMUX_TMPDIR", dir));
    }
    line.extend(own_program::shell_line(&words));
    line.extend(own_program::QUIETLY.as_bytes());
    Some(Hooks::running(&line))
}

/// Sets the hooks that a server should have, and removes ours that it should not have.
pub(crate) fn sync_hooks(
    server: &Server,
    wanted: Option<&Hooks>,
    found: HookState,
) -> Result<(), TmuxError> {
    match (wanted, found) {
        (Some(_), HookState::Current) | (None, HookState::Missing) => Ok(()),
        (Some(hooks), _) => server.send(hooks.set()),
        (None, _) => server.send(Hooks::unset()),
    }
}

/// The turn to save next. While one process has it, all others can exit: the holder will see every
/// change that they saw, since it captures only after it has released the turn.
#[derive(Debug)]
pub(crate) struct Turn(Lock);

impl Turn {
    /// Takes the turn, and waits for the interval to end; `None` if another process has it.
    pub(crate) fn take(store: &Store) -> Result<Option<Self>, FileError> {
        let lock = match store.pending() {
            Ok(lock) => lock,
            Err(error) if error.source.kind() == std::io::ErrorKind::TimedOut => return Ok(None),
            Err(error) => return Err(error),
        };
        clock::pause(INTERVAL.saturating_sub(lock.age()));
        Ok(Some(Self(lock)))
    }

    /// Releases the turn: changes from now on are for the next process that takes it.
    pub(crate) fn begin(&self) {
        self.0.mark();
        self.0.release();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.mark();
    }
}
