//! Whose work it is: the caller's own, in this process, or that of terminal users, for root, in
//! processes that become them.

use super::config::Config;
use crate::cli::exit::Failure;
use crate::cli::persist::args::Whom;
use crate::identity::UserMap;
use crate::sys::fs::{self, trusted_path};
use crate::sys::{Account, accounts};
use std::path::{Path, PathBuf};

/// No user map is larger (bytes).
const MAX_MAP: u64 = 16 << 20;

/// Where the work happens.
#[derive(Debug)]
pub enum Targets {
    /// The caller alone.
    Caller {
        /// Who that is.
        account: Account,
        /// The caller's own state directory.
        state_dir: PathBuf,
    },
    /// Terminal users, by name; root only.
    Users {
        /// Their names, in order.
        names: Vec<String>,
        /// Lines of the map that do not parse.
        problems: Vec<String>,
        /// Whether one user was asked for by name.
        single: bool,
    },
}

/// Finds the targets of a command.
pub fn find(config: &Config, whom: &Whom) -> Result<Targets, Failure> {
    let named: Vec<String> = match whom {
        Whom::AllOr(names) => names.clone(),
        Whom::One(name) => name.iter().cloned().collect(),
        Whom::Caller | Whom::Everybody => Vec::new(),
    };
    let account = accounts::current().map_err(|error| Failure::failed(error.to_string()))?;
    if *whom == Whom::Caller {
        return Ok(caller(config, account));
    }
    let map = read_map(&config.user_map)?;
    if accounts::is_root() {
        return match map {
            Some((map, problems)) => for_root(config, whom, named, &map, problems),
            None if *whom == Whom::Everybody => Ok(nobody(Vec::new())),
            None if named.is_empty() => Ok(caller(config, account)),
            None if named == [account.name.as_str()] => Ok(caller(config, account)),
            None => {
                let map = config.user_map.display();
                let message =
                    format!("{}: not a known terminal user (there is no {map})", shown(&named[0]));
                Err(Failure::usage(message))
            }
        };
    }
    if *whom == Whom::Everybody {
        return Err(Failure::refused("only root may work for every terminal user"));
    }
    for name in &named {
        let known =
            *name == account.name || map.as_ref().is_some_and(|(map, _)| map.contains(name));
        if !known {
            return Err(Failure::usage(format!("{}: not a known terminal user", shown(name))));
        }
        if *name != account.name {
            let message = format!("{}: only root may work for another user", shown(name));
            return Err(Failure::refused(message));
        }
    }
    Ok(caller(config, account))
}

fn for_root(
    config: &Config,
    whom: &Whom,
    named: Vec<String>,
    map: &UserMap,
    problems: Vec<String>,
) -> Result<Targets, Failure> {
    trusted_path::assert_roots_own(&config.user_map)
        .map_err(|error| Failure::refused(error.to_string()))?;
    if let Some(unknown) = named.iter().find(|name| !map.contains(name)) {
        return Err(Failure::usage(format!("{}: not a known terminal user", shown(unknown))));
    }
    let single = named.len() == 1;
    let mut users = match whom {
        Whom::Everybody => map.users().map(str::to_owned).collect::<Vec<_>>(),
        Whom::AllOr(_) if named.is_empty() => map.users().map(str::to_owned).collect(),
        Whom::One(None) => return Err(Failure::usage("name the terminal user: --user NAME")),
        _ => named,
    };
    let mut problems = problems;
    if users.is_empty() && *whom == Whom::Everybody {
        return Ok(nobody(problems));
    }
    if users.is_empty() && problems.is_empty() {
        problems.push(format!("{}: names no terminal user", config.user_map.display()));
    }
    users.sort();
    users.dedup();
    Ok(Targets::Users { names: users, problems, single })
}

/// A host without terminal users is in order: nothing is done for them.
fn nobody(problems: Vec<String>) -> Targets {
    Targets::Users { names: Vec::new(), problems, single: false }
}

fn caller(config: &Config, account: Account) -> Targets {
    let own = || own_state_dir(config, &account);
    let state_dir = config.state_dir.clone().unwrap_or_else(own);
    Targets::Caller { account, state_dir }
}

/// The site's directory where root has given the caller a place there, so that the user's own
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

/// Whether root alone could have made what is, or will be, at `path`. Some ways of becoming root
/// keep the variables of a user, and would lead root into that user's home.
fn is_roots_own(path: &Path) -> bool {
    let existing = path.ancestors().find(|part| part.symlink_metadata().is_ok());
    existing.is_some_and(|part| trusted_path::assert_roots_own(part).is_ok())
}

/// The map, if there is one, with what does not parse.
pub(crate) fn read_map(path: &Path) -> Result<Option<(UserMap, Vec<String>)>, Failure> {
    let bytes = match fs::read(path, MAX_MAP) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(Failure::usage(error.to_string())),
    };
    let (map, errors) = UserMap::parse(&String::from_utf8_lossy(&bytes), path);
    Ok(Some((map, errors.iter().map(ToString::to_string).collect())))
}

fn shown(name: &str) -> String {
    crate::text::escape(name.as_bytes())
}
