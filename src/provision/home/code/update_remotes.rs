//! What an existing clone lacks: its canonical remote, an upstream, what the remote has.

use super::git::git;
use super::inspect::Home;
use super::{Clone, Place, Wanted};
use freshen::{Options, Outcome};
use std::path::PathBuf;
use std::time::Duration;

/// How long git may take to change a configuration.
const CHANGING: Duration = Duration::from_secs(10);

/// Names the canonical address in a clone that has no remote.
pub(crate) fn add_remote(home: &Home, wanted: &Wanted) -> Result<Vec<String>, String> {
    let path = wanted.spot.path();
    if !clone_at(home, wanted)?.remotes.is_empty() {
        return Err(format!("~/{path} has a remote already"));
    }
    let git_dir = format!("--git-dir={path}/.git");
    git(home, &[&git_dir, "remote", "add", "--", "origin", &wanted.url], false, CHANGING)?;
    Ok(vec![format!("added the remote origin to ~/{path}")])
}

/// Gives the branch that is checked out its upstream.
pub(crate) fn set_upstream(home: &Home, wanted: &Wanted) -> Result<Vec<String>, String> {
    let path = wanted.spot.path();
    let clone = clone_at(home, wanted)?;
    let (Some(branch), Some(remote)) = (&clone.branch, clone.canonical(&wanted.url)) else {
        return Err(format!("~/{path} is on no branch of that repository"));
    };
    if clone.upstream || !clone.tracking.iter().any(|known| known == remote) {
        return Err(format!("~/{path} has an upstream, or its remote has no such branch"));
    }
    let git_dir = format!("--git-dir={path}/.git");
    let upstream = format!("--set-upstream-to={remote}/{branch}");
    git(home, &[&git_dir, "branch", "--quiet", &upstream, "--", branch], false, CHANGING)?;
    Ok(vec![format!("set the upstream of {branch} in ~/{path}")])
}

fn clone_at(home: &Home, wanted: &Wanted) -> Result<Clone, String> {
    match home.at(&wanted.spot) {
        Place::Clone(clone) if clone.may_be(&wanted.url) => Ok(clone),
        _ => Err(format!("~/{} is no clone of that repository any more", wanted.spot.path())),
    }
}

/// Brings clones up to date, all at once; a line for each that changed or could not.
pub(crate) fn freshen(home: &Home, clones: &[Wanted], seconds: u64) -> Result<Vec<String>, String> {
    let is_its = |wanted: &&Wanted| match home.at(&wanted.spot) {
        Place::Clone(clone) => clone.canonical(&wanted.url).is_some(),
        _ => false,
    };
    let ours = clones.iter().filter(is_its);
    let paths: Vec<PathBuf> = ours.map(|wanted| home.path().join(wanted.spot.path())).collect();
    let options = Options { deadline: Duration::from_secs(seconds), ..Options::default() };
    let outcomes = freshen::freshen(&paths, &options).map_err(|refused| refused.to_string())?;
    Ok(outcomes.iter().filter_map(Outcome::line).collect())
}
