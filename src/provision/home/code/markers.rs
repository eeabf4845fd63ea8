//! Marks and directories of ours in a home: by them the next run knows what an interrupted one left.
//!
//! A mark is a link, which is there or not and never half written.

use super::home::Home;
use crate::provision::home::HomeError;
use crate::provision::protocol::code::CloneLocation;
use crate::sys::Dir;
use crate::sys::fs::walk;
use std::ffi::OsStr;

/// Beside `~/code`: the clone while it is moved, or the directory that will take its place.
pub(super) const MOVE_DIR: &str = ".terminal-lobby.code.move";
/// In a `.git`: a move was begun and not finished.
const MOVING: &str = "terminal-lobby-moving";
/// In a directory that holds an unfinished clone: this program made it.
const MADE_BY_US: &str = "made-by-terminal-lobby";
/// The unfinished clone in that directory.
pub(super) const UNFINISHED: &str = "clone";

/// Whether a move was begun with the clone of this `.git`.
pub(super) fn is_moving(git: &Dir) -> Result<bool, HomeError> {
    Ok(git.link_target(MOVING)?.is_some())
}

/// Marks a clone as being moved.
pub(super) fn mark_moving(git: &Dir) -> Result<(), HomeError> {
    Ok(git.ensure_link(MOVING, OsStr::new("."))?)
}

pub(super) fn unmark_moving(git: &Dir) -> Result<(), HomeError> {
    Ok(git.remove(MOVING).and_then(|()| git.sync())?)
}

/// The name of the directory in which a clone is made, beside its location.
pub(super) fn clone_dir(location: &CloneLocation) -> String {
    format!(".terminal-lobby.{}.clone", location.name())
}

/// The directory that a location is in.
pub(super) fn parent(home: &Home, location: &CloneLocation) -> Result<Dir, HomeError> {
    if *location == CloneLocation::Code { Ok(home.dir().open_dir(".")?) } else { home.code() }
}

/// Whether an interrupted clone of ours lies beside a location.
pub(super) fn has_unfinished_clone(home: &Home, location: &CloneLocation) -> bool {
    let parent = parent(home, location);
    parent.is_ok_and(|parent| matches!(is_ours(&parent, &clone_dir(location)), Ok(true)))
}

/// Makes a directory for a clone, marked as ours.
pub(super) fn make_clone_dir(parent: &Dir, name: &str) -> Result<Dir, HomeError> {
    parent.make_dir(name)?;
    let dir = parent.open_dir(name)?;
    dir.ensure_link(MADE_BY_US, OsStr::new("."))?;
    Ok(dir)
}

/// Removes such a directory with the unfinished clone in it; `false` if there is none.
pub(super) fn remove_clone_dir(parent: &Dir, name: &str) -> Result<bool, HomeError> {
    if !is_ours(parent, name)? {
        return Ok(false);
    }
    let dir = parent.open_dir(name)?;
    // The mark goes last: what is left of an interrupted removal is known to be ours, too.
    if dir.stat(UNFINISHED)?.is_some() {
        walk::remove(&dir, UNFINISHED)?;
    }
    dir.remove(MADE_BY_US)?;
    parent.remove_dir(name)?;
    Ok(true)
}

/// Whether something is there and is what we make; an error if it is anything else.
fn is_ours(parent: &Dir, name: &str) -> Result<bool, HomeError> {
    if parent.stat(name)?.is_none() {
        return Ok(false);
    }
    let foreign = || HomeError::InTheWay { name: name.to_owned() };
    let dir = parent.open_dir(name).map_err(|_| foreign())?;
    let names = dir.names(2)?.ok_or_else(foreign)?;
    let known = names.iter().all(|name| name == MADE_BY_US || name == UNFINISHED);
    // An empty directory was made, and the run was killed before it was marked.
    let marked = names.is_empty() || dir.link_target(MADE_BY_US)?.is_some();
    if known && marked && dir.is_own()? { Ok(true) } else { Err(foreign()) }
}
