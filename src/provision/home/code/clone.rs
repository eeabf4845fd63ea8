//! Clones what is absent: beside its location, in a directory that is marked as ours, then renamed to
//! the location, where it replaces nothing. A kill leaves that directory, which the next run removes.

use super::git::git;
use super::home::Home;
use super::{markers, path_state};
use crate::provision::home::HomeError;
use crate::provision::protocol::code::{CloneLocation, CodeTask, PathState, Repository};
use crate::provision::settings::repository;
use crate::sys::Dir;
use std::ffi::OsStr;
use std::time::{Duration, Instant};

/// Settings with which files stay encrypted that git-crypt would decrypt: they pass unchanged.
const KEEP_ENCRYPTED: [&str; 4] = [
    "filter.git-crypt.smudge=cat",
    "filter.git-crypt.clean=cat",
    "filter.git-crypt.required=false",
    "diff.git-crypt.textconv=cat",
];

/// Removes what an interrupted clone left beside its location.
pub(super) fn remove_leftover(
    home: &Home,
    location: &CloneLocation,
) -> Result<Vec<String>, HomeError> {
    let parent = markers::parent(home, location)?;
    let removed = markers::remove_clone_dir(&parent, &markers::clone_dir(location))?;
    let line = || "removed what an interrupted clone had left".to_owned();
    Ok(removed.then(line).into_iter().collect())
}

pub(super) fn clone(home: &Home, task: &CodeTask) -> Result<Vec<String>, HomeError> {
    let CodeTask::Clone { repository, branch, keep_encrypted, allow_file, seconds } = task else {
        return Err(HomeError::Request("not a clone"));
    };
    let Repository { location, url } = repository;
    repository::check(url, *allow_file)?;
    if branch.as_ref().is_some_and(|branch| branch.starts_with('-')) {
        return Err(HomeError::Request("not the name of a branch"));
    }
    let code = || path_state::of_location(home, &CloneLocation::Code);
    if *location != CloneLocation::Code && code() == PathState::Absent {
        match home.dir().make_dir("code") {
            Err(error) if !error.is_existing() => return Err(error.into()),
            _ => {}
        }
    }
    if *location != CloneLocation::Code && code() != PathState::Directory {
        return Err(HomeError::Precondition("~/code is no longer a plain directory".to_owned()));
    }
    if path_state::of_location(home, location) != PathState::Absent {
        return Err(HomeError::Precondition(format!("~/{} exists already", location.path())));
    }
    let (parent, name) = (markers::parent(home, location)?, markers::clone_dir(location));
    markers::remove_clone_dir(&parent, &name)?;
    let made = markers::make_clone_dir(&parent, &name)?;
    let until = Instant::now() + Duration::from_secs(*seconds);
    let done = fetch(home, &made, task, until).and_then(|()| {
        let (from, to) = (OsStr::new(markers::UNFINISHED), OsStr::new(location.name()));
        Ok(made.move_to(from, &parent, to)?)
    });
    let removed = markers::remove_clone_dir(&parent, &name);
    done?;
    removed?;
    let note = if *keep_encrypted { ", encrypted files left encrypted" } else { "" };
    Ok(vec![format!("cloned {url} to ~/{}{note}", location.path())])
}

/// Clones into the directory that was made: first without files, so that its settings are in force
/// before there are any.
fn fetch(home: &Home, made: &Dir, task: &CodeTask, until: Instant) -> Result<(), HomeError> {
    let CodeTask::Clone { repository, branch, keep_encrypted, allow_file, .. } = task else {
        return Ok(());
    };
    let left = || until.saturating_duration_since(Instant::now());
    let to = made.path().join(markers::UNFINISHED);
    let mut args: Vec<&OsStr> = ["clone", "--quiet", "--no-checkout", "--no-recurse-submodules"]
        .iter()
        .map(OsStr::new)
        .collect();
    args.push("--origin=origin".as_ref());
    for setting in KEEP_ENCRYPTED.iter().filter(|_| *keep_encrypted) {
        args.extend([OsStr::new("-c"), OsStr::new(*setting)]);
    }
    let branch = branch.as_ref().map(|branch| format!("--branch={branch}"));
    args.extend(branch.as_ref().map(OsStr::new));
    args.extend([OsStr::new("--"), OsStr::new(&repository.url), to.as_os_str()]);
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
    if let PathState::Clone(_) = path_state::of_name(made, markers::UNFINISHED) {
        return Ok(());
    }
    let text = "reported success, but made no clone".to_owned();
    Err(HomeError::Command { command: "git clone".to_owned(), text })
}
