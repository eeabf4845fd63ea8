//! What an existing clone lacks: its canonical remote, an upstream, the newest commits of the remote.

use super::git::git;
use super::home::Home;
use super::path_state;
use crate::provision::home::HomeError;
use crate::provision::protocol::code::{CloneFacts, PathState, Repository};
use freshen::{Options, Outcome};
use std::path::PathBuf;
use std::time::Duration;

/// How long git may take to change a configuration.
const CONFIG_DEADLINE: Duration = Duration::from_secs(10);

/// Adds the canonical address to a clone that has no remote.
pub(super) fn add_remote(home: &Home, repository: &Repository) -> Result<Vec<String>, HomeError> {
    let path = repository.location.path();
    if !clone_at(home, repository)?.remotes.is_empty() {
        return Err(HomeError::Precondition(format!("~/{path} has a remote already")));
    }
    let git_dir = format!("--git-dir={path}/.git");
    let args = [&git_dir, "remote", "add", "--", "origin", &repository.url];
    git(home, &args, false, CONFIG_DEADLINE)?;
    Ok(vec![format!("added the remote origin to ~/{path}")])
}

/// Sets the upstream of the branch that is checked out.
pub(super) fn set_upstream(home: &Home, repository: &Repository) -> Result<Vec<String>, HomeError> {
    let path = repository.location.path();
    let clone = clone_at(home, repository)?;
    let (Some(branch), Some(remote)) = (&clone.branch, clone.canonical(&repository.url)) else {
        return Err(HomeError::Precondition(format!(
            "~/{path} is on no branch of that repository"
        )));
    };
    if clone.upstream || !clone.tracking.iter().any(|known| known == remote) {
        let problem = format!("~/{path} has an upstream, or its remote has no such branch");
        return Err(HomeError::Precondition(problem));
    }
    let git_dir = format!("--git-dir={path}/.git");
    let upstream = format!("--set-upstream-to={remote}/{branch}");
    git(home, &[&git_dir, "branch", "--quiet", &upstream, "--", branch], false, CONFIG_DEADLINE)?;
    Ok(vec![format!("set the upstream of {branch} in ~/{path}")])
}

/// Adds a remote beside `origin`. The default branch follows it from then on, if it followed `origin`; that comes
/// first, so that once the remote is there, what the branch follows is the user's choice.
pub(super) fn add_second_remote(
    home: &Home,
    repository: &Repository,
    name: &str,
    address: &str,
) -> Result<Vec<String>, HomeError> {
    let path = repository.location.path();
    let clone = clone_at(home, repository)?;
    if let Some(there) = clone.canonical(address) {
        return Ok(vec![format!("~/{path} has that remote already: {there}")]);
    }
    if clone.remotes.iter().any(|remote| remote.name == name) {
        let problem = format!("~/{path} has a remote {name} with another address");
        return Err(HomeError::Precondition(problem));
    }
    let git_dir = format!("--git-dir={path}/.git");
    let mut lines = Vec::new();
    if let Some(branch) = clone.follows_origin(&repository.url) {
        let key = format!("branch.{branch}.remote");
        git(home, &[&git_dir, "config", &key, name], false, CONFIG_DEADLINE)?;
        lines.push(format!("{branch} in ~/{path} follows {name}"));
    }
    git(home, &[&git_dir, "remote", "add", "--", name, address], false, CONFIG_DEADLINE)?;
    lines.push(format!("added the remote {name} to ~/{path}"));
    Ok(lines)
}

fn clone_at(home: &Home, repository: &Repository) -> Result<CloneFacts, HomeError> {
    match path_state::of_location(home, &repository.location) {
        PathState::Clone(clone) if clone.may_be(&repository.url) => Ok(clone),
        _ => {
            let path = repository.location.path();
            Err(HomeError::Precondition(format!(
                "~/{path} is no longer a clone of that repository"
            )))
        }
    }
}

/// Brings clones up to date, all at once; a line for each that changed or failed.
pub(super) fn freshen(
    home: &Home,
    clones: &[Repository],
    seconds: u64,
) -> Result<Vec<String>, HomeError> {
    let is_clone =
        |repository: &&Repository| match path_state::of_location(home, &repository.location) {
            PathState::Clone(clone) => clone.canonical(&repository.url).is_some(),
            _ => false,
        };
    let ours = clones.iter().filter(is_clone);
    let paths: Vec<PathBuf> =
        ours.map(|repository| home.path().join(repository.location.path())).collect();
    let options = Options { deadline: Duration::from_secs(seconds), ..Options::default() };
    let outcomes = freshen::freshen(&paths, &options)?;
    Ok(outcomes.iter().filter_map(Outcome::line).collect())
}
