//! Takes one backup of one user: the place, the user's process, the record.

use super::id::{BackupId, Why};
use super::limits::Limits;
use super::protocol::{Answer, Made, Request};
use super::record::{Attempt, Good, Record};
use super::{BackupError, place};
use crate::sys::accounts;
use crate::sys::clock;
use crate::sys::fs::Dir;
use crate::sys::process::ask;
use crate::t3::paths::Paths;
use crate::t3::settings::Settings;
use crate::t3::user_process::{self, AskError};
use std::path::PathBuf;
use std::time::Duration;

/// The part of the user's process that does it.
const PART: &str = "backup";
/// How long the user's process may take to end, after the time that a backup may take.
const GRACE: Duration = Duration::from_mins(1);

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub id: BackupId,
    /// Its directory, which is the user's.
    pub dir: PathBuf,
    /// What it takes beside what it shares with the previous one, in bytes; the user's process says so.
    pub bytes: u64,
    /// What was left out, and why; not escaped.
    pub notes: Vec<String>,
}

/// Backs up the data of a user's instance, which may run, within the bounds of the settings. The caller holds the
/// lock of the user ([`crate::t3::lock`]).
///
/// # Errors
/// Then the older backups are as they were. [`BackupError::is_no_data`]: the instance never ran.
pub fn take(user: &str, why: &Why, paths: &Paths) -> Result<Backup, BackupError> {
    take_within(user, why, paths, &Settings::read(paths)?.backup)
}

/// As [`take`], within these bounds.
pub fn take_within(
    user: &str,
    why: &Why,
    paths: &Paths,
    limits: &Limits,
) -> Result<Backup, BackupError> {
    let account = accounts::by_name(user)?;
    if account.uid.is_root() {
        return Err(AskError::from(ask::AskError::Root).into());
    }
    let place = place::of_user(paths, &account)?;
    let state = place::state(paths)?;
    let bound = Duration::from_secs(limits.seconds);
    let mut record = Record::read(&state, user)?;
    let now = clock::now();
    let id = new_id(now, why, &record)?;
    let request = Request::Make {
        place: place.clone(),
        id: id.clone(),
        limits: limits.clone(),
        protected: record.protected.clone(),
        now,
    };
    let made = ask(user, &request, bound + GRACE).and_then(|answer| match answer {
        Answer::Made(made) => Ok(made),
        Answer::Failed { kind, message } => Err(BackupError::Failed { kind, message }),
        Answer::Listed(_) => Err(AskError::Unexpected.into()),
    });
    match made {
        Ok(Made { bytes, sha256, notes, removed }) => {
            record.failed = None;
            record.good = Some(Good { id: id.clone(), time: clock::now(), bytes });
            record.sha256.retain(|id, _| !removed.contains(id));
            record.sha256.insert(id.clone(), sha256);
            if let Why::BeforeChange { .. } = why {
                protect(&mut record, &id);
            }
            record.write(&state, user)?;
            Ok(Backup { dir: place.join(id.as_str()), id, bytes, notes })
        }
        Err(error) => {
            if !error.is_no_data() {
                note_failure(&state, user, record, &error)?;
            }
            Err(error)
        }
    }
}

/// Ends the protection of the backup that a change of the version made: the change is over. The caller holds the
/// lock of the user.
pub fn release(user: &str, paths: &Paths) -> Result<(), BackupError> {
    let state = place::state(paths)?;
    let mut record = Record::read(&state, user)?;
    if record.protected.take().is_some() {
        record.write(&state, user)?;
    }
    Ok(())
}

/// Asks the user's process.
pub(super) fn ask(
    user: &str,
    request: &Request,
    deadline: Duration,
) -> Result<Answer, BackupError> {
    Ok(user_process::ask::<Answer>(user, PART, request, deadline)?.clipped())
}

/// A name that the newest one does not have: two may begin within a second.
fn new_id(now: u64, why: &Why, record: &Record) -> Result<BackupId, BackupError> {
    let mut time = now;
    loop {
        let id = BackupId::new(&clock::stamp(time), why).map_err(|_| BackupError::Version)?;
        if !record.sha256.contains_key(&id) {
            return Ok(id);
        }
        time += 1;
    }
}

/// The first one of a change is the one to go back to, if the change is begun again.
fn protect(record: &mut Record, id: &BackupId) {
    if record.protected.as_ref().is_none_or(|known| known.why() != id.why()) {
        record.protected = Some(id.clone());
    }
}

fn note_failure(
    state: &Dir,
    user: &str,
    mut record: Record,
    error: &BackupError,
) -> Result<(), BackupError> {
    let (kind, why) = (error.kind(), error.to_string());
    record.failed = Some(Attempt { time: clock::now(), kind, why });
    record.write(state, user)
}
