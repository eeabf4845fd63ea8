//! The database that a trial copies: of a backup, printed by a process of its user into a file of the trial. The signing
//! key is not copied, so no session of the user's is one in the trial.

use super::scratch::Scratch;
use crate::sys::Dir;
use crate::sys::accounts;
use crate::sys::clock::Epoch;
use crate::sys::fs::{Attributes, set_attributes, set_directory, walk};
use crate::sys::process::exec::{self, Program};
use crate::t3::backup::{self, BackupId};
use crate::t3::enforce::check::{becoming, clip};
use crate::t3::enforce::error::EnforceError;
use crate::t3::paths::Paths;
use crate::t3::state_dir::{DATABASE, USERDATA};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long copying may take.
const DEADLINE: Duration = Duration::from_mins(15);
/// Space that must be left on the disk, in bytes, beside the copy and as much again for its migration.
const MARGIN: u64 = 512 << 20;

/// A database in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    pub user: String,
    pub id: BackupId,
    /// In bytes.
    pub bytes: u64,
    place: PathBuf,
}

/// What the user's process is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    /// The user's directory of backups.
    place: PathBuf,
    id: BackupId,
    /// In bytes.
    max: u64,
}

impl Seed {
    /// The largest database of at most `max` bytes in the newest backup of any user, if that was made since a time.
    pub fn largest(paths: &Paths, users: &[&str], max: u64, since: Epoch) -> Option<Self> {
        let of_user = |user: &&str| {
            let (list, _) = backup::list(user, paths).ok()?;
            let newest = list.into_iter().next()?;
            if newest.database_bytes > max || newest.id.time() < since {
                return None;
            }
            let place = paths.backups().join(user);
            let user = (*user).to_owned();
            Some(Self { user, id: newest.id, bytes: newest.database_bytes, place })
        };
        users.iter().filter_map(of_user).max_by_key(|seed| seed.bytes)
    }

    /// Copies it into the base directory of a trial.
    pub(super) fn copy(&self, scratch: &Scratch, max: u64) -> Result<(), EnforceError> {
        let base = scratch.make_dir(".t3")?;
        let free = walk::free_space(&base)?;
        if free < self.bytes.saturating_mul(2).saturating_add(MARGIN) {
            let why = format!("{} MiB are free, too little for a copy of the database", free >> 20);
            return Err(EnforceError::check("space", why));
        }
        let account = scratch.account();
        let (uid, gid) = (account.uid.as_raw(), account.gid.as_raw());
        let data = base.ensure_dir(USERDATA)?;
        set_directory(&data, Attributes { uid, gid, mode: 0o700 })?;
        let file = data.create_new(DATABASE)?;
        let request = Request { place: self.place.clone(), id: self.id.clone(), max };
        let failed = |source| EnforceError::Io { doing: "copying the database", source };
        let text = serde_json::to_vec(&request).map_err(|error| failed(error.into()))?;
        let output = Program::ourselves()
            .args(["t3", "worker", "seed"])
            .input(&text)
            .map_err(failed)?
            .becoming(becoming(&accounts::by_name(&self.user)?))
            .deadline(DEADLINE)
            .output_to(file)
            .run()?;
        if !output.status.success() {
            return Err(EnforceError::Command {
                command: format!("the process of {} that copies the database", self.user),
                how: exec::describe(output.status),
                message: clip(&output.stderr),
            });
        }
        set_attributes(&data, DATABASE, Attributes { uid, gid, mode: 0o600 })?;
        Ok(())
    }
}

/// Prints the database of a backup of the caller's.
///
/// # Errors
/// If it cannot be read, or is larger than was asked for.
pub fn answer(request: &[u8], to: &mut dyn Write) -> io::Result<()> {
    let request: Request = serde_json::from_slice(request)?;
    let dir = Dir::open(&request.place)
        .and_then(|dir| dir.open_dir(request.id.as_str()))
        .and_then(|dir| dir.open_dir(USERDATA));
    let file = dir.and_then(|dir| dir.open_own_file(Path::new(DATABASE)));
    let file = file.map_err(|error| io::Error::other(error.to_string()))?;
    let copied = io::copy(&mut io::Read::take(file, request.max.saturating_add(1)), to)?;
    if copied > request.max {
        return Err(io::Error::other("the database is larger than a trial copies"));
    }
    to.flush()
}
