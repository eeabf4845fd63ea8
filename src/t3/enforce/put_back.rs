//! Puts the database of a backup back in its place, by a process of the user's, while the instance is stopped and held.
//! Only the database: a migration changes nothing else. It may be killed at any moment, since it is repeated then.

use super::error::EnforceError;
use crate::sys::Dir;
use crate::sys::fs::FileError;
use crate::t3::backup::BackupId;
use crate::t3::paths::Paths;
use crate::t3::state_dir::{self, BESIDE_DATABASE, DATABASE, USERDATA};
use crate::t3::user_process;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The part of the user's process.
const PART: &str = "put-back";
const DEADLINE: Duration = Duration::from_mins(15);
/// What is written before it gets the database's name.
const NEW: &str = ".new-state.sqlite";

/// What the user's process is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The user's directory of backups.
    place: PathBuf,
    id: BackupId,
}

/// What it answers: why it failed, if it did.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    failed: Option<String>,
}

/// Puts it back.
pub(super) fn put_back(paths: &Paths, user: &str, id: &BackupId) -> Result<(), EnforceError> {
    let request = Request { place: paths.backups().join(user), id: id.clone() };
    let answer: Answer = user_process::ask(user, PART, &request, DEADLINE)?;
    match answer.failed {
        None => Ok(()),
        Some(why) => Err(EnforceError::check("restore", why.chars().take(500).collect::<String>())),
    }
}

/// Does so in the caller's own base directory.
pub fn answer(request: &Request) -> Answer {
    Answer { failed: replace(request).err().map(|error| error.to_string()) }
}

fn replace(request: &Request) -> Result<(), FileError> {
    let from = Dir::open(&request.place)?.open_dir(request.id.as_str())?.open_dir(USERDATA)?;
    let source = from.open_own_file(Path::new(DATABASE))?;
    let absent = || FileError::refused("restoring", USERDATA, "there is no base directory");
    let base = state_dir::open_base()?.ok_or_else(absent)?;
    let data = state_dir::own_dir(&base, USERDATA)?.ok_or_else(absent)?;
    data.remove(NEW)?;
    let mut file = data.create_new(NEW)?;
    let failed = |source| FileError { doing: "writing", path: data.path().join(NEW), source };
    io::copy(&mut &source, &mut file).and_then(|_| file.sync_all()).map_err(failed)?;
    // With these beside it, the old database would be read as a mixture of both.
    for name in BESIDE_DATABASE {
        data.remove(name)?;
    }
    data.sync()?;
    data.rename(NEW, DATABASE, rustix::fs::RenameFlags::empty())?;
    data.sync()
}
