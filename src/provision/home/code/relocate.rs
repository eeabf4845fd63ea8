//! Moves a clone whole: branches, changed files, stashes and the processes that work in it move along.
//!
//! A mark in its `.git` says that a move was begun; it goes once the clone's worktrees know the new
//! location, too. So a kill anywhere leaves a state from which the next run goes on, and the name
//! between the two locations counts as ours only with that mark.

use super::git::git;
use super::home::Home;
use super::markers::{self, MOVE_DIR};
use super::{inspect, path_state};
use crate::provision::home::HomeError;
use crate::provision::protocol::code::{CloneLocation, PathState, Repository};
use crate::sys::{Dir, FileError};
use rustix::fs::RenameFlags;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Maximum number of worktrees that are repaired.
const MAX_WORKTREES: usize = 200;
/// How long git may take to give worktrees the new location of their repository.
const REPAIR_DEADLINE: Duration = Duration::from_secs(30);

/// Moves `~/code` to `~/code/infra`, or goes on with that.
pub(super) fn move_to_workspace(home: &Home, url: &str) -> Result<Vec<String>, HomeError> {
    if !is_marked(&path_state::of_location(home, &CloneLocation::Infra)) {
        let between = path_state::of_name(home.dir(), MOVE_DIR);
        if !is_marked(&between) {
            set_aside(home, url, &between)?;
        }
        settle(home)?;
    }
    let mut lines = vec!["moved ~/code to ~/code/infra".to_owned()];
    lines.extend(finish(home, &CloneLocation::Infra, "code")?);
    Ok(lines)
}

/// Puts an empty directory in the place of the clone, in one step if the file system can.
fn set_aside(home: &Home, url: &str, between: &PathState) -> Result<(), HomeError> {
    let PathState::Clone(clone) = path_state::of_location(home, &CloneLocation::Code) else {
        return Err(HomeError::Precondition("~/code is no longer a clone".to_owned()));
    };
    if !clone.may_be(url) {
        return Err(HomeError::Precondition("~/code is a clone of another repository".to_owned()));
    }
    let in_the_way = || HomeError::InTheWay { name: format!("~/{MOVE_DIR}") };
    let dir = home.dir();
    match between {
        PathState::Absent => dir.make_dir(MOVE_DIR)?,
        // Empty if an interrupted move had made it, which the removal shows.
        PathState::Directory => {
            dir.remove_dir(MOVE_DIR).map_err(|_| in_the_way())?;
            dir.make_dir(MOVE_DIR)?;
        }
        _ => return Err(in_the_way()),
    }
    markers::mark_moving(&git_dir(dir, "code")?)?;
    let exchanged = dir.rename("code", MOVE_DIR, RenameFlags::EXCHANGE);
    let moved = match exchanged {
        // A file system without that: nothing is at ~/code for a moment.
        Err(error) if is_unsupported(&error) => dir
            .remove_dir(MOVE_DIR)
            .and_then(|()| dir.rename("code", MOVE_DIR, RenameFlags::NOREPLACE)),
        other => other,
    };
    let moved = moved.and_then(|()| dir.sync());
    let code = || path_state::of_location(home, &CloneLocation::Code);
    if moved.is_err() && matches!(code(), PathState::Clone(_)) {
        let _ = git_dir(dir, "code").and_then(|git| markers::unmark_moving(&git));
        let _ = dir.remove_dir(MOVE_DIR);
    }
    Ok(moved?)
}

fn is_unsupported(error: &FileError) -> bool {
    let errno = rustix::io::Errno::from_io_error(&error.source);
    matches!(errno, Some(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS))
}

/// Puts the clone that was set aside where it belongs.
fn settle(home: &Home) -> Result<(), HomeError> {
    let interrupted = |reason| HomeError::Interrupted { reason: Box::new(reason), place: MOVE_DIR };
    match path_state::of_location(home, &CloneLocation::Code) {
        PathState::Absent => home.dir().make_dir("code")?,
        PathState::Directory => {}
        _ => {
            let reason = HomeError::Precondition("~/code is not a plain directory".to_owned());
            return Err(interrupted(reason));
        }
    }
    let code = home.code()?;
    let moved = home.dir().move_to(OsStr::new(MOVE_DIR), &code, OsStr::new("infra"));
    moved.map_err(|error| interrupted(error.into()))
}

/// Moves a repository out of the infrastructure's clone, or goes on with that.
pub(super) fn move_out_of_infra(
    home: &Home,
    repository: &Repository,
) -> Result<Vec<String>, HomeError> {
    let Repository { location, url } = repository;
    let CloneLocation::Repo(name) = location else {
        return Err(HomeError::Request("not a repository of a row"));
    };
    let infra = CloneLocation::Infra;
    let from = format!("{}/{name}", infra.path());
    if !is_marked(&path_state::of_location(home, location)) {
        let PathState::Clone(clone) = path_state::of_nested(home, &infra, name) else {
            return Err(HomeError::Precondition(format!("~/{from} is no longer a clone")));
        };
        if !clone.may_be(url) || inspect::is_tracked(home, &infra, name)? {
            let problem = format!("~/{from} is tracked, or a clone of another repository");
            return Err(HomeError::Precondition(problem));
        }
        let code = home.code()?;
        let infra = code.open_dir("infra")?;
        markers::mark_moving(&git_dir(&infra, name)?)?;
        let moved = infra.move_to(OsStr::new(name), &code, OsStr::new(name));
        if moved.is_err() {
            let _ = git_dir(&infra, name).and_then(|git| markers::unmark_moving(&git));
        }
        moved?;
    }
    let mut lines = vec![format!("moved ~/{from} to ~/{}", location.path())];
    lines.extend(finish(home, location, &from)?);
    Ok(lines)
}

fn is_marked(state: &PathState) -> bool {
    matches!(state, PathState::Clone(clone) if clone.moving)
}

fn git_dir(parent: &Dir, name: impl AsRef<OsStr>) -> Result<Dir, HomeError> {
    Ok(parent.open_dir(name.as_ref()).and_then(|clone| clone.open_dir(".git"))?)
}

/// Gives the worktrees of a moved clone its new location, then removes the mark. If worktrees cannot
/// be repaired, the move still counts, and the line that is returned says so.
fn finish(home: &Home, location: &CloneLocation, from: &str) -> Result<Option<String>, HomeError> {
    let clone = location.path();
    let git_dir = git_dir(home.dir(), &clone)?;
    let mut line = None;
    if git_dir.stat("worktrees")?.is_some() {
        let mut args: Vec<OsString> =
            ["--git-dir", &format!("{clone}/.git"), "worktree", "repair", "--"]
                .map(Into::into)
                .into();
        let moved = moved_worktrees(home, &git_dir, from, &clone);
        args.extend(moved.into_iter().map(PathBuf::into_os_string));
        let repaired = git(home, &args, false, REPAIR_DEADLINE);
        line = repaired.err().map(|error| format!("its worktrees were not repaired: {error}"));
    }
    markers::unmark_moving(&git_dir)?;
    Ok(line)
}

/// Worktrees that lay inside the clone, and so moved along: where they are now.
fn moved_worktrees(home: &Home, git_dir: &Dir, from: &str, to: &str) -> Vec<PathBuf> {
    let Ok(worktrees) = git_dir.open_dir("worktrees") else { return Vec::new() };
    let names = worktrees.names(MAX_WORKTREES).ok().flatten().unwrap_or_default();
    let (from, to) = (home.path().join(from), home.path().join(to));
    let now = |name: &OsString| {
        let bytes = worktrees.open_dir(name).ok()?.read("gitdir", 4096).ok()?;
        let file = PathBuf::from(OsString::from_vec(bytes.trim_ascii_end().to_vec()));
        let tree: &Path = file.parent()?;
        let now = to.join(tree.strip_prefix(&from).ok()?);
        (now.as_os_str().as_bytes().len() < 4096 && now.symlink_metadata().is_ok()).then_some(now)
    };
    names.iter().filter_map(now).collect()
}
