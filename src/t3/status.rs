//! How each instance is, by what the parts have on record and what the instance itself says.

use super::backup::{Attempt, Good, Limits, Record, RecordReader};
use super::enforce::state::State;
use super::enforce::versions::{self, Chosen};
use super::instance::Instance;
use super::paths::Paths;
use super::restore;
use super::served;
use super::settings::Settings;
use crate::sys::accounts;
use crate::sys::clock::Epoch;
use crate::sys::fs::trusted_path;
use crate::sys::process::parallel;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

/// How long an instance may take to answer.
const REQUEST: Duration = Duration::from_secs(3);
/// How many instances are asked at once.
const PARALLEL: usize = 16;
/// What the watchdog counted, in the directory of this boot.
const WATCHDOG: &str = "watchdog.json";
/// Maximum size of that, in bytes.
const MAX_WATCHDOG: u64 = 4 << 20;

/// Why it is not known how the instances are.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    #[error(transparent)]
    Served(#[from] served::ServedError),
    #[error(transparent)]
    Settings(#[from] super::settings::SettingsError),
    #[error(transparent)]
    State(#[from] super::enforce::state::StateError),
    #[error(transparent)]
    Backup(#[from] super::backup::BackupError),
    #[error(transparent)]
    File(#[from] crate::sys::FileError),
}

/// One user's instance.
#[derive(Debug, Clone, Serialize)]
pub struct UserStatus {
    pub user: String,
    pub port: u16,
    /// The version that it is to be started with; `None` if it has not been started yet.
    pub chosen: Option<String>,
    /// The version that answers.
    pub live: Option<String>,
    /// The version that is wanted.
    pub target: Option<String>,
    /// Whether it answers, and can check sessions.
    pub healthy: bool,
    /// Why not; not escaped.
    pub why: Option<String>,
    /// Why a change of its version is left for later.
    pub deferred: Option<String>,
    pub last_backup: Option<Good>,
    /// The last attempt at a backup, if it failed.
    pub backup_failed: Option<Attempt>,
    /// Whether its last good backup is too old, or the last attempt failed.
    pub backup_stale: bool,
    /// Whether a restore was begun and has not ended: the instance does not start.
    pub restoring: bool,
    /// Whether the watchdog has given it up.
    pub watchdog_stands_down: bool,
    /// How many times in a row it did not answer the watchdog.
    pub watchdog_failures: u64,
}

/// How all instances are, by user.
///
/// # Errors
/// If what is on record cannot be read. An instance that does not answer is none.
pub fn status(paths: &Paths, now: Epoch) -> Result<Vec<UserStatus>, StatusError> {
    let ports: Vec<(String, u16)> = served::ports(paths)?.into_iter().collect();
    let limits = Settings::read(paths)?.backup;
    let state = State::read(paths)?;
    let restoring: BTreeSet<String> = restore::unfinished(paths)?.into_iter().collect();
    let watched = watched(paths)?;
    let records = RecordReader::open(paths)?;
    let asked = parallel::for_each(&ports, PARALLEL, |(user, port)| ask(user, *port));
    let mut all = Vec::new();
    for ((user, port), (live, why)) in ports.into_iter().zip(asked) {
        let record = records.read(&user)?;
        let chosen = match versions::of_user(paths, &user)? {
            Chosen::Version(version) => Some(version.to_string()),
            Chosen::None | Chosen::Held => None,
        };
        let counted = watched.get(&user).cloned().unwrap_or_default();
        all.push(UserStatus {
            chosen,
            healthy: why.is_none(),
            live,
            why,
            target: state.target.as_ref().map(|target| target.version.to_string()),
            deferred: state.deferred.get(&user).map(|one| one.why.clone()),
            backup_stale: is_stale(&record, &limits, now),
            last_backup: record.good,
            backup_failed: record.failed,
            restoring: restoring.contains(&user),
            watchdog_stands_down: counted.get("stands_down").is_some_and(|one| *one == true),
            watchdog_failures: counted.get("failures").and_then(Value::as_u64).unwrap_or(0),
            user,
            port,
        });
    }
    Ok(all)
}

/// Whether a backup is missing that there should be.
fn is_stale(record: &Record, limits: &Limits, now: Epoch) -> bool {
    let is_old = record.good.as_ref().is_some_and(|good| {
        now.saturating_sub(good.time) > limits.max_age_hours.saturating_mul(3600)
    });
    is_old || record.failed.is_some()
}

/// The version that an instance says, and why it is not healthy.
fn ask(user: &str, port: u16) -> (Option<String>, Option<String>) {
    let uid = match accounts::by_name(user) {
        Ok(account) => account.uid,
        Err(error) => return (None, Some(error.to_string())),
    };
    let instance = Instance::on(port, REQUEST);
    if let Err(error) = instance.check_owner(uid) {
        return (None, Some(error.to_string()));
    }
    match (instance.version(), instance.session(&[])) {
        (Ok(version), Ok(_)) => (Some(version), None),
        (Err(error), _) => (None, Some(error.to_string())),
        (Ok(version), Err(error)) => (Some(version), Some(error.to_string())),
    }
}

/// What the watchdog has on record, by user; nothing if it cannot be read.
fn watched(paths: &Paths) -> Result<BTreeMap<String, Value>, crate::sys::FileError> {
    match trusted_path::read(&paths.run().join(WATCHDOG), MAX_WATCHDOG) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(error) if error.is_not_found() => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// The metrics of the backups, for Prometheus' node exporter.
pub fn metrics(all: &[UserStatus], now: Epoch) -> String {
    let mut text = String::new();
    let mut metric = |name: &str, help: &str, value: &dyn Fn(&UserStatus) -> u64| {
        let name = format!("terminal_lobby_t3_backup_{name}");
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for one in all {
            let _ = writeln!(text, "{name}{{user=\"{}\"}} {}", one.user, value(one));
        }
    };
    let good = |one: &UserStatus| one.last_backup.as_ref().map_or(0, |good| good.time);
    metric("last_good_seconds", "When the data were last backed up well; 0 for never.", &good);
    let bytes = |one: &UserStatus| one.last_backup.as_ref().map_or(0, |good| good.bytes);
    metric("bytes", "What that backup takes beside what it shares with the one before.", &bytes);
    let is = |kind: super::backup::protocol::Kind| {
        move |one: &UserStatus| {
            u64::from(one.backup_failed.as_ref().is_some_and(|failed| failed.kind == kind))
        }
    };
    let failed = |one: &UserStatus| u64::from(one.backup_failed.is_some());
    metric("failed", "Whether the last attempt failed.", &failed);
    metric(
        "corrupt",
        "Whether it failed since the database is damaged.",
        &is(super::backup::protocol::Kind::Corrupt),
    );
    metric("stale", "Whether the last good one is too old, or the last attempt failed.", &|one| {
        u64::from(one.backup_stale)
    });
    metric("restoring", "Whether a restore was begun and has not ended.", &|one| {
        u64::from(one.restoring)
    });
    let name = "terminal_lobby_t3_backup_status_timestamp_seconds";
    let _ =
        writeln!(text, "# HELP {name} When this was written.\n# TYPE {name} gauge\n{name} {now}");
    text
}
