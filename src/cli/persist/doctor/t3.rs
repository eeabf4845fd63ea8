//! The instances of T3 Code: whether they answer, in their versions; what looks after them; backups. Nothing is
//! checked on a host without a table of instances.

use super::units::{Unit, show};
use crate::persist::report::Check;
use crate::sys::clock::Epoch;
use crate::sys::fs::trusted_path;
use crate::sys::{accounts, process::parallel};
use crate::t3::backup::Record;
use crate::t3::enforce::versions::{self, Chosen};
use crate::t3::enforce::{freeze, state};
use crate::t3::instance::Instance;
use crate::t3::paths::Paths;
use crate::t3::units;
use crate::t3::watchdog::record;
use crate::t3::{served, table};
use crate::text::{escape, shown};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const UNITS: [&str; 4] =
    ["t3-mint.socket", "t3-watchdog.timer", "t3-backup.timer", "t3-enforce.timer"];
/// Units of the suite before, which would work against ours (docs/t3.md, "From the suite before").
const FORMER: [&str; 2] = ["t3-autoupdate.timer", "t3-dispatch.service"];
/// Units that a copy in /etc takes precedence over.
const SHIPPED: [&str; 6] = [
    "t3-serve@.service",
    "t3-watchdog.service",
    "t3-watchdog.timer",
    "t3-backup.service",
    "t3-backup.timer",
    "t3-enforce.service",
];
/// How long an instance may take to answer.
const ANSWERS: Duration = Duration::from_secs(3);
const DAY: Epoch = 24 * 3600;
/// How old a daily backup may be, in days, and how long a version may be wanted that not all instances run.
const MAX_BACKUP_DAYS: Epoch = 2;
const MAX_BEHIND_DAYS: Epoch = 7;
/// How many users a check names.
const NAMED: usize = 3;

/// Checks the instances of the host below `root`, as root.
pub(super) fn checks(root: &Path, now: Epoch) -> Vec<Check> {
    const NAME: &str = "t3 table";
    let paths = Paths::below(root);
    let fix = "provision apply";
    let ports = match served::ports(&paths) {
        Ok(ports) if ports.is_empty() && !paths.dispatch().exists() => return Vec::new(),
        Ok(ports) => ports,
        Err(error) => return vec![Check::fault(NAME, error.to_string(), fix)],
    };
    let users: Vec<&str> = ports.keys().map(String::as_str).collect();
    let mut checks = vec![Check::ok(NAME, format!("{} users have an instance", users.len()))];
    checks.extend(closed(&paths));
    if root.join("run/systemd/system").is_dir() {
        match show("Id,LoadState,ActiveState", &UNITS) {
            Ok(shown) => checks.extend(UNITS.map(|name| unit(name, &shown))),
            Err(why) => checks.push(Check::fault("t3 units", why, "systemctl status")),
        }
        checks.push(instances(&paths, &ports));
    }
    checks.extend(former(root, &paths));
    checks.push(backups(&paths, &users, now));
    checks.extend(enforced(&paths, now));
    checks.push(watchdog(&paths));
    checks
}

/// What is left of the suite before: units that run, files that take precedence over ours, a freeze that counts no
/// more.
fn former(root: &Path, paths: &Paths) -> Vec<Check> {
    const NAME: &str = "t3 migration";
    let mut checks = Vec::new();
    if root.join("run/systemd/system").is_dir()
        && let Ok(shown) = show("Id,ActiveState", &FORMER)
    {
        let is_active =
            |unit: &&Unit| unit.get("ActiveState").is_some_and(|state| state == "active");
        let names: Vec<&str> = shown
            .iter()
            .filter(is_active)
            .filter_map(|unit| unit.get("Id"))
            .map(String::as_str)
            .collect();
        if !names.is_empty() {
            let what = format!("of the suite before, and still active: {}", names.join(", "));
            let fix = format!("systemctl disable --now {}", names.join(" "));
            checks.push(Check::fault(NAME, what, fix));
        }
    }
    let in_etc = |name: &&str| {
        let file = root.join("etc/systemd/system").join(name);
        file.symlink_metadata().is_ok_and(|stat| stat.is_file())
    };
    let copies: Vec<String> = SHIPPED
        .into_iter()
        .filter(in_etc)
        .map(|name| format!("/etc/systemd/system/{name}"))
        .collect();
    if !copies.is_empty() {
        let what = format!("takes precedence over the package's unit: {}", copies.join(", "));
        let fix = format!("rm {}; systemctl daemon-reload", copies.join(" "));
        checks.push(Check::fault(NAME, what, fix));
    }
    let freeze = root.join("etc/t3-autoupdate.freeze");
    if freeze.symlink_metadata().is_ok() && !paths.freeze().exists() {
        let what = "/etc/t3-autoupdate.freeze counts no more, and versions are not frozen";
        checks.push(Check::fault(NAME, what, "provision t3 freeze; rm /etc/t3-autoupdate.freeze"));
    }
    checks
}

fn closed(paths: &Paths) -> Option<Check> {
    let bytes = match trusted_path::read_as_caller(&paths.closed(), table::MAX_TABLE) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return None,
        Err(error) => {
            return Some(Check::fault("t3 closed", error.to_string(), "provision apply"));
        }
    };
    let why = table::closed(&bytes).err()?;
    let what = format!("{}: {why}", shown(&paths.closed()));
    Some(Check::fault("t3 closed", what, "provision apply"))
}

fn unit(name: &str, shown: &[Unit]) -> Check {
    let unit = shown.iter().find(|unit| unit.get("Id").is_some_and(|id| id == name));
    let get = |property: &str| unit.and_then(|unit| unit.get(property)).map_or("", String::as_str);
    match (get("LoadState"), get("ActiveState")) {
        ("masked", _) => Check::skipped(name, "masked: off by choice"),
        ("loaded", "active") => Check::ok(name, "armed"),
        ("loaded", _) => Check::fault(name, "not armed", format!("systemctl enable --now {name}")),
        _ => Check::skipped(name, "not installed"),
    }
}

/// Asks all that run, at the same time.
fn instances(paths: &Paths, ports: &BTreeMap<String, u16>) -> Check {
    const NAME: &str = "t3 instances";
    let names: Vec<String> = ports.keys().map(|user| units::instance(user)).collect();
    let states = match units::states(&names) {
        Ok(states) => states,
        Err(error) => return Check::fault(NAME, error.to_string(), "systemctl status"),
    };
    let is_active =
        |user: &str| states.get(&units::instance(user)).is_some_and(|state| state.active);
    let active: Vec<_> = ports.iter().filter(|(user, _)| is_active(user)).collect();
    let wrong: Vec<String> = parallel::for_each(&active, 64, |(user, port)| {
        wrong(paths, user, **port).map(|why| format!("{user}: {why}"))
    })
    .into_iter()
    .flatten()
    .collect();
    let idle = ports.len() - active.len();
    if wrong.is_empty() {
        return Check::ok(NAME, format!("{} answer, {idle} do not run", active.len()));
    }
    Check::fault(NAME, few(&wrong), "journalctl -n 50 -u 't3-serve@*'")
}

/// What is wrong with an instance.
fn wrong(paths: &Paths, user: &str, port: u16) -> Option<String> {
    let uid = match accounts::uid_of(user) {
        Ok(Some(uid)) => uid,
        Ok(None) => return Some("there is no such account".to_owned()),
        Err(error) => return Some(error.to_string()),
    };
    let instance = Instance::on(port, ANSWERS);
    let version = instance.check_owner(uid).and_then(|()| instance.version());
    let live = match version {
        Ok(live) => live,
        Err(error) => return Some(error.to_string()),
    };
    let chosen = match versions::of_user(paths, user) {
        Ok(Chosen::Version(version)) => version.to_string(),
        Ok(Chosen::None | Chosen::Held) => return None,
        Err(error) => return Some(error.to_string()),
    };
    (chosen != live).then(|| format!("runs {live}, and its version is {chosen}"))
}

fn backups(paths: &Paths, users: &[&str], now: Epoch) -> Check {
    const NAME: &str = "t3 backups";
    let fix = "provision t3 backups";
    let dir = trusted_path::open_dir(&paths.state().join("backup"));
    let is_old = |user: &&&str| {
        let record = dir.as_ref().ok().and_then(|dir| Record::read(dir, user).ok());
        let good = record.and_then(|record| record.good);
        good.is_none_or(|good| now.saturating_sub(good.time) > MAX_BACKUP_DAYS * DAY)
    };
    let old: Vec<String> = users.iter().filter(is_old).map(|user| (*user).to_owned()).collect();
    if old.is_empty() {
        return Check::ok(NAME, format!("all are at most {MAX_BACKUP_DAYS} days old"));
    }
    Check::warn(NAME, format!("none of the last {MAX_BACKUP_DAYS} days: {}", few(&old)), fix)
}

/// The versions: whether they are frozen, or behind.
fn enforced(paths: &Paths, now: Epoch) -> Vec<Check> {
    const NAME: &str = "t3 version";
    let mut checks = Vec::new();
    match freeze::frozen(paths) {
        Ok(None) => {}
        Ok(Some(why)) => {
            let what = format!("frozen: {}", escape(why.as_bytes()));
            checks.push(Check::warn("t3 freeze", what, "provision t3 unfreeze"));
        }
        Err(error) => {
            checks.push(Check::fault("t3 freeze", error.to_string(), "ls -l /etc/t3-serve"));
        }
    }
    if !paths.state().exists() {
        return checks;
    }
    let fix = "journalctl -u t3-enforce.service";
    checks.push(match state::State::read(paths) {
        Err(error) => Check::fault(NAME, error.to_string(), fix),
        Ok(state) => version(&state, now),
    });
    checks
}

fn version(state: &state::State, now: Epoch) -> Check {
    const NAME: &str = "t3 version";
    let fix = "journalctl -u t3-enforce.service";
    let behind = state.target.as_ref().and_then(|target| {
        let days = now.saturating_sub(target.behind_since?) / DAY;
        (days >= MAX_BEHIND_DAYS).then_some((&target.version, days))
    });
    if let Some((version, days)) = behind {
        let what = format!("behind {version} for {days} days, {} deferred", state.deferred.len());
        return Check::fault(NAME, what, fix);
    }
    match &state.last_good {
        Some(version) => Check::ok(NAME, format!("{version}, {} deferred", state.deferred.len())),
        None => Check::skipped(NAME, "no version was given to instances yet"),
    }
}

fn watchdog(paths: &Paths) -> Check {
    const NAME: &str = "t3 watchdog";
    let records = match record::read(paths) {
        Ok(records) => records,
        Err(error) => return Check::fault(NAME, error.to_string(), "rm /run/t3/watchdog.json"),
    };
    let down = records.iter().filter(|(_, record)| record.stands_down);
    let down: Vec<String> =
        down.map(|(user, record)| format!("{user} ({})", shown(&record.why))).collect();
    if down.is_empty() {
        return Check::ok(NAME, "no instance is given up");
    }
    Check::fault(NAME, format!("given up: {}", few(&down)), "journalctl -u t3-watchdog.service")
}

fn few(all: &[String]) -> String {
    let named = all[..all.len().min(NAMED)].join("; ");
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;
    use crate::t3::watchdog::decide::Record as Watched;

    #[test]
    fn a_version_that_is_wanted_for_a_week_and_an_instance_that_is_given_up_are_faults() {
        let mut state = state::State::default();
        let target = state::Target { version: "0.0.26".parse().unwrap(), behind_since: Some(0) };
        state.target = Some(target);
        assert_eq!(version(&state, 6 * DAY).state, CheckState::Skipped);
        assert_eq!(version(&state, 7 * DAY).state, CheckState::Fault);
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::below(root.path());
        assert_eq!(watchdog(&paths).state, CheckState::Ok);
        let given_up = Watched { stands_down: true, why: "\x1b".to_owned(), ..Watched::default() };
        record::write(&paths, &[("ann".to_owned(), given_up)].into()).unwrap();
        let check = watchdog(&paths);
        assert_eq!(check.state, CheckState::Fault);
        assert!(check.what.contains("given up: ann (") && !check.what.contains('\x1b'));
    }

    #[test]
    fn a_host_without_instances_is_not_checked_and_a_table_that_cannot_be_read_is_a_fault() {
        let root = tempfile::tempdir().unwrap();
        assert!(checks(root.path(), 0).is_empty());
        let paths = Paths::below(root.path());
        std::fs::create_dir_all(paths.services()).unwrap();
        std::fs::write(paths.dispatch(), "[").unwrap();
        assert_eq!(checks(root.path(), 0)[0].state, CheckState::Fault);
        std::fs::write(paths.dispatch(), r#"{"a": {"os_user": "ann", "port": 3773}}"#).unwrap();
        let states: Vec<_> = checks(root.path(), 0).into_iter().map(|check| check.state).collect();
        assert_eq!(states, [CheckState::Ok, CheckState::Warn, CheckState::Ok]);
    }
}
