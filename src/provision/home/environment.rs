//! Staged variables in the environment of the caller's agents.

use super::HomeError;
use super::files::{self, FileState};
use crate::provision::edit::environment_file;
use crate::provision::protocol::staged::ENVIRONMENT_FILE;
use crate::provision::protocol::{EnvironmentFacts, EnvironmentQuery, EnvironmentTask};
use crate::provision::state::digest;
use crate::sys::Dir;
use crate::sys::fs::Existing;

/// Where [`ENVIRONMENT_FILE`] is.
const DIRECTORIES: [&str; 2] = [".config", "terminal-lobby"];
const FILE: &str = "agent.env";
/// Maximum size of the file, in bytes.
const MAX: u64 = 256 << 10;

pub(super) fn inspect(query: &EnvironmentQuery) -> EnvironmentFacts {
    let text = files::open_home()
        .and_then(|home| files::dir_at(home, &DIRECTORIES))
        .and_then(|dir| dir.map_or(Ok(None), |dir| text(&dir)));
    match text {
        Err(error) => EnvironmentFacts::Unusable(error.to_string()),
        Ok(text) => {
            let text = text.unwrap_or_default();
            let value = |name: &String| Some((name.clone(), digest::of(&value(&text, name)?)));
            EnvironmentFacts::Values(query.variables.iter().filter_map(value).collect())
        }
    }
}

/// The file, if there is one. The launcher reads no file that others can read.
fn text(dir: &Dir) -> Result<Option<Vec<u8>>, HomeError> {
    match files::read(dir, FILE, MAX) {
        FileState::Absent => Ok(None),
        FileState::Unusable(error) => Err(error),
        FileState::Content(bytes) => {
            let mode = dir.stat(FILE)?.map_or(0o600, |stat| stat.st_mode & 0o7777);
            if mode & 0o077 != 0 {
                let why = format!("mode {mode:04o}: others can read it; make it 0600");
                return Err(HomeError::unusable(format!("~/{ENVIRONMENT_FILE}"), why));
            }
            Ok(Some(bytes))
        }
    }
}

fn value(text: &[u8], name: &str) -> Option<Vec<u8>> {
    environment_file::get(text, name)
}

pub(super) fn perform(task: &EnvironmentTask) -> Result<Vec<String>, HomeError> {
    let EnvironmentTask::Set { variable, value: wanted, before } = task;
    let dir = files::ensure_dir_at(files::open_home()?, &DIRECTORIES)?;
    let path = format!("~/{ENVIRONMENT_FILE}");
    let found = text(&dir)?;
    let there =
        value(found.as_deref().unwrap_or_default(), variable).map(|value| digest::of(&value));
    if there.as_deref() == Some(&digest::of(wanted.0.as_bytes())) {
        return Ok(vec![format!("{path} has {variable} already")]);
    }
    if there != *before {
        let why = format!("{variable} has another value: left as it is");
        return Err(HomeError::unusable(path, why));
    }
    let existing = if found.is_some() { Existing::Replaced } else { Existing::Kept };
    let new = environment_file::set(&found.unwrap_or_default(), variable, &wanted.0);
    dir.write(FILE, &new, existing)?;
    Ok(vec![format!("{variable} written to {path} (0600)")])
}
