//! The clones in a home: query, facts, tasks (pure).

use crate::provision::settings::code::Settings;
use crate::provision::settings::repository;
use crate::roster::{Row, Tier};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Maximum number of remotes of a clone that are reported.
pub const MAX_REMOTES: usize = 16;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeQuery {
    /// The repositories of the user's row.
    pub repos: Vec<String>,
}

impl CodeQuery {
    /// `None` if nothing is to be queried: the site manages no clones, or the user is an admin, whose
    /// `~/code` is the admin's own.
    pub fn new(row: &Row, settings: &Settings) -> Option<Self> {
        let managed = row.tier != Tier::Admin && !settings.is_empty();
        managed.then(|| Self { repos: row.repos.clone() })
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeFacts {
    /// `~/code`.
    pub code: PathState,
    /// `~/code/infra`; absent if `~/code` is no plain directory.
    pub infra: PathState,
    /// The repositories that were queried.
    pub repos: BTreeMap<String, RepoFacts>,
    /// What an interrupted move left between its two locations.
    pub unfinished_move: PathState,
    /// Locations beside which an interrupted clone of ours lies.
    pub unfinished_clones: Vec<CloneLocation>,
}

impl CodeFacts {
    /// Drops what was not queried, and everything beyond what an honest process reports of a clone.
    pub fn restrict_to(&mut self, query: Option<&CodeQuery>) {
        let repos = query.map_or(&[][..], |query| &query.repos);
        self.repos.retain(|name, _| repos.contains(name));
        let queried =
            |at: &CloneLocation| !matches!(at, CloneLocation::Repo(name) if !repos.contains(name));
        self.unfinished_clones.retain(queried);
        self.unfinished_clones.sort();
        self.unfinished_clones.dedup();
        self.unfinished_clones.shrink_to_fit();
        let repos = self.repos.values_mut().flat_map(|repo| [&mut repo.own, &mut repo.nested]);
        let places = [&mut self.code, &mut self.infra, &mut self.unfinished_move];
        for place in places.into_iter().chain(repos) {
            if let PathState::Clone(clone) = place {
                clone.remotes.truncate(MAX_REMOTES);
                clone.tracking.truncate(MAX_REMOTES);
                clone.remotes.shrink_to_fit();
                clone.tracking.shrink_to_fit();
            }
        }
    }
}

/// A repository of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepoFacts {
    /// `~/code/NAME`; absent if `~/code` is no plain directory.
    pub own: PathState,
    /// The same name inside the clone of the infrastructure, wherever that is.
    pub nested: PathState,
    /// Whether that clone tracks the name.
    pub tracked: bool,
}

/// What is at a path; no link is followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PathState {
    #[default]
    Absent,
    /// A directory that is no clone.
    Directory,
    Link,
    /// Something else: what.
    Other(String),
    /// It could not be inspected: why.
    Unknown(String),
    Clone(CloneFacts),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloneFacts {
    /// The remotes; logins are taken out of their addresses.
    pub remotes: Vec<Remote>,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// Whether that branch has an upstream.
    pub upstream: bool,
    /// The remotes that have a branch of that name.
    pub tracking: Vec<String>,
    /// The default branch of `origin`, if it is known.
    pub default_branch: Option<DefaultBranch>,
    /// Whether a move of ours was begun with it and not finished.
    pub moving: bool,
}

impl CloneFacts {
    /// The name of the remote that is this repository.
    pub fn canonical(&self, url: &str) -> Option<&str> {
        let same = |remote: &&Remote| repository::is_same(&remote.url, url);
        self.remotes.iter().find(same).map(|remote| remote.name.as_str())
    }

    /// The default branch, if its upstream is that of `origin`, which is this repository.
    pub fn follows_origin(&self, url: &str) -> Option<&str> {
        let branch = self.default_branch.as_ref()?;
        let follows = branch.upstream.as_deref() == Some("origin");
        (follows && self.canonical(url) == Some("origin")).then_some(branch.name.as_str())
    }

    /// Whether it is a clone of this repository, or has no remote at all.
    pub fn may_be(&self, url: &str) -> bool {
        self.remotes.is_empty() || self.canonical(url).is_some()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    pub name: String,
    pub url: String,
}

/// The branch that a remote checks out by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultBranch {
    pub name: String,
    /// The remote whose branch of that name it has as its upstream.
    pub upstream: Option<String>,
}

/// Where a managed clone belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CloneLocation {
    /// `~/code`: the infrastructure in the layout `single`.
    Code,
    /// `~/code/infra`: the infrastructure in a workspace.
    Infra,
    /// `~/code/NAME`.
    Repo(String),
}

impl CloneLocation {
    /// Relative to the home.
    pub fn path(&self) -> String {
        match self {
            Self::Code => "code".to_owned(),
            Self::Infra => "code/infra".to_owned(),
            Self::Repo(name) => format!("code/{name}"),
        }
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        match self {
            Self::Code => "code",
            Self::Infra => "infra",
            Self::Repo(name) => name,
        }
    }

    /// Whether its name is one that a roster may hold: no other path.
    pub fn is_valid(&self) -> bool {
        let Self::Repo(name) = self else { return true };
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.len() <= 100
            && name != "infra"
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    }
}

/// A repository, and where its clone belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    pub location: CloneLocation,
    /// The canonical address.
    pub url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CodeTask {
    /// Clones what is not there.
    Clone {
        repository: Repository,
        /// The branch to check out [default: the remote's own].
        branch: Option<String>,
        /// Whether encrypted files are to stay encrypted.
        keep_encrypted: bool,
        /// Whether the address may be a path.
        allow_file: bool,
        /// How long it may take, in seconds.
        seconds: u64,
    },
    /// Removes what an interrupted clone left beside its location.
    RemoveLeftover(CloneLocation),
    /// Moves the clone at `~/code` to `~/code/infra`, or finishes that.
    MoveToWorkspace {
        /// The canonical address.
        url: String,
    },
    /// Moves a repository out of the infrastructure's clone to its own location, or finishes that.
    MoveOutOfInfra(Repository),
    /// Adds the canonical address to a clone that has no remote.
    AddRemote(Repository),
    /// Sets the upstream of the branch that is checked out to the remote's branch of that name.
    SetUpstream(Repository),
    /// Adds a remote beside `origin`, with `origin`'s default branch as one that follows it.
    AddSecondRemote { repository: Repository, name: String, address: String },
    /// Brings clones up to date, all at once. Not a change of a plan.
    Freshen {
        /// Which; anything but a clone of that repository is left as it is.
        clones: Vec<Repository>,
        /// The deadline for all of them, in seconds.
        seconds: u64,
    },
}

impl CodeTask {
    /// A little longer than the task allows itself, so that it can report why it gave up.
    pub(super) fn deadline(&self) -> Duration {
        let seconds = match self {
            Self::Clone { seconds, .. } | Self::Freshen { seconds, .. } => *seconds,
            Self::RemoveLeftover(_) | Self::MoveToWorkspace { .. } | Self::MoveOutOfInfra(_) => 60,
            Self::AddRemote(_) | Self::SetUpstream(_) | Self::AddSecondRemote { .. } => 20,
        };
        Duration::from_secs(seconds.saturating_add(10))
    }

    /// Whether each location in it is valid.
    pub fn is_valid(&self) -> bool {
        match self {
            Self::RemoveLeftover(location) => location.is_valid(),
            Self::MoveToWorkspace { .. } => true,
            Self::Clone { repository, .. }
            | Self::AddSecondRemote { repository, .. }
            | Self::MoveOutOfInfra(repository)
            | Self::AddRemote(repository)
            | Self::SetUpstream(repository) => repository.location.is_valid(),
            Self::Freshen { clones, .. } => clones.iter().all(|one| one.location.is_valid()),
        }
    }
}
