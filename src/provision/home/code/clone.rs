//! Cloning what is not there: beside its place, in a directory that is known as ours, then renamed to
//! where nothing is. A kill leaves that directory, which the next run clears away.

use super::git::git;
use super::inspect::{self, Home, text};
use super::{Place, Spot, Wanted, Work};
use crate::provision::settings::repository;
use crate::sys::Dir;
use crate::sys::fs::walk;
use std::ffi::OsStr;
use std::time::{Duration, Instant};

/// In a directory that we made: it says so. A link, which is there or not, and never half.
const MARK: &str = "made-by-terminal-lobby";
/// In it: the clone, until it is whole.
const INSIDE: &str = "clone";

/// How files stay encrypted that git-crypt would decrypt: they pass as they are.
const LOCKED: [&str; 4] = [
    "filter.git-crypt.smudge=cat",
    "filter.git-crypt.clean=cat",
    "filter.git-crypt.required=false",
    "diff.git-crypt.textconv=cat",
];

/// The name of the directory beside a place.
fn beside(spot: &Spot) -> String {
    format!(".terminal-lobby.{}.clone", spot.name())
}

/// Whether an interrupted clone of ours lies beside a place.
pub(super) fn has_leftover(home: &Home, spot: &Spot) -> bool {
    let parent = parent(home, spot);
    parent.is_ok_and(|parent| matches!(ours(&parent, &beside(spot)), Ok(true)))
}

fn parent(home: &Home, spot: &Spot) -> Result<Dir, String> {
    if *spot == Spot::Code { home.dir().open_dir(".").map_err(text) } else { home.code() }
}

/// Whether something is there, and is what we make and nothing else.
///
/// # Errors
/// It is something else.
fn ours(parent: &Dir, name: &str) -> Result<bool, String> {
    if parent.stat(name).map_err(text)?.is_none() {
        return Ok(false);
    }
    let other = || format!("{name} is in the way: somebody else's, left alone");
    let dir = parent.open_dir(name).map_err(|_| other())?;
    let names = dir.names(2).map_err(text)?.ok_or_else(other)?;
    let known = names.iter().all(|name| name == MARK || name == INSIDE);
    // An empty one was made, and not marked any more.
    let marked = names.is_empty() || dir.link_target(MARK).map_err(text)?.is_some();
    if known && marked && dir.is_own().map_err(text)? { Ok(true) } else { Err(other()) }
}

/// Removes an interrupted clone of ours.
fn clear(parent: &Dir, name: &str) -> Result<bool, String> {
    if !ours(parent, name)? {
        return Ok(false);
    }
    let dir = parent.open_dir(name).map_err(text)?;
    // The mark goes last: what is left of an interrupted removal is known, too.
    if dir.stat(INSIDE).map_err(text)?.is_some() {
        walk::remove(&dir, INSIDE).map_err(text)?;
    }
    dir.remove(MARK).map_err(text)?;
    parent.remove_dir(name).map_err(text)?;
    Ok(true)
}

/// Removes what an interrupted clone left beside its place.
pub(super) fn tidy(home: &Home, spot: &Spot) -> Result<Vec<String>, String> {
    let removed = clear(&parent(home, spot)?, &beside(spot))?;
    Ok(removed
        .then(|| "removed what an interrupted clone had left".to_owned())
        .into_iter()
        .collect())
}

/// Clones.
pub(super) fn clone(home: &Home, work: &Work) -> Result<Vec<String>, String> {
    let Work::Clone { wanted, branch, locked, allow_file, seconds } = work else {
        return Err("not a clone".to_owned());
    };
    let Wanted { spot, url } = wanted;
    repository::check(url, *allow_file)?;
    if branch.as_ref().is_some_and(|branch| branch.starts_with('-')) {
        return Err("not the name of a branch".to_owned());
    }
    if *spot != Spot::Code && home.at(&Spot::Code) == Place::Absent {
        match home.dir().make_dir("code") {
            Err(error) if !error.is_existing() => return Err(text(error)),
            _ => {}
        }
    }
    if *spot != Spot::Code && home.at(&Spot::Code) != Place::Directory {
        return Err("~/code is no plain directory any more".to_owned());
    }
    if home.at(spot) != Place::Absent {
        return Err(format!("something is at ~/{} already", spot.path()));
    }
    let (parent, name) = (parent(home, spot)?, beside(spot));
    clear(&parent, &name)?;
    parent.make_dir(&name).map_err(text)?;
    let made = parent.open_dir(&name).map_err(text)?;
    made.ensure_link(MARK, OsStr::new(".")).map_err(text)?;
    let until = Instant::now() + Duration::from_secs(*seconds);
    let done = fetch(home, &made, work, until).and_then(|()| {
        made.move_to(OsStr::new(INSIDE), &parent, OsStr::new(spot.name())).map_err(text)
    });
    let cleared = clear(&parent, &name);
    done?;
    cleared?;
    let kept = if *locked { ", encrypted files kept so" } else { "" };
    Ok(vec![format!("cloned {url} to ~/{}{kept}", spot.path())])
}

/// Clones into the directory that was made: first without files, so that what is said of them counts
/// before there are any.
fn fetch(home: &Home, made: &Dir, work: &Work, until: Instant) -> Result<(), String> {
    let Work::Clone { wanted, branch, locked, allow_file, .. } = work else { return Ok(()) };
    let left = || until.saturating_duration_since(Instant::now());
    let to = made.path().join(INSIDE);
    let mut args: Vec<&OsStr> = ["clone", "--quiet", "--no-checkout", "--no-recurse-submodules"]
        .iter()
        .map(OsStr::new)
        .collect();
    args.push("--origin=origin".as_ref());
    for setting in LOCKED.iter().filter(|_| *locked) {
        args.extend([OsStr::new("-c"), OsStr::new(*setting)]);
    }
    let branch = branch.as_ref().map(|branch| format!("--branch={branch}"));
    args.extend(branch.as_ref().map(OsStr::new));
    args.extend([OsStr::new("--"), OsStr::new(&wanted.url), to.as_os_str()]);
    git(home, &args, *allow_file, left())?;
    let mut at = vec![std::ffi::OsString::from("--git-dir")];
    at.push(to.join(".git").into());
    at.push("--work-tree".into());
    at.push(to.clone().into());
    let with =
        |args: &[&str]| at.iter().cloned().chain(args.iter().map(Into::into)).collect::<Vec<_>>();
    // A remote without a commit has nothing to check out.
    if git(home, &with(&["rev-parse", "--verify", "--quiet", "HEAD"]), false, left()).is_err() {
        return Ok(());
    }
    git(home, &with(&["checkout", "--quiet", "--no-recurse-submodules"]), false, left())?;
    let files = inspect::place(made, INSIDE);
    if matches!(files, Place::Clone(_)) { Ok(()) } else { Err("git made no clone".to_owned()) }
}
