//! Which users a task is for: the caller, in this process, or terminal users, for root, in
//! processes that become them.

use super::config::Config;
use super::error::Error;
use crate::identity::UserMap;
use crate::sys::fs::trusted_path;
use crate::sys::{Account, accounts};
use crate::text::suggest::did_you_mean;
use std::path::{Path, PathBuf};

/// Maximum size of a user map, in bytes.
const MAX_MAP: u64 = 16 << 20;

/// Which users a command is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Those named; else every terminal user, as root with a map; else the caller.
    NamedOrAll(Vec<String>),
    /// The one named, else the caller; as root with a map a name is required.
    One(Option<String>),
    Caller,
    /// Every terminal user, for root's timer. Without a map, no users.
    AllUsers,
}

/// The users found.
#[derive(Debug)]
pub enum Targets {
    Caller {
        account: Account,
        /// The directory that holds the caller's own state directory.
        state_dir: PathBuf,
    },
    /// Terminal users; root only.
    Users {
        /// In alphabetical order, each once.
        names: Vec<String>,
        /// What is wrong with the map.
        problems: Vec<Error>,
        /// Whether one user was requested by name.
        single: bool,
    },
}

/// Finds the users that a command is for.
pub fn find(config: &Config, target: &Target) -> Result<Targets, Error> {
    let named: Vec<String> = match target {
        Target::NamedOrAll(names) => names.clone(),
        Target::One(name) => name.iter().cloned().collect(),
        Target::Caller | Target::AllUsers => Vec::new(),
    };
    let account = accounts::current()?;
    if *target == Target::Caller {
        return Ok(caller(config, account));
    }
    let map = read_map(&config.user_map)?;
    if accounts::is_root() {
        return match map {
            Some((map, problems)) => for_root(config, target, named, &map, problems),
            None if *target == Target::AllUsers => Ok(no_users(Vec::new())),
            None if named.is_empty() => Ok(caller(config, account)),
            None if named == [account.name.as_str()] => Ok(caller(config, account)),
            None => Err(Error::NoMap { user: named[0].clone(), map: config.user_map.clone() }),
        };
    }
    if *target == Target::AllUsers {
        return Err(Error::NotRoot("a command for all terminal users"));
    }
    for name in &named {
        if *name == account.name {
            continue;
        }
        return Err(match &map {
            Some((map, _)) if map.contains(name) => Error::OtherUser { user: name.clone() },
            Some((map, _)) => unknown(config, map, name, [account.name.as_str()]),
            None => Error::NoMap { user: name.clone(), map: config.user_map.clone() },
        });
    }
    Ok(caller(config, account))
}

fn unknown<'a>(
    config: &Config,
    map: &'a UserMap,
    user: &str,
    others: impl IntoIterator<Item = &'a str>,
) -> Error {
    let suggestion = did_you_mean(user, map.users().chain(others));
    Error::UnknownUser { user: user.to_owned(), map: config.user_map.clone(), suggestion }
}

fn for_root(
    config: &Config,
    target: &Target,
    named: Vec<String>,
    map: &UserMap,
    problems: Vec<Error>,
) -> Result<Targets, Error> {
    if let Some(name) = named.iter().find(|name| !map.contains(name)) {
        return Err(unknown(config, map, name, []));
    }
    let single = named.len() == 1;
    let mut users = match target {
        Target::AllUsers => map.users().map(str::to_owned).collect::<Vec<_>>(),
        Target::NamedOrAll(_) if named.is_empty() => map.users().map(str::to_owned).collect(),
        Target::One(None) => return Err(Error::UserRequired),
        _ => named,
    };
    let mut problems = problems;
    if users.is_empty() && *target == Target::AllUsers {
        return Ok(no_users(problems));
    }
    if users.is_empty() && problems.is_empty() {
        problems.push(Error::EmptyMap { map: config.user_map.clone() });
    }
    users.sort();
    users.dedup();
    Ok(Targets::Users { names: users, problems, single })
}

/// A host without terminal users is in order.
fn no_users(problems: Vec<Error>) -> Targets {
    Targets::Users { names: Vec::new(), problems, single: false }
}

fn caller(config: &Config, account: Account) -> Targets {
    let own = || own_state_dir(config, &account);
    let state_dir = config.state_dir.clone().unwrap_or_else(own);
    Targets::Caller { account, state_dir }
}

/// The site's directory if root has made the caller's directory there, so that the user's own
/// shell and the timers see one state; `$XDG_STATE_HOME/tmux-persist` otherwise.
fn own_state_dir(config: &Config, account: &Account) -> PathBuf {
    use std::os::unix::fs::MetadataExt;
    let site = config.site_state_dir();
    let given = site.join(&account.name).symlink_metadata();
    if given.is_ok_and(|meta| meta.is_dir() && meta.uid() == account.uid.as_raw()) {
        return site;
    }
    let base = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let base = base.filter(|dir| dir.is_absolute() && (!accounts::is_root() || is_roots_own(dir)));
    base.unwrap_or_else(|| account.home.join(".local/state")).join("tmux-persist")
}

/// Whether only root could have made what is, or will be, at `path`. Some ways of becoming root
/// keep the variables of a user, which would lead root into that user's home.
fn is_roots_own(path: &Path) -> bool {
    let existing = path.ancestors().find(|part| part.symlink_metadata().is_ok());
    existing.is_some_and(|part| trusted_path::check(part).is_ok())
}

/// The map, if there is one, with its invalid lines; for root, only if it is root's own.
pub(crate) fn read_map(path: &Path) -> Result<Option<(UserMap, Vec<Error>)>, Error> {
    let bytes = match trusted_path::read_as_caller(path, MAX_MAP) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) if error.is_untrusted() => return Err(Error::Untrusted(error)),
        Err(error) => return Err(Error::UnreadableMap(error)),
    };
    let (map, errors) = UserMap::parse(&String::from_utf8_lossy(&bytes), path);
    Ok(Some((map, errors.into_iter().map(Error::from).collect())))
}
