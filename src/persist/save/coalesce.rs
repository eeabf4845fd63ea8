//! Saving when something changed: a server tells by tmux's hooks, agents by theirs, the launcher by
//! itself. However many tell, one save a second sees it all.

use crate::persist::own_program;
use crate::persist::request::Job;
use crate::snapshot::Store;
use crate::sys::locks::Lock;
use crate::sys::{FileError, clock};
use crate::tmux::hooks::Found;
use crate::tmux::{Hooks, Server, TmuxError};
use std::ffi::OsStr;
use std::time::Duration;

/// Saves on change are at least this far apart.
const PAUSE: Duration = Duration::from_secs(1);

/// The hooks that a user's server should have: they run this program for that user's state.
/// Whoever sets them, a server runs them as its own user.
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

/// Gives a server the hooks it should have, and takes away those it should not.
pub(crate) fn keep(server: &Server, wanted: Option<&Hooks>, found: Found) -> Result<(), TmuxError> {
    match (wanted, found) {
        (Some(_), Found::Wanted) | (None, Found::None) => Ok(()),
        (Some(hooks), _) => server.tell(hooks.set()),
        (None, _) => server.tell(Hooks::unset()),
    }
}

/// The turn to save next. While one process has it, all others can leave: what they saw, it will
/// see, since it looks only after it let go of the turn.
#[derive(Debug)]
pub(crate) struct Turn(Lock);

impl Turn {
    /// Takes the turn, and waits until it has come; `None` when another has it.
    pub(crate) fn take(store: &Store) -> Result<Option<Self>, FileError> {
        let lock = match store.pending() {
            Ok(lock) => lock,
            Err(error) if error.source.kind() == std::io::ErrorKind::TimedOut => return Ok(None),
            Err(error) => return Err(error),
        };
        clock::pause(PAUSE.saturating_sub(lock.age()));
        Ok(Some(Self(lock)))
    }

    /// Gives it to whoever comes next: from now on changes are theirs to save.
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
