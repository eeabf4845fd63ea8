//! What the last run applied, as `/var/lib/terminal-lobby/applied` records it.

use super::digest;
use super::state_dir::State;
use super::written::{RecordError, Written};
use crate::provision::paths::{APPLIED, playwright_file, service_file};
use crate::roster::{self, Problem, Roster};
use crate::sys::FileError;
use crate::sys::fs;
use std::path::Path;

/// The roster that was applied last.
const ROSTER: &str = "roster.yaml";
const WRITTEN: &str = "written.json";
/// Maximum size of a database of subordinate ids, in bytes.
const MAX_SIZE: u64 = 64 << 20;

/// A record of the last run that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AppliedError {
    #[error(transparent)]
    File(#[from] FileError),
    /// With a line for each problem.
    #[error("{}", lines(.0))]
    Roster(Vec<Problem>),
    #[error("{APPLIED}/{WRITTEN}: {0}")]
    Written(#[source] RecordError),
    #[error("{APPLIED}/{WRITTEN}: {0}")]
    NotWritable(#[source] serde_json::Error),
}

fn lines(problems: &[Problem]) -> String {
    let file = format!("{APPLIED}/{ROSTER}");
    let lines: Vec<String> = problems.iter().map(|problem| problem.in_file(&file)).collect();
    lines.join("\n")
}

/// The applied roster with the hash of its file; an empty one before the first run.
///
/// # Errors
/// When it cannot be read or is invalid.
pub fn roster(state: &State) -> Result<(Roster, Option<String>), AppliedError> {
    let Some(bytes) = state.applied(ROSTER)? else { return Ok((Roster::default(), None)) };
    let document = roster::parse(&bytes).map_err(AppliedError::Roster)?;
    Ok((document.roster, Some(digest::of(&bytes))))
}

/// What was written last; nothing before the first run.
///
/// # Errors
/// When it cannot be read or is invalid.
pub fn written(state: &State) -> Result<Written, AppliedError> {
    let Some(bytes) = state.applied(WRITTEN)? else { return Ok(Written::default()) };
    Written::read(&bytes).map_err(AppliedError::Written)
}

/// Records that the uid and all subordinate ids of this host are never given again, and forgets what
/// was written for the user.
///
/// # Errors
/// When the record cannot be read or written.
pub fn retire_uid(state: &State, user: &str, uid: u32) -> Result<(), AppliedError> {
    let mut written = written(state)?;
    written.retire(user, uid, &[service_file(user), playwright_file(user)]);
    let read = |path| match fs::read(Path::new(path), MAX_SIZE) {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        read => read,
    };
    written.retire_subids(&[&read("/etc/subuid")?, &read("/etc/subgid")?]);
    let bytes = serde_json::to_vec_pretty(&written).map_err(AppliedError::NotWritable)?;
    Ok(state.replace_applied(WRITTEN, &bytes)?)
}
