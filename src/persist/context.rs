//! What every command of one user's takes: the user, the time, the tmux server, the state directory.

use super::capture::extras::CapturePolicy;
use super::restore::mode::Settings;
use crate::snapshot::retention::Rules;
use crate::snapshot::{Activity, Store};
use crate::sys::{Account, FileError, clock};
use crate::tmux::{Hooks, Server};
use std::path::PathBuf;
use std::time::Duration;

/// What one user's work needs: all of it that user's own.
#[derive(Debug, Clone)]
pub struct Context {
    /// The user.
    pub account: Account,
    /// The present.
    pub now: clock::Epoch,
    /// The user's tmux server.
    pub server: Server,
    /// What the server is to run on changes, if anything.
    pub hooks: Option<Hooks>,
    /// Our launcher, which starts agents in panes.
    pub launcher: Option<PathBuf>,
    pub(super) state_dir: PathBuf,
    pub(super) may_create: bool,
    /// How long to wait for another save or restore to finish.
    pub lock_wait: Duration,
    /// For how long what is lost is carried forward.
    pub lost_window: Duration,
    /// Which snapshots are kept.
    pub retention: Rules,
    /// What is kept besides.
    pub keep: CapturePolicy,
    /// What the site says about restoring agents.
    pub restore: Settings,
}

impl Context {
    /// Where the user's state is, or would be.
    pub fn own_dir(&self) -> PathBuf {
        self.state_dir.join(&self.account.name)
    }

    /// The user's store for reading, if there is one.
    pub fn store(&self) -> Result<Option<Store>, FileError> {
        Store::open(&self.own_dir())
    }

    /// Records what was done, where there is a store at all; trouble is named in `notes`.
    pub fn record(&self, notes: &mut Vec<String>, change: impl FnOnce(&mut Activity)) {
        match Store::open_for_hints(&self.own_dir()) {
            Ok(Some(store)) => store.record(notes, change),
            Ok(None) => {}
            Err(error) => notes.push(format!("not recorded: {error}")),
        }
    }

    /// Where a restore leaves what the panes it makes need to know.
    pub fn restored(&self) -> PathBuf {
        self.state_dir.join(&self.account.name).join(crate::snapshot::store::RESTORED)
    }

    /// The user's store for writing.
    pub fn writable_store(&self) -> Result<Store, FileError> {
        if self.may_create {
            return Store::create(&self.state_dir, &self.account.name);
        }
        let dir = self.own_dir();
        self.store()?.ok_or_else(|| FileError::refused("opening", dir, "root has not made it yet"))
    }
}
