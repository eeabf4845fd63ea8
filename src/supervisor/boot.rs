//! `boot`: root brings every terminal user's sessions back, each in a session of that user's own
//! that the service manager starts. Root decides who and when; what is restored, and what with,
//! the user's own process finds out (`keeper`).

use super::config::Config;
use super::targets::{self, Targets};
use super::{session_request, socket_dirs};
use crate::cli::exit::{Exit, Failure};
use crate::cli::persist::args::Whom;
use crate::persist::restore_pending;
use crate::sys::fs::trusted_path;
use crate::sys::process::exec::{self, Program};
use crate::sys::process::parallel::for_each;
use crate::sys::{Account, accounts};
use crate::text::escape;
use std::path::Path;
use std::time::Duration;

/// How long the file system of one user's home may take to be mounted.
pub(crate) const HOME_DEADLINE: Duration = Duration::from_mins(1);
/// How long one user's session may take: more than the unit allows, which ends it before.
pub(crate) const START_DEADLINE: Duration = Duration::from_secs(200);
/// Users waited for at once: nearly all of that time is the service manager's.
const AT_ONCE: usize = 64;

/// Restores for everybody of the map who has ever been saved. One user's trouble is that user's:
/// it is told, and the others come back.
pub fn restore_everybody(config: &Config, quiet: bool) -> Result<Exit, Failure> {
    let saved = saved_users(config)?;
    if saved.is_empty() {
        crate::cli::output::warning("no terminal user has anything to restore");
        return Ok(Exit::Done);
    }
    announce(&saved);
    let results = for_each(&saved, AT_ONCE, restore);
    for (account, result) in saved.iter().zip(results) {
        match result {
            Ok(status) if !quiet => {
                crate::cli::output::print(&format!("{}: {status}\n", account.name))?
            }
            Ok(_) => {}
            Err(why) => crate::cli::output::warning(&format!("{}: {why}", account.name)),
        }
    }
    // Each failed user has a failed unit that told; this one's job, to try everybody, is done.
    Ok(Exit::Done)
}

/// Says whose sessions are about to be restored, and no more.
pub fn announce_everybody(config: &Config) -> Result<Exit, Failure> {
    // Once more: accounts from the network are not known when the first unit looks.
    let made = make_socket_dirs(&map_users(config)?.1);
    let announced = announce(&saved_users(config)?);
    Ok(if made && announced { Exit::Done } else { Exit::Failed })
}

/// Makes the directory of each terminal user's tmux sockets, before anybody else can. Whoever is
/// not known yet comes into turn with the announcement.
pub fn make_everybodys_socket_dirs(config: &Config) -> Result<Exit, Failure> {
    Ok(if make_socket_dirs(&map_users(config)?.1) { Exit::Done } else { Exit::Failed })
}

/// Whether each of these users has a directory for tmux's sockets now, or another trouble.
fn make_socket_dirs(users: &[Account]) -> bool {
    let tmp = match socket_dirs::open() {
        Ok(tmp) => tmp,
        Err(error) => {
            crate::cli::output::error(&error.to_string());
            return false;
        }
    };
    let mut all = true;
    for account in users {
        if let Err(error) = socket_dirs::ensure(&tmp, account) {
            let said = format!("{}: {error}", account.name);
            crate::cli::output::error(&said);
            all = false;
        }
    }
    all
}

/// From here on no save may follow these users' snapshots, before anything is waited for. Whether
/// all were announced.
fn announce(saved: &[Account]) -> bool {
    let mut all = true;
    for account in saved {
        if let Err(error) = restore_pending::announce(account) {
            crate::cli::output::warning(&format!("{}: {error}", account.name));
            all = false;
        }
    }
    all
}

/// The accounts of the map's users, and what is wrong with it; root is none of them.
fn map_users(config: &Config) -> Result<(Vec<String>, Vec<Account>), Failure> {
    let (names, mut problems) = match targets::find(config, &Whom::Everybody)? {
        Targets::Users { names, problems, .. } => (names, problems),
        Targets::Caller { .. } => return Err(Failure::refused("only root restores for everybody")),
    };
    let mut users = Vec::new();
    for name in names {
        match accounts::by_name(&name) {
            Ok(account) if account.uid.is_root() => {
                problems.push(format!("{name}: root is not a terminal user"));
            }
            Ok(account) => users.push(account),
            Err(error) => problems.push(error.to_string()),
        }
    }
    Ok((problems, users))
}

/// Users of the map with a state directory of theirs. What is in it root does not look at.
fn saved_users(config: &Config) -> Result<Vec<Account>, Failure> {
    use std::os::unix::fs::MetadataExt;
    let (problems, mut users) = map_users(config)?;
    for problem in &problems {
        crate::cli::output::warning(problem);
    }
    let state = &config.site_state_dir();
    if !state.exists() {
        return Ok(Vec::new());
    }
    trusted_path::assert_roots_own(state).map_err(|error| Failure::refused(error.to_string()))?;
    users.retain(|account| {
        let own = state.join(&account.name).symlink_metadata();
        own.is_ok_and(|meta| meta.is_dir() && meta.uid() == account.uid.as_raw())
    });
    Ok(users)
}

/// Restores all of one user's; gives what the session says of itself.
fn restore(account: &Account) -> Result<String, String> {
    // Whoever restores a part by hand does so before or after.
    let _alone =
        session_request::alone(account, START_DEADLINE).map_err(|error| error.to_string())?;
    start_session(account)
}

/// The unit of a user's session.
pub(crate) fn session_unit(account: &Account) -> String {
    format!("tmux-persist-session@{}.service", account.uid)
}

/// Waits for one user's home and starts that user's session; gives what the session says of
/// itself.
pub(crate) fn start_session(account: &Account) -> Result<String, String> {
    let unit = session_unit(account);
    wait_for_home(&account.home).map_err(|why| {
        // The session's unit has not failed, for it was not started: so it is told here.
        let told = format!("tmux-persist-failed@{unit}.service");
        let _ = systemctl(&["start", "--no-block", &told], HOME_DEADLINE);
        format!(
            "{}: {why}; nothing is restored",
            escape(account.home.as_os_str().as_encoded_bytes())
        )
    })?;
    let started = systemctl(&["start", &unit], START_DEADLINE);
    let shown = ["show", "--property=Result,StatusText", &unit];
    let shown = systemctl(&shown, START_DEADLINE).unwrap_or_default();
    let property = |name: &str| property(&shown, name);
    match started {
        // Who has nothing to keep is gone already, with the status.
        Ok(_) if property("StatusText").is_empty() => Ok("nothing to restore".to_owned()),
        Ok(_) => Ok(property("StatusText")),
        Err(why) => {
            Err(format!("{unit}: {}: {}; {why}", property("Result"), property("StatusText")))
        }
    }
}

/// A property out of the output of `systemctl show`. A keeper's status is its user's to choose.
pub(crate) fn property(shown: &str, name: &str) -> String {
    let found = shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    escape(found.unwrap_or_default().as_bytes())
}

/// Waits until what a home lies on is mounted: a unit that requires the path does nothing else.
fn wait_for_home(home: &Path) -> Result<(), String> {
    let home = home.to_str().ok_or("the path is not UTF-8")?;
    let quoted = home.replace('\\', r"\\").replace('"', "\\\"");
    let requires = format!("--property=RequiresMountsFor=\"{quoted}\"");
    let options = ["--quiet", "--wait", "--collect", "--service-type=oneshot"];
    let program = Program::new("systemd-run").args(options).args([requires.as_str(), "--", "true"]);
    ended_well(program.deadline(HOME_DEADLINE)).map(drop)
}

/// What `systemctl` prints.
pub(crate) fn systemctl(args: &[&str], deadline: Duration) -> Result<String, String> {
    ended_well(Program::new("systemctl").args(args).deadline(deadline))
}

fn ended_well(program: Program) -> Result<String, String> {
    let output = program.run().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = escape(output.stderr.trim_ascii());
        return Err(format!("{}: {said}", exec::describe(output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_keeper_says_of_itself_is_one_escaped_line() {
        let shown = "Result=success\nStatusText=2 \x1b[2Jsessions\nStatusTextual=x\n";
        assert_eq!(property(shown, "StatusText"), "2 \\x1b[2Jsessions");
        assert_eq!(property(shown, "Result"), "success");
        assert_eq!(property(shown, "Absent"), "");
    }
}
