//! The token of the browser tool's snapshot in the caller's home.

use super::HomeError;
use super::files::{self, FileState};
use crate::provision::protocol::snapshot_token::TOKEN_FILE;
use crate::provision::protocol::{SnapshotTokenFacts, SnapshotTokenTask};
use crate::provision::state::digest;
use crate::sys::Dir;
use crate::sys::fs::Existing;

/// Where [`TOKEN_FILE`] is.
const DIRECTORIES: [&str; 2] = [".config", "playwright"];
const TOKEN: &str = "token";
/// Maximum size of the file, in bytes.
const MAX: u64 = 64 << 10;

pub(super) fn inspect() -> SnapshotTokenFacts {
    let dir = files::open_home().and_then(|home| files::dir_at(home, &DIRECTORIES));
    match dir.map(|dir| dir.map(|dir| present(&dir))) {
        Ok(Some(Ok(Some(hash)))) => SnapshotTokenFacts::Present(hash),
        Ok(None | Some(Ok(None))) => SnapshotTokenFacts::Absent,
        Err(error) | Ok(Some(Err(error))) => SnapshotTokenFacts::Unusable(error.to_string()),
    }
}

/// The hash of the token that is there.
fn present(dir: &Dir) -> Result<Option<String>, HomeError> {
    match files::read(dir, TOKEN, MAX) {
        FileState::Absent => Ok(None),
        FileState::Content(bytes) => Ok(Some(digest::of(bytes.trim_ascii()))),
        FileState::Unusable(error) => Err(error),
    }
}

pub(super) fn perform(task: &SnapshotTokenTask) -> Result<Vec<String>, HomeError> {
    let SnapshotTokenTask::Write { token, before } = task;
    let dir = files::ensure_dir_at(files::open_home()?, &DIRECTORIES)?;
    let path = format!("~/{TOKEN_FILE}");
    let found = present(&dir)?;
    if found.as_deref() == Some(&digest::of(token.0.as_bytes())) {
        return Ok(vec![format!("{path} is up to date already")]);
    }
    if found != *before {
        return Err(HomeError::unusable(path, "another token is there: left as it is"));
    }
    let existing = if found.is_some() { Existing::Replaced } else { Existing::Kept };
    dir.write(TOKEN, format!("{}\n", token.0).as_bytes(), existing)?;
    Ok(vec![format!("{path} written (0600)")])
}
