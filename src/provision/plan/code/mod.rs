//! The clones of a user: the infrastructure's, and those of the row's repositories (pure).
//!
//! Only an absent clone is made, and only what is known to be the right clone is moved or given a remote;
//! anything else at a location is reported.

#[cfg(test)]
mod tests;

mod second_remote;

use super::account_id;
use super::change::{Action, Cause, Change, Step, Verb};
use crate::provision::observe::observed::{HomeReport, Observed};
use crate::provision::protocol::code::{
    CloneFacts, CloneLocation, CodeFacts, CodeQuery, CodeTask, PathState, RepoFacts, Repository,
};
use crate::provision::protocol::{HomeTask, clip};
use crate::provision::settings::code::Settings;
use crate::roster::{Layout, Row};

/// The task that brings a user's clones up to date: for every run, after the changes of the plan, and
/// not a change itself. `None` if there are no clones, or the home could not be inspected.
pub fn freshen(
    user: &str,
    row: &Row,
    observed: &Observed,
    settings: &Settings,
) -> Option<HomeTask> {
    CodeQuery::new(row, settings)?;
    if !observed.accounts.contains_key(user) || observed.home_facts(user).is_none() {
        return None;
    }
    let infra = settings.infra.iter().flat_map(|url| {
        // If a move was refused, it is still at its old location.
        [CloneLocation::Code, CloneLocation::Infra]
            .map(|location| Repository { location, url: url.clone() })
    });
    let repos = settings.remotes_of(row);
    let repos = repos.map(|(name, url)| {
        let location = CloneLocation::Repo(name.clone());
        Repository { location, url }
    });
    let clones: Vec<Repository> = infra.chain(repos).collect();
    let seconds = settings.freshen_seconds;
    (!clones.is_empty()).then_some(HomeTask::Code(CodeTask::Freshen { clones, seconds }))
}

pub(super) fn plan(user: &str, row: &Row, observed: &Observed, settings: &Settings) -> Vec<Change> {
    if CodeQuery::new(row, settings).is_none() {
        return Vec::new();
    }
    let nothing = CodeFacts::default();
    let facts = match observed.home_reports.get(user) {
        // The home will be made.
        None if !observed.accounts.contains_key(user) => &nothing,
        None => return Vec::new(),
        Some(HomeReport::Unknown(why)) => return vec![unknown(user, why)],
        Some(HomeReport::Facts(facts)) => match &facts.code {
            Some(facts) => facts,
            None => return vec![unknown(user, "its process reported nothing about clones")],
        },
    };
    Planning { user, row, settings, facts }.changes()
}

fn unknown(user: &str, why: &str) -> Change {
    let change = Change::new(Some(user), Step::Code, "code", "~/code");
    change.refused(Cause::Drift, format!("not inspected: {}", clip(why)))
}

struct Planning<'a> {
    user: &'a str,
    row: &'a Row,
    settings: &'a Settings,
    facts: &'a CodeFacts,
}

impl Planning<'_> {
    fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> =
            self.facts.unfinished_clones.iter().map(|at| self.remove_leftover(at)).collect();
        let moved = self.moved();
        let begun = moved.is_some();
        changes.extend(moved);
        if !begun {
            if let Some(blocked) = self.blocked() {
                changes.push(blocked);
                return changes;
            }
            changes.extend(self.infra());
        }
        if self.row.code_layout == Layout::Workspace {
            let repos = self.row.repos.iter();
            changes.extend(repos.filter_map(|name| self.repo(name)));
        }
        changes.extend(self.second_remotes(begun));
        changes
    }

    fn change(&self, part: &str, what: impl Into<String>) -> Change {
        let part = format!("code{part}");
        Change::new(Some(self.user), Step::Code, &part, what).needs([account_id(self.user)])
    }

    fn remove_leftover(&self, location: &CloneLocation) -> Change {
        let path = location.path();
        let change = self.change(&format!("-tidy-{path}"), format!("~/{path}"));
        let change = change.why("an interrupted clone is beside it");
        done(change, Verb::Repair, Cause::Drift, CodeTask::RemoveLeftover(location.clone()))
    }

    /// The move of `~/code` to `~/code/infra`, if it is to be done or finished.
    fn moved(&self) -> Option<Change> {
        let url = self.settings.infra.as_ref()?;
        let begun = |state: &PathState| matches!(state, PathState::Clone(clone) if clone.moving);
        let task = CodeTask::MoveToWorkspace { url: url.clone() };
        let change = self.change("-move", "~/code").from("~/code").to("~/code/infra");
        if begun(&self.facts.unfinished_move) || begun(&self.facts.infra) {
            let change = change.why("finishes a move that was interrupted");
            return Some(done(change, Verb::Repair, Cause::Drift, task));
        }
        let PathState::Clone(clone) = &self.facts.code else { return None };
        if self.row.code_layout != Layout::Workspace || !clone.may_be(url) {
            return None;
        }
        let why = "moved as a whole, with branches, changed files and running processes";
        let change = change.why(why);
        Some(done(change, Verb::Repair, Cause::Intent, task))
    }

    /// Anything at `~/code` that keeps all clones from being made.
    fn blocked(&self) -> Option<Change> {
        let change = self.change("", "~/code");
        let blocked = match (&self.facts.code, self.row.code_layout) {
            (PathState::Absent, _)
            | (PathState::Directory, Layout::Workspace)
            | (PathState::Clone(_), Layout::Single) => return None,
            (PathState::Clone(clone), Layout::Workspace) => {
                let why = if self.settings.infra.is_some() {
                    "a clone of another repository: left as it is"
                } else {
                    "a clone, but the layout is workspace: left as it is"
                };
                change.from(shown(clone)).reported(Cause::Drift, why)
            }
            (PathState::Directory, Layout::Single) => {
                self.settings.infra.as_ref()?;
                change.reported(Cause::Drift, "a directory that is not a clone: left as it is")
            }
            (PathState::Link, _) => change.reported(Cause::Drift, "a link: left as it is"),
            (PathState::Other(what) | PathState::Unknown(what), _) => in_the_way(change, what),
        };
        let repos = self.row.repos.iter().map(|name| format!("not done either: ~/code/{name}"));
        Some(Change { lines: repos.collect(), ..blocked })
    }

    /// The infrastructure's clone at its location.
    fn infra(&self) -> Option<Change> {
        let url = self.settings.infra.clone()?;
        let (location, state) = match self.row.code_layout {
            Layout::Single => (CloneLocation::Code, &self.facts.code),
            Layout::Workspace => (CloneLocation::Infra, &self.facts.infra),
        };
        let repository = Repository { location, url };
        self.at_location("", repository, state, true)
    }

    /// A repository of the row.
    fn repo(&self, name: &str) -> Option<Change> {
        let part = format!("-{name}");
        let Some(url) = self.settings.remote(name) else {
            let change = self.change(&part, format!("~/code/{name}"));
            let why = "no remote is configured for it (provision.code.repo_remote)";
            return Some(change.refused(Cause::Intent, why));
        };
        let absent = RepoFacts::default();
        let repo = self.facts.repos.get(name).unwrap_or(&absent);
        let location = CloneLocation::Repo(name.to_owned());
        let repository = Repository { location, url };
        let (own, nested) = (&repo.own, &repo.nested);
        let change = self.change(&part, format!("~/code/{name}"));
        let change = change.needs([account_id(self.user), format!("{}/code-move", self.user)]);
        let from = format!("~/code/infra/{name}");
        match (own, nested) {
            (PathState::Clone(clone), _) if clone.moving && clone.may_be(&repository.url) => {
                let change = change.why("finishes a move that was interrupted");
                Some(done(change, Verb::Repair, Cause::Drift, CodeTask::MoveOutOfInfra(repository)))
            }
            (PathState::Absent, PathState::Clone(clone)) if !repo.tracked => {
                if !clone.may_be(&repository.url) {
                    let change = change.from(shown(clone));
                    let why = format!("{from} is a clone of another repository: left as it is");
                    return Some(change.reported(Cause::Drift, why));
                }
                let change = change.from(from).why("it is inside the infrastructure's clone");
                Some(done(
                    change,
                    Verb::Repair,
                    Cause::Intent,
                    CodeTask::MoveOutOfInfra(repository),
                ))
            }
            (PathState::Absent, PathState::Unknown(why)) => {
                let why = format!("{from}: {}: left as it is", clip(why));
                Some(change.reported(Cause::Drift, why))
            }
            _ => self.at_location(&part, repository, own, false),
        }
    }

    /// A clone at its location: made, completed, or a report of what is there instead.
    fn at_location(
        &self,
        part: &str,
        repository: Repository,
        state: &PathState,
        keep_encrypted: bool,
    ) -> Option<Change> {
        let path = format!("~/{}", repository.location.path());
        let change = self.change(part, path.clone());
        match state {
            PathState::Absent => {
                let moved = format!("{}/code-move", self.user);
                let change =
                    change.needs([account_id(self.user), moved]).to(repository.url.clone());
                let branch = self.settings.branch.clone().filter(|_| keep_encrypted);
                let allow_file = self.settings.allow_file;
                let seconds = self.settings.clone_seconds;
                let why = if keep_encrypted { "encrypted files stay encrypted" } else { "" };
                let task =
                    CodeTask::Clone { repository, branch, keep_encrypted, allow_file, seconds };
                Some(done(change.why(why), Verb::Add, Cause::Intent, task))
            }
            PathState::Clone(clone) => self.complete(part, repository, clone),
            PathState::Directory => Some(
                change.reported(Cause::Drift, "a directory that is not a clone: left as it is"),
            ),
            PathState::Link => Some(change.reported(Cause::Drift, "a link: left as it is")),
            PathState::Other(what) | PathState::Unknown(what) => Some(in_the_way(change, what)),
        }
    }

    /// Adds the remote or upstream that an existing clone lacks.
    fn complete(&self, part: &str, repository: Repository, clone: &CloneFacts) -> Option<Change> {
        let path = format!("~/{}", repository.location.path());
        if clone.remotes.is_empty() {
            let change = self.change(&format!("{part}-remote"), format!("{path} remote origin"));
            let change = change.to(repository.url.clone());
            return Some(done(change, Verb::Add, Cause::Drift, CodeTask::AddRemote(repository)));
        }
        let Some(remote) = clone.canonical(&repository.url) else {
            let change = self.change(&format!("{part}-remote"), format!("{path} remote"));
            let change = change.from(shown(clone)).to(repository.url);
            return Some(
                change.reported(Cause::Drift, "a clone of another repository: left as it is"),
            );
        };
        let branch = clone.branch.as_ref()?;
        let tracked = clone.tracking.iter().any(|name| name == remote);
        if clone.upstream || !tracked {
            return None;
        }
        let branch = clip(branch);
        let change =
            self.change(&format!("{part}-upstream"), format!("{path} upstream of {branch}"));
        let change = change.to(format!("{}/{branch}", clip(remote)));
        Some(done(change, Verb::Add, Cause::Drift, CodeTask::SetUpstream(repository)))
    }
}

fn done(change: Change, verb: Verb, cause: Cause, task: CodeTask) -> Change {
    change.done(verb, cause, Action::Home(Box::new(HomeTask::Code(task))))
}

fn in_the_way(change: Change, what: &str) -> Change {
    change.refused(Cause::Drift, format!("{}: left as it is", clip(what)))
}

/// The addresses of a clone's remotes.
fn shown(clone: &CloneFacts) -> String {
    let addresses: Vec<&str> = clone.remotes.iter().map(|remote| remote.url.as_str()).collect();
    clip(&addresses.join(", "))
}
