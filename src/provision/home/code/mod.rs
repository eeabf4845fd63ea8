//! Of a home, the clones: what is there, and work on it, as the user.
//!
//! Nothing that a person made is removed, replaced or reset: what is made here is made beside its
//! place and renamed to where nothing is.

mod clone;
mod config;
mod git;
pub mod inspect;
mod relocate;
pub mod update_remotes;

pub(super) use crate::provision::home::code::inspect::look;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// The repositories of the user's row.
    pub repos: Vec<String>,
}

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// `~/code`.
    pub code: Place,
    /// `~/code/infra`; absent where `~/code` is no plain directory.
    pub infra: Place,
    /// The repositories that were asked for.
    pub repos: BTreeMap<String, Repo>,
    /// What an interrupted move left between its two places.
    pub between: Place,
    /// Places beside which an interrupted clone of ours lies.
    pub leftovers: Vec<Spot>,
}

impl Facts {
    /// As root takes it from a user's process: only what it asked for, and no more of a clone than an
    /// honest one tells.
    pub fn keep_what_was_asked(&mut self, look: Option<&Look>) {
        let repos = look.map_or(&[][..], |look| &look.repos);
        self.repos.retain(|name, _| repos.contains(name));
        self.leftovers.retain(|spot| !matches!(spot, Spot::Repo(name) if !repos.contains(name)));
        self.leftovers.sort();
        self.leftovers.dedup();
        self.leftovers.shrink_to_fit();
        let repos = self.repos.values_mut().flat_map(|repo| [&mut repo.place, &mut repo.nested]);
        for place in [&mut self.code, &mut self.infra, &mut self.between].into_iter().chain(repos) {
            if let Place::Clone(clone) = place {
                clone.remotes.truncate(config::MAX_REMOTES);
                clone.tracking.truncate(config::MAX_REMOTES);
                clone.remotes.shrink_to_fit();
                clone.tracking.shrink_to_fit();
            }
        }
    }
}

/// A repository of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repo {
    /// `~/code/NAME`; absent where `~/code` is no plain directory.
    pub place: Place,
    /// The same name inside the clone of the infrastructure, wherever that is.
    pub nested: Place,
    /// Whether that clone tracks the name.
    pub tracked: bool,
}

/// What is at a path; no link is followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Place {
    /// Nothing.
    #[default]
    Absent,
    /// A directory that is no clone.
    Directory,
    /// A symbolic link.
    Link,
    /// Something else: what.
    Other(String),
    /// It cannot be told: why.
    Unknown(String),
    /// A clone.
    Clone(Clone),
}

/// A clone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clone {
    /// The remotes; logins are taken out of their addresses.
    pub remotes: Vec<Remote>,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// Whether that branch has an upstream.
    pub upstream: bool,
    /// The remotes that have a branch of that name.
    pub tracking: Vec<String>,
    /// Whether a move of ours was begun with it and not ended.
    pub moving: bool,
}

/// A remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: String,
}

/// A place that is managed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Spot {
    /// `~/code`, the infrastructure in the layout `single`.
    Code,
    /// `~/code/infra`, the same in a workspace.
    Infra,
    /// `~/code/NAME`.
    Repo(String),
}

impl Spot {
    /// Below the home.
    pub fn path(&self) -> String {
        match self {
            Self::Code => "code".to_owned(),
            Self::Infra => "code/infra".to_owned(),
            Self::Repo(name) => format!("code/{name}"),
        }
    }

    /// The last part of the path.
    fn name(&self) -> &str {
        match self {
            Self::Code => "code",
            Self::Infra => "infra",
            Self::Repo(name) => name,
        }
    }

    /// Whether it is what a roster may name: no other path.
    fn is_sound(&self) -> bool {
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
pub struct Wanted {
    /// Where.
    pub spot: Spot,
    /// The canonical address.
    pub url: String,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// Clone what is not there.
    Clone {
        /// What, and where to.
        wanted: Wanted,
        /// The branch to check out; the remote's own when there is none.
        branch: Option<String>,
        /// Whether encrypted files are to stay encrypted.
        locked: bool,
        /// Whether the address may be a path.
        allow_file: bool,
        /// How long it may take, in seconds.
        seconds: u64,
    },
    /// Remove what an interrupted clone left beside its place.
    Tidy(Spot),
    /// Move the clone at `~/code` to `~/code/infra`, or finish that.
    ToWorkspace {
        /// The canonical address.
        url: String,
    },
    /// Move a repository out of the infrastructure's clone to its own place, or finish that.
    Hoist(Wanted),
    /// Name the canonical address in a clone that has no remote.
    AddRemote(Wanted),
    /// Give the branch that is checked out its upstream, the branch of that name.
    SetUpstream(Wanted),
    /// Bring clones up to date, all at once; no change of a plan.
    Freshen {
        /// Which; what is no clone of that repository is left alone.
        clones: Vec<Wanted>,
        /// The deadline for all of them, in seconds.
        seconds: u64,
    },
}

impl Work {
    /// How long it may take: a little longer than the work gives itself, so that it can say why.
    pub(super) fn deadline(&self) -> Duration {
        let seconds = match self {
            Self::Clone { seconds, .. } | Self::Freshen { seconds, .. } => *seconds,
            Self::Tidy(_) | Self::ToWorkspace { .. } | Self::Hoist(_) => 60,
            Self::AddRemote(_) | Self::SetUpstream(_) => 20,
        };
        Duration::from_secs(seconds.saturating_add(10))
    }

    fn is_sound(&self) -> bool {
        match self {
            Self::Tidy(spot) => spot.is_sound(),
            Self::ToWorkspace { .. } => true,
            Self::Clone { wanted, .. }
            | Self::Hoist(wanted)
            | Self::AddRemote(wanted)
            | Self::SetUpstream(wanted) => wanted.spot.is_sound(),
            Self::Freshen { clones, .. } => clones.iter().all(|wanted| wanted.spot.is_sound()),
        }
    }
}

impl Clone {
    /// The name of the remote that is this repository.
    pub fn canonical(&self, url: &str) -> Option<&str> {
        let same =
            |remote: &&Remote| crate::provision::settings::repository::is_same(&remote.url, url);
        self.remotes.iter().find(same).map(|remote| remote.name.as_str())
    }

    /// Whether it is a clone of this repository, or does not say of which it is one.
    pub fn may_be(&self, url: &str) -> bool {
        self.remotes.is_empty() || self.canonical(url).is_some()
    }
}

/// Works, as the user.
pub(super) fn perform(work: &Work) -> Result<Vec<String>, String> {
    if !work.is_sound() {
        return Err("not the name of a repository".to_owned());
    }
    let home = inspect::home()?;
    match work {
        Work::Clone { .. } => clone::clone(&home, work),
        Work::Tidy(spot) => clone::tidy(&home, spot),
        Work::ToWorkspace { url } => relocate::to_workspace(&home, url),
        Work::Hoist(wanted) => relocate::hoist(&home, wanted),
        Work::AddRemote(wanted) => update_remotes::add_remote(&home, wanted),
        Work::SetUpstream(wanted) => update_remotes::set_upstream(&home, wanted),
        Work::Freshen { clones, seconds } => update_remotes::freshen(&home, clones, *seconds),
    }
}
