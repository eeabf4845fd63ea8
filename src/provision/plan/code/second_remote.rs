//! The second remote of clones: the canonical one, where they were cloned from a mirror (pure).
//!
//! It is added once, to what is a clone of the right repository or is made in the same run. What a person set
//! stays: another address under that name, the same address under another name, another upstream.

use super::{Planning, done};
use crate::provision::plan::change::{Cause, Change, Verb};
use crate::provision::protocol::clip;
use crate::provision::protocol::code::{
    CloneFacts, CloneLocation, CodeTask, PathState, Repository,
};
use crate::roster::Layout;

impl Planning<'_> {
    /// `moved`: whether this plan moves `~/code` to `~/code/infra`.
    pub(super) fn second_remotes(&self, moved: bool) -> Vec<Change> {
        let Some(second) = &self.settings.second_remote else { return Vec::new() };
        let mut changes = Vec::new();
        if let (Some(url), Some(address)) = (self.settings.infra.clone(), second.infra()) {
            let (location, state) = match self.row.code_layout {
                Layout::Single => (CloneLocation::Code, &self.facts.code),
                Layout::Workspace if moved => (CloneLocation::Infra, self.on_the_way()),
                Layout::Workspace => (CloneLocation::Infra, &self.facts.infra),
            };
            changes.extend(self.second_remote("", Repository { location, url }, state, address));
        }
        if self.row.code_layout == Layout::Workspace {
            for (name, url) in self.settings.remotes_of(self.row) {
                let Some(address) = second.repo(name) else { continue };
                let absent = PathState::Absent;
                let state = match self.facts.repos.get(name) {
                    Some(repo) if repo.own == PathState::Absent && !repo.tracked => &repo.nested,
                    Some(repo) => &repo.own,
                    None => &absent,
                };
                let repository = Repository { location: CloneLocation::Repo(name.clone()), url };
                let part = format!("-{name}");
                changes.extend(self.second_remote(&part, repository, state, address));
            }
        }
        changes
    }

    /// The clone that is moved to `~/code/infra`.
    fn on_the_way(&self) -> &PathState {
        let places = [&self.facts.code, &self.facts.unfinished_move];
        let clone = places.into_iter().find(|state| matches!(state, PathState::Clone(_)));
        clone.unwrap_or(&self.facts.infra)
    }

    fn second_remote(
        &self,
        part: &str,
        repository: Repository,
        state: &PathState,
        address: String,
    ) -> Option<Change> {
        let name = self.settings.second_remote.as_ref()?.name.0.clone();
        let clone = match state {
            PathState::Absent => None,
            PathState::Clone(clone) if clone.may_be(&repository.url) => Some(clone),
            _ => return None,
        };
        let path = repository.location.path();
        let change = self.change(&format!("{part}-second"), format!("~/{path} remote {name}"));
        if let Some(clone) = clone {
            if clone.canonical(&address).is_some() {
                return None;
            }
            if let Some(there) = address_of(clone, &name) {
                let change = change.from(clip(there)).to(address);
                let why = "another address: left as it is";
                return Some(change.reported(Cause::Drift, why));
            }
        }
        let follows = clone.and_then(|clone| clone.follows_origin(&repository.url)).map(clip);
        let why = match (clone, follows) {
            (None, _) => format!("the default branch follows {name}"),
            (Some(_), Some(branch)) => format!("{branch} follows {name} instead of origin"),
            (Some(_), None) => String::new(),
        };
        let user = self.user;
        let needs = [
            super::account_id(user),
            format!("{user}/code-move"),
            format!("{user}/code{part}"),
            format!("{user}/code{part}-remote"),
        ];
        let change = change.needs(needs).to(address.clone()).why(why);
        let task = CodeTask::AddSecondRemote { repository, name, address };
        Some(done(change, Verb::Add, Cause::Intent, task))
    }
}

/// The address of the remote of that name.
fn address_of<'a>(clone: &'a CloneFacts, name: &str) -> Option<&'a str> {
    let remote = clone.remotes.iter().find(|remote| remote.name == name)?;
    Some(remote.url.as_str())
}
