//! The order of effects of a restore, as root: prepare, note it, stop, exchange, start, ask the instance.

use super::RestoreError;
use super::journal::{self, Journal};
use super::protocol::{Answer, BEFORE, NEW, Request, What, is_stamp};
use crate::sys::accounts;
use crate::sys::clock;
use crate::sys::fs::random_hex;
use crate::sys::process::tool::{self, ToolError};
use crate::t3::backup::{self, BackupId};
use crate::t3::instance::Instance;
use crate::t3::paths::Paths;
use crate::t3::settings::Settings;
use crate::t3::units;
use crate::t3::user_process::{self, AskError};
use crate::t3::{backup::Limits, served};
use std::time::{Duration, Instant};

/// The part of the user's process that does it.
const PART: &str = "restore";
/// How long exchanging the data may take.
const SWAP: Duration = Duration::from_mins(5);
/// How long the user's process may take to end, after the time that it has.
const GRACE: Duration = Duration::from_mins(1);
const REQUEST: Duration = Duration::from_secs(5);
const BETWEEN: Duration = Duration::from_millis(200);

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the former data are called, in the user's base directory.
    pub set_aside: String,
    /// Whether the instance answers; `None` if it did not run before, and so was not started.
    pub answers: Option<bool>,
}

/// Restores a user's data from a backup, the newest one for `None`. The caller holds the lock of the user
/// ([`crate::t3::lock`]). A restore that was interrupted is finished first.
///
/// # Errors
/// Before the instance was stopped nothing has changed; later, [`resume`] finishes it.
pub fn restore(
    user: &str,
    id: Option<&BackupId>,
    what: What,
    paths: &Paths,
) -> Result<(BackupId, Restored), RestoreError> {
    resume(user, paths)?;
    let (list, record) = backup::list(user, paths)?;
    let found = match id {
        Some(id) => list.into_iter().find(|one| one.id == *id),
        None => list.into_iter().next(),
    };
    let found = found.ok_or(RestoreError::NoBackup)?;
    let Limits { seconds, keep_free_bytes, .. } = Settings::read(paths)?.backup;
    let stamp = new_stamp();
    let request = Request::Prepare {
        place: backup::place_of(user, paths)?,
        id: found.id.clone(),
        what,
        stamp: stamp.clone(),
        sha256: record.sha256.get(&found.id).cloned(),
        seconds,
        keep_free_bytes,
    };
    ask(user, &request, Duration::from_secs(seconds) + GRACE)?;
    let restored = exchange(user, format!("{NEW}{stamp}"), stamp, paths)?;
    Ok((found.id, restored))
}

/// Exchanges a user's data with those that were set aside last; so the last restore, or the last undo, is undone.
pub fn undo(user: &str, paths: &Paths) -> Result<Restored, RestoreError> {
    resume(user, paths)?;
    let Answer::SetAside(names) = ask(user, &Request::SetAside, GRACE)? else {
        return Err(AskError::Unexpected.into());
    };
    let is_one = |name: &String| name.strip_prefix(BEFORE).is_some_and(is_stamp);
    let from = names.into_iter().find(is_one).ok_or(RestoreError::NothingSetAside)?;
    exchange(user, from, new_stamp(), paths)
}

/// Finishes a restore that was interrupted; `None` if there is none.
pub fn resume(user: &str, paths: &Paths) -> Result<Option<Restored>, RestoreError> {
    Journal::read(paths, user)?.map(|journal| finish(user, &journal, paths)).transpose()
}

fn exchange(
    user: &str,
    from: String,
    stamp: String,
    paths: &Paths,
) -> Result<Restored, RestoreError> {
    let journal = Journal { from, stamp, ran: runs(user)? };
    journal.write(paths, user)?;
    finish(user, &journal, paths)
}

/// From here on each step may be repeated.
fn finish(user: &str, journal: &Journal, paths: &Paths) -> Result<Restored, RestoreError> {
    let Journal { from, stamp, ran } = journal;
    journal::hold(paths, user)?;
    stop(user)?;
    ask(user, &Request::Swap { from: from.clone(), stamp: stamp.clone() }, SWAP)?;
    journal::let_go(paths, user)?;
    let answers = if *ran {
        units::start(&units::instance(user))?;
        Some(answers(user, paths)?)
    } else {
        None
    };
    journal::close(paths, user)?;
    Ok(Restored { set_aside: format!("{BEFORE}{stamp}"), answers })
}

/// Whether the instance runs, or is about to. Nothing does where there is no service manager.
fn runs(user: &str) -> Result<bool, ToolError> {
    match units::runs(&units::instance(user)) {
        Err(_) if !tool::systemd_runs() => Ok(false),
        runs => runs,
    }
}

fn stop(user: &str) -> Result<(), ToolError> {
    match units::stop(&units::instance(user)) {
        Err(_) if !tool::systemd_runs() => Ok(()),
        stopped => stopped,
    }
}

fn ask(user: &str, request: &Request, deadline: Duration) -> Result<Answer, RestoreError> {
    match user_process::ask(user, PART, request, deadline)? {
        Answer::Failed { kind, message } => {
            let message = message.chars().take(500).collect();
            Err(RestoreError::Failed { kind, message })
        }
        answer => Ok(answer),
    }
}

/// Whether the user's own instance answers within the time that a start may take.
fn answers(user: &str, paths: &Paths) -> Result<bool, RestoreError> {
    let uid = accounts::by_name(user)?.uid;
    let Some(port) = served::ports(paths)?.get(user).copied() else { return Ok(false) };
    let bound = Settings::read(paths)?.backup.answer_seconds;
    let until = Instant::now() + Duration::from_secs(bound);
    let instance = Instance::on(port, REQUEST);
    loop {
        if instance.check_owner(uid).is_ok() && instance.session(&[]).is_ok() {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        clock::pause(BETWEEN);
    }
}

/// The names of data are in the order of these.
fn new_stamp() -> String {
    let random: String = random_hex().chars().take(8).collect();
    format!("{}-{random}", clock::stamp(clock::now()))
}
