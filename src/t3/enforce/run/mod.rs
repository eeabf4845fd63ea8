//! A run of the enforcer: the order of its effects.

mod repair;
mod trials;

use super::change::{Changer, Ended};
use super::error::EnforceError;
use super::instances::{self, Running};
use super::report::{Outcome, Report};
use super::settings::Enforce;
use super::state::{self, Deferred, LastRun, State, Target};
use super::trial::scratch;
use super::version::{self, Change, Version, Wanted};
use super::{freeze, prune, stage, versions};
use crate::sys::accounts::Account;
use crate::sys::clock;
use crate::t3::paths::Paths;
use crate::t3::{lock, served};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long another command may hold the lock of a user whom a backup is made of.
const LOCKED: Duration = Duration::from_mins(2);
const DAY: u64 = 24 * 3600;
/// How old the backup may be whose database a trial copies, in seconds.
const SEED_AGE: u64 = 2 * DAY;

/// What a run is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Installs the version aside and tries it; changes nothing.
    pub dry_run: bool,
    /// Only finishes or undoes what a killed run began.
    pub resume: bool,
    /// Only changes instances that were busy before.
    pub drain: bool,
    /// This version instead of the one that the site wants.
    pub version: Option<Version>,
}

/// Runs once. `say` gets each step, for the journal.
///
/// # Errors
/// If another run goes on, or what is on record cannot be read or written. What else fails is in the report.
pub fn run(
    paths: &Paths,
    settings: &Enforce,
    options: &Options,
    say: &mut dyn FnMut(&str),
) -> Result<Report, EnforceError> {
    let _lock = lock::run(paths, Duration::ZERO)?;
    let ports = served::ports(paths)?;
    let state = State::read(paths)?;
    let report = Report::new(options.dry_run);
    let mut run = Run { paths, settings, options, say, ports, state, report };
    if !options.dry_run {
        run.recover()?;
    }
    if let Err(error) = run.whole() {
        (run.report.outcome, run.report.message) = (outcome_of(&error), error.to_string());
    }
    run.finish()?;
    Ok(run.report)
}

fn outcome_of(error: &EnforceError) -> Outcome {
    match error {
        EnforceError::Refused(_) | EnforceError::EndsSessions(_) => Outcome::Refused,
        EnforceError::Command { .. } | EnforceError::Version(_) | EnforceError::NothingFits(_) => {
            Outcome::Unknown
        }
        _ => Outcome::Failed,
    }
}

struct Run<'a> {
    paths: &'a Paths,
    settings: &'a Enforce,
    options: &'a Options,
    say: &'a mut dyn FnMut(&str),
    ports: BTreeMap<String, u16>,
    state: State,
    report: Report,
}

impl Run<'_> {
    fn changer(&mut self) -> Changer<'_> {
        Changer { paths: self.paths, settings: self.settings, state: &mut self.state }
    }

    fn end(&mut self, outcome: Outcome, message: impl Into<String>) {
        (self.report.outcome, self.report.message) = (outcome, message.into());
    }

    /// What a killed run left.
    fn recover(&mut self) -> Result<(), EnforceError> {
        let ports = self.ports.clone();
        let recovered = self.changer().recover(|user| ports.get(user).copied())?;
        if let Some((flight, ended)) = recovered {
            (self.say)(&format!("{}: a run was killed while this was changed", flight.user));
            let running = Running { user: flight.user, port: 0, version: flight.from };
            self.ended(&running, &flight.to, ended)?;
        }
        let unfinished = self.state.change.as_ref().is_some_and(|change| change.user.is_some());
        if self.state.change.is_some() && !unfinished {
            self.state.change = None;
            self.state.write(self.paths)?;
        }
        Ok(())
    }

    fn whole(&mut self) -> Result<(), EnforceError> {
        if let Some(change) = &self.state.change {
            let who = change.user.as_ref().map_or("", |flight| &flight.user);
            let message = format!("the change of {who} is neither finished nor undone");
            self.end(Outcome::Failed, message);
            return Ok(());
        }
        if let Some(why) = freeze::frozen(self.paths)? {
            self.end(Outcome::Frozen, format!("FROZEN: {why}"));
            return Ok(());
        }
        if self.options.resume || (self.options.drain && self.state.deferred.is_empty()) {
            self.end(Outcome::Done, "nothing is left to be done");
            return Ok(());
        }
        let users: Vec<String> = self.ports.keys().cloned().collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let account = scratch::account(&self.settings.account, &users)?;
        scratch::clean(self.paths, &account)?;
        let Some(to) = self.target(&account)? else {
            self.end(Outcome::NothingWanted, "no version is wanted: set 'version' or 'track'");
            return Ok(());
        };
        let present = versions::current(self.paths)?;
        self.report.target = Some(to.clone());
        let change = version::guard(present.as_ref(), &to, self.kind())?;
        let behind = self.find(&account, &to)?;
        self.note_target(&to, !behind.is_empty() || present.as_ref() != Some(&to));
        if let Some(why) = freeze::frozen(self.paths)? {
            // By what was found just now.
            self.end(Outcome::Failed, why);
            return Ok(());
        }
        if behind.is_empty() && change == Change::None {
            let (outcome, message) = self.summary(&to);
            self.end(outcome, message);
            return Ok(());
        }
        self.toward(&account, present, &to, change, behind)
    }

    /// The version that is wanted.
    fn target(&mut self, account: &Account) -> Result<Option<Version>, EnforceError> {
        if let Some(version) = &self.options.version {
            return Ok(Some(version.clone()));
        }
        // A drain goes on with what was wanted at night.
        let known = self.state.target.as_ref().map(|target| target.version.clone());
        match known {
            Some(version) if self.options.drain => Ok(Some(version)),
            _ => stage::wanted(self.paths, self.settings, Some(account)),
        }
    }

    fn kind(&self) -> Wanted<'_> {
        match (&self.settings.track, &self.options.version, self.options.drain) {
            (Some(tag), None, false) => Wanted::Tagged(tag),
            _ => Wanted::Pinned { allow_downgrade: self.settings.allow_downgrade },
        }
    }

    /// The instances that run another version.
    fn find(&mut self, account: &Account, to: &Version) -> Result<Vec<Running>, EnforceError> {
        let mut behind = Vec::new();
        for (user, port) in self.ports.clone() {
            match instances::look(self.paths, self.settings, &user, port) {
                Ok(None) => self.report.not_running.push(user),
                Ok(Some(running)) => {
                    let recorded = if self.options.dry_run {
                        Ok(())
                    } else {
                        instances::record(self.paths, &running)
                    };
                    match recorded {
                        Ok(()) if self.repair(account, &running)? => {}
                        Ok(()) if running.version == *to => {
                            self.state.deferred.remove(&user);
                        }
                        Ok(()) => behind.push(running),
                        Err(error) => self.failed(&user, &error),
                    }
                }
                Err(error) => self.failed(&user, &error),
            }
        }
        Ok(behind)
    }

    fn failed(&mut self, user: &str, why: &EnforceError) {
        (self.say)(&format!("{user}: not changed: {why}"));
        self.report.failed.insert(user.to_owned(), why.to_string());
    }

    fn defer(&mut self, user: &str, to: &Version, why: String) {
        (self.say)(&format!("{user}: left for later: {why}"));
        self.report.deferred.insert(user.to_owned(), why.clone());
        let now = clock::now();
        let entry = self.state.deferred.entry(user.to_owned());
        let entry =
            entry.or_insert_with(|| Deferred { to: to.clone(), since: now, why: why.clone() });
        (entry.to, entry.why) = (to.clone(), why);
    }

    fn note_target(&mut self, to: &Version, behind: bool) {
        let since = self.state.target.as_ref().and_then(|target| target.behind_since);
        let behind_since = behind.then(|| since.unwrap_or_else(clock::now));
        self.state.target = Some(Target { version: to.clone(), behind_since });
    }

    /// From a target that is not what all run.
    fn toward(
        &mut self,
        account: &Account,
        present: Option<Version>,
        to: &Version,
        change: Change,
        behind: Vec<Running>,
    ) -> Result<(), EnforceError> {
        let (mut idle, mut all) = (Vec::new(), Vec::new());
        let nobody_runs = behind.is_empty();
        for running in behind {
            let activity = self.changer().activity(&running.user, false);
            all.push((running.clone(), activity.mark.clone()));
            match activity.busy {
                Some(why) => self.defer(&running.user, to, why),
                None => idle.push((running, activity)),
            }
        }
        let is_new = present.as_ref() != Some(to);
        if idle.is_empty() && !nobody_runs {
            let (outcome, message) = self.summary(to);
            self.end(outcome, message);
            return Ok(());
        }
        if self.options.dry_run {
            return self.dry(account, present.as_ref(), to);
        }
        stage::stage(self.paths, to, self.settings, account)?;
        self.state.change = Some(state::Change {
            from: present.clone(),
            to: to.clone(),
            began: clock::now(),
            backups: BTreeMap::new(),
            user: None,
        });
        self.state.write(self.paths)?;
        if change == Change::Downgrade {
            self.refuse_migrated(account, to, &mut idle)?;
            if idle.is_empty() {
                let (outcome, message) = self.summary(to);
                self.end(outcome, message);
                return Ok(());
            }
        }
        if is_new {
            // A trial without real data would say little.
            if self.seed(clock::now().saturating_sub(SEED_AGE)).is_none() {
                self.back_up(&all, to)?;
            }
            self.trial(account, present.as_ref(), to)?;
        }
        let idle: Vec<Running> = idle.into_iter().map(|(running, _)| running).collect();
        all.retain(|(one, _)| is_new || idle.contains(one));
        self.back_up(&all, to)?;
        self.change_all(&idle, present, to, nobody_runs)
    }

    /// Backs up those that are not yet.
    fn back_up(&mut self, all: &[(Running, String)], to: &Version) -> Result<(), EnforceError> {
        for (running, mark) in all {
            let user = running.user.as_str();
            let known = self.state.change.as_ref().map(|change| &change.backups);
            if known.is_some_and(|known| known.contains_key(user))
                || self.report.failed.contains_key(user)
            {
                continue;
            }
            let backed_up = lock::user(self.paths, user, LOCKED)
                .map_err(EnforceError::from)
                .and_then(|_lock| self.changer().back_up(user, to, mark));
            match backed_up {
                Ok(Some(made)) => {
                    if let Some(change) = &mut self.state.change {
                        change.backups.insert(user.to_owned(), made);
                    }
                    self.state.write(self.paths)?;
                }
                Ok(None) => {}
                Err(error) => self.failed(user, &error),
            }
        }
        Ok(())
    }

    fn change_all(
        &mut self,
        idle: &[Running],
        present: Option<Version>,
        to: &Version,
        nobody_runs: bool,
    ) -> Result<(), EnforceError> {
        let mut is_held = present.as_ref() == Some(to) || nobody_runs;
        if nobody_runs {
            versions::switch(self.paths, to)?;
        }
        let backed_up = |run: &Self, user: &str| !run.report.failed.contains_key(user);
        for running in idle {
            if !backed_up(self, &running.user) {
                continue;
            }
            if let Some(why) = freeze::frozen(self.paths)? {
                self.end(Outcome::Frozen, format!("FROZEN: {why}"));
                return Ok(());
            }
            let ended = self.changer().change(running, to)?;
            let changed = matches!(ended, Ended::Changed);
            if !self.ended(running, to, ended)? {
                // The program goes back, too; what was changed before and works stays as it is.
                if let (Some(from), true) = (&present, present.as_ref() != Some(to)) {
                    versions::switch(self.paths, from)?;
                }
                return Ok(());
            }
            if changed && !is_held {
                is_held = true;
                versions::switch(self.paths, to)?;
                (self.say)(&format!(
                    "{}: the first one holds; new instances run {to}",
                    running.user
                ));
            }
        }
        if is_held && self.report.failed.is_empty() {
            if self.state.last_good.as_ref() != Some(to) {
                self.state.previous = self.state.last_good.replace(to.clone()).or(present);
            }
            prune::prune(self.paths, self.settings, &self.state, self.say)?;
        }
        let (outcome, message) = self.summary(to);
        self.end(outcome, message);
        Ok(())
    }

    /// Takes note of how the change of an instance ended; whether the run goes on.
    fn ended(
        &mut self,
        running: &Running,
        to: &Version,
        ended: Ended,
    ) -> Result<bool, EnforceError> {
        let (user, from) = (&running.user, &running.version);
        match ended {
            Ended::Changed => {
                (self.say)(&format!("{user}: changed from {from} to {to}"));
                self.report.changed.push(user.clone());
                self.state.deferred.remove(user);
                Ok(true)
            }
            Ended::Deferred(why) => {
                self.defer(user, to, why);
                Ok(true)
            }
            Ended::Skipped(error) => {
                self.failed(user, &error);
                Ok(true)
            }
            Ended::Undone(error) => {
                let why = format!("{user}: {to} failed and was rolled back to {from}: {error}");
                self.stop(user, &why)
            }
            Ended::NotUndone { failed, undoing } => {
                let failed = failed.map_or_else(String::new, |error| format!(" ({error})"));
                let why = format!(
                    "{user}: {to} failed{failed}, and so did rolling back to {from}: {undoing}"
                );
                self.stop(user, &why)
            }
        }
    }

    /// Freezes versions; the run does not go on.
    fn stop(&mut self, user: &str, why: &str) -> Result<bool, EnforceError> {
        (self.say)(why);
        freeze::freeze(self.paths, why)?;
        self.report.failed.insert(user.to_owned(), why.to_owned());
        self.end(Outcome::Failed, format!("{why}; versions are frozen now"));
        Ok(false)
    }

    fn summary(&self, to: &Version) -> (Outcome, String) {
        let Report { changed, deferred, failed, .. } = &self.report;
        let message = format!(
            "{} changed to {to}, {} left for later, {} failed",
            changed.len(),
            deferred.len(),
            failed.len()
        );
        (if failed.is_empty() { Outcome::Done } else { Outcome::Failed }, message)
    }

    /// What is on record of the run.
    fn finish(&mut self) -> Result<(), EnforceError> {
        let unfinished = self.state.change.as_ref().is_some_and(|change| change.user.is_some());
        if !unfinished {
            self.state.change = None;
        }
        self.report.current = versions::current(self.paths)?;
        let now = clock::now();
        let Report { target, outcome, deferred, failed, .. } = &self.report;
        if let Some(to) = target.clone().filter(|_| !self.options.dry_run) {
            let behind = !deferred.is_empty()
                || !failed.is_empty()
                || self.report.current.as_ref() != Some(&to)
                || matches!(outcome, Outcome::Failed | Outcome::Refused);
            self.note_target(&to, behind);
        }
        let since = self.state.target.as_ref().and_then(|target| target.behind_since);
        self.report.behind_seconds = since.map(|since| now.saturating_sub(since));
        self.report.stuck =
            self.report.behind_seconds.is_some_and(|for_| for_ > self.settings.stuck_days * DAY);
        if self.report.stuck {
            let days = self.report.behind_seconds.unwrap_or(0) / DAY;
            let to =
                self.state.target.as_ref().map_or_else(String::new, |to| to.version.to_string());
            (self.say)(&format!("STUCK BEHIND: not every instance has run {to} for {days} days"));
        }
        if self.options.dry_run {
            return Ok(());
        }
        let served = &self.ports;
        self.state.deferred.retain(|user, _| served.contains_key(user));
        let outcome = serde_json::to_value(self.report.outcome);
        let outcome = outcome.ok().and_then(|name| name.as_str().map(str::to_owned));
        // A run that had nothing to do says nothing about the version.
        let is_partial = self.options.resume || self.options.drain;
        if !is_partial || self.report.outcome == Outcome::Failed {
            self.state.last_run = Some(LastRun {
                at: now,
                outcome: outcome.unwrap_or_default(),
                message: self.report.message.clone(),
            });
        }
        Ok(self.state.write(self.paths)?)
    }
}
