//! The directory with the login of Codex that a group shares.
//!
//! Codex follows a link at `~/.codex/auth.json`, writes a renewed login beside the link's target and renames it
//! there, for its user alone (0600): the group reads it again once its mode is corrected. Members can put
//! anything into the directory, so only regular files with one name are touched, by their descriptors.

use super::ChangeError;
use crate::provision::protocol::SecretText;
use crate::sys::FileError;
use crate::sys::fs::{Existing, trusted_path};
use rustix::fs::{Gid, Mode, fchmod, fchown, fstat};
use std::os::fd::AsFd;
use std::path::Path;

const LOGIN: &str = "auth.json";
/// What Codex locks while it writes the login.
const LOCK: &str = "auth.json.lock";
const DIRECTORY_MODE: u32 = 0o2770;
const FILE_MODE: u32 = 0o660;

/// Makes the directory if it is absent, puts the staged login there if there is one, and gives directory and
/// files to the group.
pub fn share(
    directory: &str,
    gid: u32,
    staged: Option<&SecretText>,
) -> Result<Vec<String>, ChangeError> {
    let path = Path::new(directory);
    let (parent, name) =
        trusted_path::open_parent_below(Path::new("/"), path, trusted_path::Missing::Refused)?;
    let dir = parent.ensure_dir(&name)?;
    if !dir.is_own()? {
        return Err(FileError::refused("sharing", path, "does not belong to root").into());
    }
    give(&dir, path, gid, DIRECTORY_MODE)?;
    let mut lines = Vec::new();
    if let Some(text) = staged {
        dir.write_as(LOGIN, text.0.as_bytes(), Existing::Replaced, FILE_MODE)?;
        lines.push(format!("{directory}/{LOGIN}: as staged"));
    }
    if dir.stat(LOCK)?.is_none() {
        match dir.write_as(LOCK, b"", Existing::Kept, FILE_MODE) {
            Err(error) if !error.is_existing() => return Err(error.into()),
            _ => {}
        }
    }
    for name in [LOGIN, LOCK] {
        let path = path.join(name);
        match dir.open_file(name) {
            Ok(file) => {
                if give(&file, &path, gid, FILE_MODE)? {
                    lines.push(format!("{directory}/{name}: for the group again"));
                }
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(lines)
}

/// Gives something that is open to the group; whether it was not the group's before.
fn give(file: &impl AsFd, path: &Path, gid: u32, mode: u32) -> Result<bool, FileError> {
    let failed = |error: rustix::io::Errno| FileError {
        doing: "sharing",
        path: path.to_owned(),
        source: error.into(),
    };
    let stat = fstat(file).map_err(failed)?;
    let is_file = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
    if is_file && stat.st_nlink != 1 {
        return Err(FileError::refused("sharing", path, "it has other names"));
    }
    if (stat.st_gid, stat.st_mode & 0o7777) == (gid, mode) {
        return Ok(false);
    }
    fchown(file, None, Some(Gid::from_raw(gid))).map_err(failed)?;
    fchmod(file, Mode::from_raw_mode(mode)).map_err(failed)?;
    Ok(true)
}
