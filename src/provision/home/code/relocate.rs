//! Moving a clone whole: branches, dirty files, stashes and the processes that work in it go along.
//!
//! A mark in its `.git` says that a move was begun; it goes when also its worktrees know the new
//! place. So a kill anywhere leaves a state from which the next run goes on, and the name between the
//! two places is known as ours only with that mark.

use super::git::git;
use super::inspect::{self, Home, text};
use super::{Place, Spot, Wanted};
use crate::sys::{Dir, FileError};
use rustix::fs::RenameFlags;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Beside `~/code`: the clone while it moves, or the directory that is to take its place.
pub(super) const BETWEEN: &str = ".terminal-lobby.code.move";
/// In a `.git`: a move was begun and not ended. A link, which is there or not, and never half.
const MARK: &str = "terminal-lobby-moving";
/// More worktrees are not repaired.
const MAX_WORKTREES: usize = 200;
/// How long git may take to tell worktrees where their repository is.
const REPAIRING: Duration = Duration::from_secs(30);

/// Whether a move was begun with the clone of this `.git`.
pub(super) fn is_begun(git: &Dir) -> Result<bool, String> {
    Ok(git.link_target(MARK).map_err(text)?.is_some())
}

/// Moves `~/code` to `~/code/infra`, or goes on with that.
pub(super) fn to_workspace(home: &Home, url: &str) -> Result<Vec<String>, String> {
    if !marked(&home.at(&Spot::Infra)) {
        let between = inspect::place(home.dir(), BETWEEN);
        if !marked(&between) {
            set_aside(home, url, &between)?;
        }
        settle(home)?;
    }
    let mut lines = vec!["moved ~/code to ~/code/infra".to_owned()];
    lines.extend(end(home, &Spot::Infra, "code")?);
    Ok(lines)
}

/// Puts an empty directory in the place of the clone, in one step where the file system can.
fn set_aside(home: &Home, url: &str, between: &Place) -> Result<(), String> {
    let Place::Clone(clone) = home.at(&Spot::Code) else {
        return Err("~/code is no clone any more".to_owned());
    };
    if !clone.may_be(url) {
        return Err("~/code is a clone of something else".to_owned());
    }
    let dir = home.dir();
    match between {
        Place::Absent => dir.make_dir(BETWEEN).map_err(text)?,
        // Empty: what an interrupted move had made. Removing tells whether it is.
        Place::Directory => {
            let other = |_| format!("~/{BETWEEN} is in the way: somebody else's, left alone");
            dir.remove_dir(BETWEEN).map_err(other)?;
            dir.make_dir(BETWEEN).map_err(text)?;
        }
        _ => return Err(format!("~/{BETWEEN} is in the way: somebody else's, left alone")),
    }
    begin(dir, "code")?;
    let exchanged = dir.rename("code", BETWEEN, RenameFlags::EXCHANGE);
    let moved = match exchanged {
        // A file system that cannot: nothing is at ~/code for a moment.
        Err(error) if cannot(&error) => dir
            .remove_dir(BETWEEN)
            .and_then(|()| dir.rename("code", BETWEEN, RenameFlags::NOREPLACE)),
        other => other,
    };
    let moved = moved.and_then(|()| dir.sync());
    if moved.is_err() && matches!(home.at(&Spot::Code), Place::Clone(_)) {
        let _ = unmark(dir, "code");
        let _ = dir.remove_dir(BETWEEN);
    }
    moved.map_err(text)
}

fn cannot(error: &FileError) -> bool {
    let errno = rustix::io::Errno::from_io_error(&error.source);
    matches!(errno, Some(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS))
}

/// Puts the clone that was set aside where it belongs.
fn settle(home: &Home) -> Result<(), String> {
    match home.at(&Spot::Code) {
        Place::Absent => home.dir().make_dir("code").map_err(text)?,
        Place::Directory => {}
        _ => return Err(format!("~/code is no plain directory: the clone waits in ~/{BETWEEN}")),
    }
    let waits = |error: FileError| format!("{}; the clone waits in ~/{BETWEEN}", text(error));
    let code = home.code()?;
    home.dir().move_to(OsStr::new(BETWEEN), &code, OsStr::new("infra")).map_err(waits)
}

/// Moves a repository out of the infrastructure's clone, or goes on with that.
pub(super) fn hoist(home: &Home, wanted: &Wanted) -> Result<Vec<String>, String> {
    let Wanted { spot, url } = wanted;
    let Spot::Repo(name) = spot else { return Err("not a repository of a row".to_owned()) };
    let from = format!("{}/{name}", Spot::Infra.path());
    if !marked(&home.at(spot)) {
        let Place::Clone(clone) = inspect::nested(home, &Spot::Infra, name) else {
            return Err(format!("~/{from} is no clone any more"));
        };
        if !clone.may_be(url) || inspect::is_tracked(home, &Spot::Infra, name)? {
            return Err(format!("~/{from} is tracked, or a clone of something else"));
        }
        let code = home.code()?;
        let infra = code.open_dir("infra").map_err(text)?;
        begin(&infra, name)?;
        let moved = infra.move_to(OsStr::new(name), &code, OsStr::new(name));
        if moved.is_err() {
            let _ = unmark(&infra, name);
        }
        moved.map_err(text)?;
    }
    let mut lines = vec![format!("moved ~/{from} to ~/{}", spot.path())];
    lines.extend(end(home, spot, &from)?);
    Ok(lines)
}

fn marked(place: &Place) -> bool {
    matches!(place, Place::Clone(clone) if clone.moving)
}

fn begin(parent: &Dir, name: &str) -> Result<(), String> {
    let git = parent.open_dir(name).and_then(|clone| clone.open_dir(".git")).map_err(text)?;
    git.ensure_link(MARK, OsStr::new(".")).map_err(text)
}

fn unmark(parent: &Dir, name: &str) -> Result<(), String> {
    let git = parent.open_dir(name).and_then(|clone| clone.open_dir(".git")).map_err(text)?;
    git.remove(MARK).and_then(|()| git.sync()).map_err(text)
}

/// Tells the worktrees of a moved clone where it is, then forgets that it was moved. A worktree that
/// cannot be told is its person's to repair: the move counts, and the line says so.
fn end(home: &Home, spot: &Spot, from: &str) -> Result<Option<String>, String> {
    let clone = spot.path();
    let git_dir = home.dir().open_dir(&clone).and_then(|dir| dir.open_dir(".git")).map_err(text)?;
    let mut said = None;
    if git_dir.stat("worktrees").map_err(text)?.is_some() {
        let mut args: Vec<OsString> =
            ["--git-dir", &format!("{clone}/.git"), "worktree", "repair", "--"]
                .map(Into::into)
                .into();
        args.extend(carried(home, &git_dir, from, &clone).into_iter().map(PathBuf::into_os_string));
        let repaired = git(home, &args, false, REPAIRING);
        said = repaired.err().map(|why| format!("its worktrees were not repaired: {why}"));
    }
    git_dir.remove(MARK).and_then(|()| git_dir.sync()).map_err(text)?;
    Ok(said)
}

/// Worktrees that lay inside the clone, and so moved along: where they are now.
fn carried(home: &Home, git_dir: &Dir, from: &str, to: &str) -> Vec<PathBuf> {
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
