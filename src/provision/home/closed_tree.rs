//! The caller's decrypted trees: only the owner and one group may enter them.

use super::{HomeError, files};
use crate::provision::protocol::closed_tree::TreeTop;
use crate::provision::protocol::{ClosedTreeTask, ClosedTreesFacts, ClosedTreesQuery};
use crate::sys::Dir;
use crate::text::io_reason;
use rustix::fs::{Gid, Mode, fchmod, fchown, fstat};
use std::path::Path;

/// The rights of users who are neither the owner nor in the group.
const OTHERS: u32 = 0o007;

pub(super) fn inspect(query: &ClosedTreesQuery) -> ClosedTreesFacts {
    let top = |path: &String| {
        let found = open(path).and_then(|dir| dir.map(|dir| state(&dir, path)).transpose());
        match found {
            Ok(Some((mode, gid))) => TreeTop::Directory { mode, gid },
            Ok(None) => TreeTop::Absent,
            Err(error) => TreeTop::Unusable(error.to_string()),
        }
    };
    ClosedTreesFacts(query.paths.iter().map(|path| (path.clone(), top(path))).collect())
}

/// Opens the top directory, which must be the caller's; `None` if it is absent.
fn open(path: &str) -> Result<Option<Dir>, HomeError> {
    if path.starts_with('/') {
        return match Dir::open(Path::new(path)) {
            Ok(dir) if dir.is_own()? => Ok(Some(dir)),
            Ok(dir) => Err(HomeError::ForeignOwner(dir.path().to_owned())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        };
    }
    let mut here = files::open_home()?;
    for name in path.split('/') {
        match files::dir(&here, name)? {
            Some(dir) => here = dir,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}

fn state(dir: &Dir, path: &str) -> Result<(u32, u32), HomeError> {
    let stat =
        fstat(dir.fd()).map_err(|error| HomeError::unusable(path, io_reason(&error.into())))?;
    Ok((stat.st_mode & 0o7777, stat.st_gid))
}

pub(super) fn perform(task: &ClosedTreeTask) -> Result<Vec<String>, HomeError> {
    let ClosedTreeTask::Close { path, gid } = task;
    let failed =
        |error: rustix::io::Errno| HomeError::unusable(path.as_str(), io_reason(&error.into()));
    let dir = open(path)?.ok_or_else(|| HomeError::unusable(path.as_str(), "it is gone"))?;
    let (mode, before) = state(&dir, path)?;
    let closed = mode & !OTHERS;
    // Others first: the group that it gets may be one with fewer members.
    fchmod(dir.fd(), Mode::from_raw_mode(closed)).map_err(failed)?;
    if let Some(gid) = gid.filter(|gid| *gid != before) {
        fchown(dir.fd(), None, Some(Gid::from_raw(gid))).map_err(failed)?;
        // chown(2) may clear the set-group-id bit.
        fchmod(dir.fd(), Mode::from_raw_mode(closed)).map_err(failed)?;
    }
    Ok(vec![format!("{path}: {closed:04o}")])
}
