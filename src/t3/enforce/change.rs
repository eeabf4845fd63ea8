//! The change of one instance, step by step, each on record before it is done: after a kill at any moment the instance
//! has a whole version with the data that belong to it, and the next run finishes the change or undoes it.

use super::activity::{self, Activity, Query};
use super::error::EnforceError;
use super::instances::{self, Running};
use super::settings::Enforce;
use super::state::{InFlight, Prepared, State, Step};
use super::version::Version;
use super::{put_back, versions};
use crate::sys::clock;
use crate::t3::backup::{self, BackupId, Why};
use crate::t3::lock;
use crate::t3::paths::Paths;
use crate::t3::restore;
use crate::t3::units;
use std::time::Duration;

/// How long another command may hold the lock of a user before the instance is left for later.
const WAIT: Duration = Duration::from_secs(5);

/// How the change of an instance ended.
#[derive(Debug)]
pub(super) enum Ended {
    Changed,
    /// It is left as it was, for later.
    Deferred(String),
    /// It is left as it was, since there is no backup of it.
    Skipped(EnforceError),
    /// It failed, and was undone.
    Undone(EnforceError),
    /// It failed, and so did undoing it: the instance is stopped until the next run.
    NotUndone {
        failed: Option<EnforceError>,
        undoing: EnforceError,
    },
}

/// What a change works with.
#[derive(Debug)]
pub(super) struct Changer<'a> {
    pub(super) paths: &'a Paths,
    pub(super) settings: &'a Enforce,
    pub(super) state: &'a mut State,
}

impl Changer<'_> {
    /// What the database of a user says now.
    pub(super) fn activity(&self, user: &str, takes_lock: bool) -> Activity {
        let query =
            Query { idle_seconds: self.settings.idle_seconds, now: clock::now(), takes_lock };
        activity::of(user, query).unwrap_or_else(|error| Activity {
            busy: Some(format!("it cannot be told whether it is idle: {error}")),
            has_data: true,
            ..Activity::default()
        })
    }

    /// Backs up a user's data; `None` if there are none.
    pub(super) fn back_up(
        &self,
        user: &str,
        to: &Version,
        mark: &str,
    ) -> Result<Option<Prepared>, EnforceError> {
        let why = Why::BeforeChange { version: to.to_string() };
        match backup::take(user, &why, self.paths) {
            Ok(made) => Ok(Some(Prepared { id: made.id.to_string(), mark: mark.to_owned() })),
            Err(error) if error.is_no_data() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes an instance to a version.
    pub(super) fn change(
        &mut self,
        running: &Running,
        to: &Version,
    ) -> Result<Ended, EnforceError> {
        let user = running.user.as_str();
        let _lock = match lock::user(self.paths, user, WAIT) {
            Err(error) if error.is_timeout() => return Ok(Ended::Deferred(error.to_string())),
            other => other?,
        };
        // It does not start before its restore is finished, and which data it has is not known until then.
        if restore::unfinished(self.paths)?.iter().any(|name| name == user) {
            let why = "a restore of its data was begun and has not ended";
            return Ok(Ended::Deferred(why.to_owned()));
        }
        if let Some(why) = self.activity(user, true).busy {
            return Ok(Ended::Deferred(why));
        }
        let mut flight = InFlight {
            user: user.to_owned(),
            from: running.version.clone(),
            to: to.clone(),
            backup: None,
            step: Step::Stopping,
        };
        self.record(Some(&flight))?;
        units::stop(&units::instance(user))?;
        // It may have become busy before it was stopped.
        let last = self.activity(user, true);
        if let Some(why) = last.busy {
            self.start_again(running)?;
            return Ok(Ended::Deferred(why));
        }
        match self.backup_of(user, to, &last.mark) {
            Ok(id) => flight.backup = id,
            Err(error) => {
                self.start_again(running)?;
                return Ok(Ended::Skipped(error));
            }
        }
        flight.step = Step::Switching;
        self.record(Some(&flight))?;
        Ok(self.switch(&flight, running.port))
    }

    /// The backup to go back to: the one that was made before, unless something was written since.
    fn backup_of(
        &self,
        user: &str,
        to: &Version,
        mark: &str,
    ) -> Result<Option<String>, EnforceError> {
        let known = self.state.change.as_ref().and_then(|change| change.backups.get(user));
        match known {
            Some(known) if !mark.is_empty() && known.mark == mark => Ok(Some(known.id.clone())),
            _ => Ok(self.back_up(user, to, mark)?.map(|made| made.id)),
        }
    }

    /// Starts an instance that was not changed, and waits until it answers.
    fn start_again(&mut self, running: &Running) -> Result<(), EnforceError> {
        units::start(&units::instance(&running.user))?;
        self.record(None)?;
        instances::wait(self.paths, self.settings, running)
    }

    /// From [`Step::Switching`] on.
    fn switch(&mut self, flight: &InFlight, port: u16) -> Ended {
        let failed = match self.try_switch(flight, port) {
            Ok(()) => return Ended::Changed,
            Err(error) => error,
        };
        match self.undo(flight, port) {
            Ok(()) => Ended::Undone(failed),
            Err(undoing) => Ended::NotUndone { failed: Some(failed), undoing },
        }
    }

    fn try_switch(&mut self, flight: &InFlight, port: u16) -> Result<(), EnforceError> {
        versions::choose(self.paths, &flight.user, &flight.to)?;
        units::start(&units::instance(&flight.user))?;
        let new = Running { user: flight.user.clone(), port, version: flight.to.clone() };
        instances::verify(self.paths, self.settings, &new)?;
        self.record(None)?;
        // The backup is like any other now; if this fails, it is only kept for longer.
        if let Err(error) = backup::release(&flight.user, self.paths) {
            tracing::warn!(%error, "releasing the backup of {}", flight.user);
        }
        Ok(())
    }

    /// Undoes a change: program and data. Until the old version is chosen again, which is done once its data are back,
    /// the instance cannot be started: the old program on the new data would break them.
    fn undo(&mut self, flight: &InFlight, port: u16) -> Result<(), EnforceError> {
        let user = flight.user.as_str();
        self.record(Some(&InFlight { step: Step::Undoing, ..flight.clone() }))?;
        units::stop(&units::instance(user))?;
        versions::hold(self.paths, user)?;
        if let Some(id) = &flight.backup {
            let id: BackupId = id.parse().map_err(|error| EnforceError::check("backup", error))?;
            put_back::put_back(self.paths, user, &id)?;
        }
        versions::choose(self.paths, user, &flight.from)?;
        units::start(&units::instance(user))?;
        let old = Running { user: user.to_owned(), port, version: flight.from.clone() };
        instances::verify(self.paths, self.settings, &old)?;
        self.record(None)
    }

    /// Puts the data of a backup back under the version that an instance runs. The caller holds the lock of the user.
    pub(super) fn restore(&mut self, running: &Running, id: &BackupId) -> Ended {
        let flight = InFlight {
            user: running.user.clone(),
            from: running.version.clone(),
            to: running.version.clone(),
            backup: Some(id.to_string()),
            step: Step::Undoing,
        };
        match self.undo(&flight, running.port) {
            Ok(()) => Ended::Changed,
            Err(undoing) => Ended::NotUndone { failed: None, undoing },
        }
    }

    /// Finishes what a killed run began with an instance, or undoes it; `None` if there is nothing. A freeze does not
    /// keep it from that.
    pub(super) fn recover(
        &mut self,
        port_of: impl Fn(&str) -> Option<u16>,
    ) -> Result<Option<(InFlight, Ended)>, EnforceError> {
        let flight = self.state.change.as_ref().and_then(|change| change.user.clone());
        let Some(flight) = flight else { return Ok(None) };
        let _lock = lock::user(self.paths, &flight.user, Duration::from_mins(1))?;
        let Some(port) = port_of(&flight.user) else {
            // The user has no instance any more: there is nothing to start or to check.
            self.record(None)?;
            return Ok(None);
        };
        let ended = match flight.step {
            Step::Stopping => {
                let version = flight.from.clone();
                self.start_again(&Running { user: flight.user.clone(), port, version })?;
                Ended::Deferred("a run was killed before it was changed".to_owned())
            }
            Step::Switching => self.switch(&flight, port),
            Step::Undoing => match self.undo(&flight, port) {
                Ok(()) => Ended::Undone(EnforceError::check(
                    "change",
                    "it had failed when a run was killed",
                )),
                Err(undoing) => Ended::NotUndone { failed: None, undoing },
            },
        };
        Ok(Some((flight, ended)))
    }

    fn record(&mut self, flight: Option<&InFlight>) -> Result<(), EnforceError> {
        if let Some(change) = &mut self.state.change {
            change.user = flight.cloned();
        }
        Ok(self.state.write(self.paths)?)
    }
}
