//! The trials of a run: of the version, of what a downgrade may meet, and without any consequence.

use super::Run;
use crate::sys::accounts::Account;
use crate::sys::clock::Epoch;
use crate::t3::enforce::activity::Activity;
use crate::t3::enforce::error::EnforceError;
use crate::t3::enforce::instances::Running;
use crate::t3::enforce::report::Outcome;
use crate::t3::enforce::trial::{Found, Seed, Trial};
use crate::t3::enforce::version::Version;
use crate::t3::enforce::{stage, versions};
use crate::t3::units;
use std::path::Path;

/// The step that finds a database of a newer version.
pub(super) const LEARNT: &str = "migrations";

impl Run<'_> {
    /// The highest migration that a version knows. It is found out once, on an empty database.
    pub(super) fn known_level(
        &mut self,
        account: &Account,
        version: &Version,
        seen: i64,
    ) -> Option<i64> {
        if let Some(known) = self.state.levels.get(version) {
            return Some(*known);
        }
        let program = versions::program(self.paths, version);
        let trial = Trial {
            paths: self.paths,
            settings: self.settings,
            account,
            from: None,
            to: version,
            program: &program,
            seed: None,
            arguments: self.ports.keys().find_map(|user| units::arguments(&units::instance(user))),
        };
        let found = trial.run().map(|found| found.level);
        match found {
            Ok(Some(level)) => {
                self.state.levels.insert(version.clone(), level);
                Some(level)
            }
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(%error, seen, "which migrations {version} knows is not known");
                None
            }
        }
    }

    /// The database that a trial copies, of a backup that was made since a time.
    pub(super) fn seed(&self, since: Epoch) -> Option<Seed> {
        let users: Vec<&str> = self.ports.keys().map(String::as_str).collect();
        Seed::largest(self.paths, &users, self.settings.trial_max_mib << 20, since)
    }

    pub(super) fn trial(
        &mut self,
        account: &Account,
        present: Option<&Version>,
        to: &Version,
    ) -> Result<(), EnforceError> {
        let program = versions::program(self.paths, to);
        let found = self.try_program(account, present, to, &program)?;
        if let Some(level) = found.level {
            self.state.levels.insert(to.clone(), level);
        }
        if found.sessions_go_on == Some(false) && !self.settings.allow_ended_sessions {
            return Err(EnforceError::EndsSessions(to.clone()));
        }
        Ok(())
    }

    fn try_program(
        &mut self,
        account: &Account,
        present: Option<&Version>,
        to: &Version,
        program: &Path,
    ) -> Result<Found, EnforceError> {
        let seed = self.seed(0);
        let of = seed.as_ref().map_or_else(
            || "an empty database: no backup has one that fits".to_owned(),
            |seed| format!("the database of {} ({} MiB)", seed.user, seed.bytes >> 20),
        );
        (self.say)(&format!("trying {to} on {of}"));
        let found = Trial {
            paths: self.paths,
            settings: self.settings,
            account,
            from: present,
            to,
            program,
            seed: seed.as_ref(),
            arguments: self.ports.keys().find_map(|user| units::arguments(&units::instance(user))),
        }
        .run()?;
        let sessions = match found.sessions_go_on {
            Some(true) => "sessions go on",
            Some(false) => "all sessions end",
            None => "no session could be tried",
        };
        (self.say)(&format!("{to} works on a copy; {sessions}"));
        Ok(found)
    }

    /// A version that is older must know every migration of a database.
    pub(super) fn refuse_migrated(
        &mut self,
        account: &Account,
        to: &Version,
        idle: &mut Vec<(Running, Activity)>,
    ) -> Result<(), EnforceError> {
        let trial = Trial {
            paths: self.paths,
            settings: self.settings,
            account,
            from: None,
            to,
            program: &versions::program(self.paths, to),
            seed: None,
            arguments: None,
        };
        let known = trial.run()?.level.unwrap_or(0);
        let (fit, other): (Vec<_>, Vec<_>) = std::mem::take(idle)
            .into_iter()
            .partition(|(_, activity)| activity.level.is_none_or(|level| level <= known));
        for (running, activity) in other {
            let level = activity.level.unwrap_or_default();
            let why = format!("its database has migration {level}, and {to} knows {known}");
            self.failed(&running.user, &EnforceError::check("downgrade", why));
        }
        *idle = fit;
        Ok(())
    }

    /// Tries a version that is not installed for good.
    pub(super) fn dry(
        &mut self,
        account: &Account,
        present: Option<&Version>,
        to: &Version,
    ) -> Result<(), EnforceError> {
        if versions::is_complete(self.paths, to)? {
            let program = versions::program(self.paths, to);
            self.try_program(account, present, to, &program)?;
        } else {
            // It is tried as the account installed it.
            let (scratch, program) = stage::install(to, self.settings, account, self.paths)?;
            let account = scratch.account().clone();
            self.try_program(&account, present, to, &program)?;
        }
        self.end(Outcome::Done, format!("{to} works on a copy; nothing was changed"));
        Ok(())
    }
}
