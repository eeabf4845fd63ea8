//! The clones of a home, as facts.

use super::home::Home;
use super::{git, markers, path_state};
use crate::provision::home::HomeError;
use crate::provision::protocol::clip;
use crate::provision::protocol::code::{CloneLocation, CodeFacts, CodeQuery, PathState, RepoFacts};
use std::time::Duration;

/// How long git may take to report whether a name is tracked.
const LS_FILES_DEADLINE: Duration = Duration::from_secs(5);

pub(in crate::provision::home) fn inspect(query: &CodeQuery) -> CodeFacts {
    match Home::open() {
        Ok(home) => facts(&home, query),
        Err(error) => {
            let code = PathState::Unknown(clip(&error.to_string()));
            CodeFacts { code, ..CodeFacts::default() }
        }
    }
}

fn facts(home: &Home, query: &CodeQuery) -> CodeFacts {
    let code = path_state::of_location(home, &CloneLocation::Code);
    let workspace = code == PathState::Directory;
    let at = |location: &CloneLocation| {
        if workspace { path_state::of_location(home, location) } else { PathState::Absent }
    };
    let infra = at(&CloneLocation::Infra);
    let outer = match (&code, &infra) {
        (PathState::Clone(_), _) => Some(CloneLocation::Code),
        (_, PathState::Clone(_)) => Some(CloneLocation::Infra),
        _ => None,
    };
    let valid = |name: &&String| CloneLocation::Repo((*name).clone()).is_valid();
    let repos = query.repos.iter().filter(valid).map(|name| {
        let own = at(&CloneLocation::Repo(name.clone()));
        let found = outer.as_ref().map(|outer| nested(home, outer, name));
        let (nested, tracked) = found.unwrap_or((PathState::Absent, false));
        (name.clone(), RepoFacts { own, nested, tracked })
    });
    let mut facts = CodeFacts { repos: repos.collect(), ..CodeFacts::default() };
    let locations = facts.repos.keys().map(|name| CloneLocation::Repo(name.clone()));
    let locations = [CloneLocation::Code, CloneLocation::Infra].into_iter().chain(locations);
    facts.unfinished_clones =
        locations.filter(|location| markers::has_unfinished_clone(home, location)).collect();
    facts.unfinished_move = path_state::of_name(home.dir(), markers::MOVE_DIR);
    CodeFacts { code, infra, ..facts }
}

/// A name inside a clone; for a clone also whether the outer one tracks the name.
fn nested(home: &Home, outer: &CloneLocation, name: &str) -> (PathState, bool) {
    let nested = path_state::of_nested(home, outer, name);
    if !matches!(nested, PathState::Clone(_)) {
        return (nested, false);
    }
    match is_tracked(home, outer, name) {
        Ok(tracked) => (nested, tracked),
        Err(error) => (PathState::Unknown(clip(&error.to_string())), false),
    }
}

/// Whether a clone tracks a name or something below it. git is asked, since the index is git's.
pub(super) fn is_tracked(
    home: &Home,
    outer: &CloneLocation,
    name: &str,
) -> Result<bool, HomeError> {
    let clone = outer.path();
    let args = [
        format!("--git-dir={clone}/.git"),
        format!("--work-tree={clone}"),
        "ls-files".to_owned(),
        "-z".to_owned(),
        "--".to_owned(),
        format!(":(top,literal){name}"),
    ];
    Ok(!git::git(home, &args, false, LS_FILES_DEADLINE)?.is_empty())
}
