//! Databases that a newer program has migrated below a live older server: the server goes on to answer `/`, but all
//! sessions are gone, and neither a restart nor the older program helps. Only the data of a backup do.

use super::Run;
use super::trials::LEARNT;
use crate::sys::accounts::Account;
use crate::t3::backup::{self, Why};
use crate::t3::enforce::change::Ended;
use crate::t3::enforce::error::EnforceError;
use crate::t3::enforce::instances::Running;
use crate::t3::enforce::state;
use crate::t3::lock;
use std::collections::BTreeMap;

impl Run<'_> {
    /// Looks whether the database of an instance has a migration that its version does not know. If so, the database is
    /// backed up, the newest backup that the version knows is put back, and versions are frozen. Returns whether that
    /// was tried.
    pub(super) fn repair(
        &mut self,
        account: &Account,
        running: &Running,
    ) -> Result<bool, EnforceError> {
        if self.options.dry_run {
            return Ok(false);
        }
        let user = running.user.as_str();
        let Some(level) = self.changer().activity(user, false).level else { return Ok(false) };
        let Some(known) = self.known_level(account, &running.version, level) else {
            return Ok(false);
        };
        if level <= known {
            return Ok(false);
        }
        let version = &running.version;
        let found = format!(
            "{user}: its database has migration {level}, and {version} knows {known}: a newer program ran on it"
        );
        (self.say)(&found);
        let _lock = lock::user(self.paths, user, super::LOCKED)?;
        let (list, _) = backup::list(user, self.paths)?;
        let fits = list.iter().find(|one| one.migration_level.is_some_and(|level| level <= known));
        let Some(fits) = fits else {
            let why = format!("{found}; no backup is from before that");
            self.failed(user, &EnforceError::check(LEARNT, why));
            return Ok(true);
        };
        // Whatever came since is kept, in a backup of its own.
        backup::take(user, &Why::Manual, self.paths)?;
        self.state.change = Some(state::Change {
            from: Some(version.clone()),
            to: version.clone(),
            began: crate::sys::clock::now(),
            backups: BTreeMap::new(),
            user: None,
        });
        match self.changer().restore(running, &fits.id) {
            Ended::Changed => {
                let why = format!("{found}; the data of {} were put back", fits.id);
                self.stop(user, &why)?;
            }
            ended => {
                self.ended(running, version, ended)?;
            }
        }
        Ok(true)
    }
}
