//! The context of every command: the user, the time, the tmux server, the state directory.

use super::capture_policy::CapturePolicy;
use super::restore_mode::Settings;
use super::suspend_request;
use super::watch_task::WatchSettings;
use crate::events::{self, Event, Hook};
use crate::snapshot::retention::Rules;
use crate::snapshot::{Activity, Store};
use crate::sys::{Account, FileError, clock, mounts};
use crate::text::shown;
use crate::tmux::{Hooks, Server};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The context of a command for one user. All of it belongs to that user.
#[derive(Debug, Clone)]
pub struct Context {
    pub account: Account,
    pub now: clock::Epoch,
    pub server: Server,
    /// The hooks that the server should have, so that changes are saved.
    pub hooks: Option<Hooks>,
    /// Path of the launcher, which starts agents in panes; `None` if it is not installed.
    pub launcher: Option<PathBuf>,
    /// Options with which another `persist` works for this user on the same state and server.
    pub options: Vec<OsString>,
    /// The site's command for events.
    pub notifier: Hook,
    pub(super) state_dir: PathBuf,
    pub(super) may_create: bool,
    /// Maximum time to wait for another save or restore to finish.
    pub lock_wait: Duration,
    /// For how long lost sessions and agents are carried forward.
    pub lost_window: Duration,
    /// Rules for deleting old snapshots.
    pub retention: Rules,
    /// What a snapshot records besides windows, panes and agents.
    pub keep: CapturePolicy,
    /// The site's settings for restoring agents.
    pub restore: Settings,
    /// The site's settings of the watch.
    pub watch: WatchSettings,
    /// The site's settings for suspending idle agents.
    pub suspend: suspend_request::Settings,
}

impl Context {
    /// The user's state directory, existing or not.
    pub fn own_dir(&self) -> PathBuf {
        self.state_dir.join(&self.account.name)
    }

    /// The user's store, for reading; `None` if nothing was ever saved.
    pub fn store(&self) -> Result<Option<Store>, FileError> {
        let dir = self.own_dir();
        Self::must_answer(&dir)?;
        Store::open(&dir)
    }

    /// Records an event, and announces it to the journal and the site's command. A failure is only noted.
    pub fn announce(&self, event: &Event, notes: &mut Vec<String>) {
        let dir = self.own_dir();
        match Self::must_answer(&dir) {
            Ok(()) => {
                for note in events::announce(&dir, event, &self.notifier) {
                    // Of many events, what keeps all from being recorded is said once.
                    if !notes.contains(&note) {
                        notes.push(note);
                    }
                }
            }
            Err(error) => notes.push(format!("event not recorded: {error}")),
        }
    }

    /// # Errors
    /// If a mount on the way to the user's state directory hangs.
    pub fn must_answer_own(&self) -> Result<(), FileError> {
        Self::must_answer(&self.own_dir())
    }

    /// # Errors
    /// If a mount on the way to a directory of the state hangs.
    fn must_answer(dir: &Path) -> Result<(), FileError> {
        match mounts::unanswered(dir) {
            Some(mount) => {
                let why = format!("{} does not answer", shown(&mount));
                Err(FileError::refused("opening", dir, why))
            }
            None => Ok(()),
        }
    }

    /// Updates the record of activity, if there is a store. A failure is only noted.
    pub fn record(&self, notes: &mut Vec<String>, change: impl FnOnce(&mut Activity)) {
        let dir = self.own_dir();
        match Self::must_answer(&dir).and_then(|()| Store::open_for_hints(&dir)) {
            Ok(Some(store)) => store.record(notes, change),
            Ok(None) => {}
            Err(error) => notes.push(format!("activity not recorded: {error}")),
        }
    }

    /// Path of the directory where a restore puts information for the panes that it creates.
    pub fn restored(&self) -> PathBuf {
        self.state_dir.join(&self.account.name).join(crate::snapshot::store::RESTORED)
    }

    /// The user's store, for writing.
    ///
    /// # Errors
    /// If it does not exist and only root may create it.
    pub fn writable_store(&self) -> Result<Store, FileError> {
        Self::must_answer(&self.own_dir())?;
        if self.may_create {
            return Store::create(&self.state_dir, &self.account.name);
        }
        let dir = self.own_dir();
        self.store()?.ok_or_else(|| {
            FileError::refused(
                "opening",
                dir,
                "it does not exist yet; root creates it with the first save",
            )
        })
    }
}
