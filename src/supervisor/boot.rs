//! `boot`: root brings every terminal user's sessions back, each in a session of that user's own
//! that the service manager starts. Root only decides which users and when; what is restored is
//! decided by the user's own process ([`super::keeper`]).

use super::config::Config;
use super::error::Error;
use super::systemd::{property, systemctl, wait_for_mount};
use super::targets::{self, Target, Targets};
use super::{session_request, socket_dirs};
use crate::persist::restore_pending;
use crate::sys::fs::FileError;
use crate::sys::fs::{read, trusted_path};
use crate::sys::process::parallel::for_each;
use crate::sys::{Account, accounts, clock};
use rustix::fs::{FileType, Stat};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// How long mounting the file system of one user's home may take.
pub(crate) const HOME_DEADLINE: Duration = Duration::from_mins(1);
/// How long starting one user's session may take: more than the unit allows, which ends it before.
pub(crate) const START_DEADLINE: Duration = Duration::from_secs(200);
/// How long the service manager may take to answer a question.
const ASK_DEADLINE: Duration = Duration::from_secs(10);
/// Passwords and when accounts expire: shadow(5).
const SHADOW: &str = "/etc/shadow";
const MAX_SHADOW: u64 = 16 << 20;
/// Users waited for at once: nearly all of that time is the service manager's.
const AT_ONCE: usize = 64;

/// Something that failed, for one user or in general; the others go on.
#[derive(Debug)]
pub struct Warning {
    pub user: Option<String>,
    pub error: Error,
}

impl Warning {
    fn of(account: &Account, error: impl Into<Error>) -> Self {
        Self { user: Some(account.name.clone()), error: error.into() }
    }
}

impl From<Error> for Warning {
    fn from(error: Error) -> Self {
        Self { user: None, error }
    }
}

/// The terminal users who were ever saved: what a boot restores.
#[derive(Debug)]
pub struct SavedUsers {
    accounts: Vec<Account>,
    /// What is wrong with the map and its accounts.
    pub problems: Vec<Error>,
    /// Users that could not be announced.
    pub unannounced: Vec<Warning>,
}

/// Finds them, and records that they are to be restored. A user whose session is active already is not: a second
/// start restores nothing, as where the package is installed in the middle of a day.
pub fn announce_all(config: &Config) -> Result<SavedUsers, Error> {
    let (users, mut problems) = map_users(config)?;
    let accounts = saved_users(config, users, &mut problems)?;
    let active = active_sessions(&accounts);
    let announce = |account: &Account| {
        restore_pending::announce(account).err().map(|error| Warning::of(account, error))
    };
    let restored = |account: &&Account| !active.contains(&session_unit(account));
    let unannounced = accounts.iter().filter(restored).filter_map(announce).collect();
    Ok(SavedUsers { accounts, problems, unannounced })
}

/// Starts the watch of each user who was ever saved, unless it runs, or has failed: then it was reported. Nothing is
/// done for an account that has expired, and where the unit is masked or not installed.
pub fn start_watches(config: &Config) -> Result<(), Error> {
    let (users, mut problems) = map_users(config)?;
    let accounts = saved_users(config, users, &mut problems)?;
    if accounts.is_empty() || !Path::new("/run/systemd/system").is_dir() {
        return Ok(());
    }
    let expired = expired_accounts(&shadow(), clock::now());
    let is_valid = |account: &&Account| !expired.contains(&account.name);
    let units: Vec<String> = accounts.iter().filter(is_valid).map(watch_unit).collect();
    if units.is_empty() {
        return Ok(());
    }
    let mut args = vec!["show", "--property=Id,LoadState,ActiveState", "--"];
    args.extend(units.iter().map(String::as_str));
    let shown = systemctl(&args, ASK_DEADLINE)?;
    let is_new = |unit: &&str| {
        property(unit, "LoadState") == "loaded" && property(unit, "ActiveState") == "inactive"
    };
    let new: Vec<String> =
        shown.split("\n\n").filter(is_new).map(|unit| property(unit, "Id")).collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut args = vec!["start", "--no-block", "--"];
    args.extend(new.iter().map(String::as_str));
    systemctl(&args, ASK_DEADLINE).map(drop)
}

/// Whether the account of a uid has expired: its watch would run although nothing else of it may.
pub fn has_expired(uid: u32) -> Result<bool, Error> {
    let name = accounts::name_of(uid)?;
    Ok(name.is_some_and(|name| expired_accounts(&shadow(), clock::now()).contains(&name)))
}

/// Where it cannot be read, nothing in it expires.
fn shadow() -> Vec<u8> {
    read(Path::new(SHADOW), MAX_SHADOW).unwrap_or_default()
}

/// The names of the accounts that have expired, from shadow(5): the eighth field is the first day, counted from
/// 1970-01-01, on which nobody logs in any more. `now` in seconds since the epoch.
fn expired_accounts(shadow: &[u8], now: u64) -> BTreeSet<String> {
    const DAY: u64 = 24 * 60 * 60;
    let text = String::from_utf8_lossy(shadow);
    let expired = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let day: u64 = fields.get(7)?.parse().ok()?;
        (day <= now / DAY).then(|| fields[0].to_owned())
    };
    text.lines().filter_map(expired).collect()
}

/// The unit of a user's watch.
fn watch_unit(account: &Account) -> String {
    format!("tmux-persist-watch@{}.service", account.uid)
}

impl SavedUsers {
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Restores all of them; returns for each user the status of the session.
    pub fn restore(&self) -> Vec<(&str, Result<String, Error>)> {
        let results = for_each(&self.accounts, AT_ONCE, |account| {
            let _span = tracing::info_span!("user", name = account.name).entered();
            // Excludes a restore of a part by hand.
            let _lock = session_request::exclude(account, START_DEADLINE)?;
            start_session(account)
        });
        self.accounts.iter().map(|account| account.name.as_str()).zip(results).collect()
    }
}

/// Makes the directory of each terminal user's tmux sockets before anyone else can. Users that are
/// not known yet, as those of a network, get theirs with the announcement.
pub fn make_socket_dirs(config: &Config) -> Result<Vec<Warning>, Error> {
    let (users, _) = map_users(config)?;
    let tmp = match socket_dirs::open() {
        Ok(tmp) => tmp,
        Err(error) => return Ok(vec![Error::from(error).into()]),
    };
    let make = |account: &Account| {
        socket_dirs::ensure(&tmp, account).err().map(|error| Warning::of(account, error))
    };
    Ok(users.iter().filter_map(make).collect())
}

/// The accounts of the map's users, without root, and what is wrong with the map.
fn map_users(config: &Config) -> Result<(Vec<Account>, Vec<Error>), Error> {
    let (names, mut problems) = match targets::find(config, &Target::AllUsers)? {
        Targets::Users { names, problems, .. } => (names, problems),
        Targets::Caller { .. } => return Err(Error::NotRoot("'persist boot'")),
    };
    let mut users = Vec::new();
    for name in names {
        match accounts::by_name(&name) {
            Ok(account) if account.uid.is_root() => problems.push(Error::RootAccount),
            Ok(account) => users.push(account),
            Err(error) => problems.push(error.into()),
        }
    }
    Ok((users, problems))
}

/// The sessions that are active. If the service manager cannot be asked, none: then saves carry as lost what
/// they do not find.
fn active_sessions(accounts: &[Account]) -> BTreeSet<String> {
    let units: Vec<String> = accounts.iter().map(session_unit).collect();
    let mut args = vec!["show", "--property=Id,ActiveState", "--"];
    args.extend(units.iter().map(String::as_str));
    if units.is_empty() || !Path::new("/run/systemd/system").is_dir() {
        return BTreeSet::new();
    }
    let shown = systemctl(&args, ASK_DEADLINE).unwrap_or_default();
    let is_active = |unit: &&str| property(unit, "ActiveState") == "active";
    shown.split("\n\n").filter(is_active).map(|unit| property(unit, "Id")).collect()
}

/// Those with a state directory of their own. Root does not look into it.
fn saved_users(
    config: &Config,
    mut users: Vec<Account>,
    problems: &mut Vec<Error>,
) -> Result<Vec<Account>, Error> {
    let state = match trusted_path::open_dir(&config.site_state_dir()) {
        Ok(state) => state,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    users.retain(|account| {
        let found = state.stat(&account.name).map(|stat| stat.map(|stat| refusal(&stat, account)));
        match found {
            Ok(Some(None)) => true,
            Ok(None) => false,
            Ok(Some(Some(why))) => {
                let path = state.path().join(&account.name);
                problems.push(FileError::refused("restoring from", path, why).into());
                false
            }
            Err(error) => {
                problems.push(error.into());
                false
            }
        }
    });
    Ok(users)
}

/// Why a state directory is not used: after a change of the user's uid it belongs to another one.
fn refusal(stat: &Stat, account: &Account) -> Option<String> {
    if !FileType::from_raw_mode(stat.st_mode).is_dir() {
        return Some("not a directory".to_owned());
    }
    let is_own = stat.st_uid == account.uid.as_raw();
    (!is_own).then(|| format!("belongs to uid {}, not to {}", stat.st_uid, account.name))
}

/// The unit of a user's session.
pub(crate) fn session_unit(account: &Account) -> String {
    format!("tmux-persist-session@{}.service", account.uid)
}

/// Waits for one user's home and starts that user's session; returns the session's status.
pub(crate) fn start_session(account: &Account) -> Result<String, Error> {
    let unit = session_unit(account);
    wait_for_mount(&account.home, HOME_DEADLINE).map_err(|source| {
        // The session's unit was not started, so it cannot report the failure by itself.
        let failed = format!("tmux-persist-failed@{unit}.service");
        let _ = systemctl(&["start", "--no-block", &failed], HOME_DEADLINE);
        Error::HomeNotMounted { home: account.home.clone(), source: Box::new(source) }
    })?;
    tracing::info!(unit, "starting the session");
    let started = systemctl(&["start", &unit], START_DEADLINE);
    let shown = systemctl(&["show", "--property=Result,StatusText", &unit], START_DEADLINE);
    let shown = shown.unwrap_or_default();
    let (result, status) = (property(&shown, "Result"), property(&shown, "StatusText"));
    match started {
        // A keeper with nothing to keep has exited already, and its status with it.
        Ok(_) if status.is_empty() => Ok("nothing to restore".to_owned()),
        Ok(_) => Ok(status),
        Err(source) => Err(Error::SessionUnit { unit, result, status, source: Box::new(source) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_expired_from_its_day_on() {
        let shadow =
            b"a:x:1:0:9:7:::\nb:x:1:0:9:7::1:\nc:x:1:0:9:7::20000:\nodd\n\nd:x:1:0:9:7::-1:\n";
        let expired =
            |day: u64| expired_accounts(shadow, day * 24 * 60 * 60).into_iter().collect::<Vec<_>>();
        assert_eq!(expired(19_999), ["b"]);
        assert_eq!(expired(20_000), ["b", "c"]);
        assert_eq!(expired(0), Vec::<String>::new());
    }
}
