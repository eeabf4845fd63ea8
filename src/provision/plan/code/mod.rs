//! The clones of a user: the infrastructure's, and those of the row's repositories.
//!
//! Only what is absent is made, and only what is known as the right clone is moved or given a remote;
//! everything else that is in a place is said.

#[cfg(test)]
mod tests;

pub use crate::provision::settings::code::Settings;

use super::account_id;
use super::change::{Action, Cause, Change, Step, Verb};
use crate::provision::home::Work;
use crate::provision::home::code::{self, Clone, Facts, Look, Place, Repo, Spot, Wanted};
use crate::provision::observe::observed::{Inside, Observed};
use crate::roster::{Layout, Row, Tier};

/// No reason of a user's process is repeated longer (characters).
const MAX_REASON: usize = 300;

/// What to look at in a user's home; nothing when the site asks for nothing. An admin's `~/code` is
/// the admin's own.
pub(in crate::provision) fn look(_user: &str, row: &Row, settings: &Settings) -> Option<Look> {
    let managed = row.tier != Tier::Admin && !settings.is_empty();
    managed.then(|| Look { repos: row.repos.clone() })
}

/// The work that brings a user's clones up to date: for every run, after the changes of the plan,
/// and no change itself. None for whom there is nothing to bring up to date, or nobody to do it.
pub fn freshen(user: &str, row: &Row, observed: &Observed, settings: &Settings) -> Option<Work> {
    look(user, row, settings)?;
    if !observed.accounts.contains_key(user) || observed.seen(user).is_none() {
        return None;
    }
    let infra = settings.infra.iter().flat_map(|url| {
        // Where a move was refused, it is still in its old place.
        [Spot::Code, Spot::Infra].map(|spot| Wanted { spot, url: url.clone() })
    });
    let repos = settings.remotes_of(row);
    let repos = repos.map(|(name, url)| Wanted { spot: Spot::Repo(name.clone()), url });
    let clones: Vec<Wanted> = infra.chain(repos).collect();
    let seconds = settings.freshen_seconds;
    (!clones.is_empty()).then_some(Work::Code(code::Work::Freshen { clones, seconds }))
}

/// What a user lacks.
pub(super) fn plan(user: &str, row: &Row, observed: &Observed, settings: &Settings) -> Vec<Change> {
    if look(user, row, settings).is_none() {
        return Vec::new();
    }
    let nothing = Facts::default();
    let facts = match observed.inside.get(user) {
        // A home that is to be made.
        None if !observed.accounts.contains_key(user) => &nothing,
        None => return Vec::new(),
        Some(Inside::Unknown(why)) => return vec![unknown(user, why)],
        Some(Inside::Seen(facts)) => match &facts.code {
            Some(facts) => facts,
            None => return vec![unknown(user, "its process said nothing about clones")],
        },
    };
    Planning { user, row, settings, facts }.changes()
}

fn unknown(user: &str, why: &str) -> Change {
    let change = Change::new(Some(user), Step::Code, "code", "~/code");
    change.refused(Cause::Drift, format!("not looked at: {}", clipped(why)))
}

struct Planning<'a> {
    user: &'a str,
    row: &'a Row,
    settings: &'a Settings,
    facts: &'a Facts,
}

impl Planning<'_> {
    fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> =
            self.facts.leftovers.iter().map(|at| self.tidy(at)).collect();
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
        changes
    }

    fn change(&self, part: &str, what: impl Into<String>) -> Change {
        let part = format!("code{part}");
        Change::new(Some(self.user), Step::Code, &part, what).needs([account_id(self.user)])
    }

    fn tidy(&self, spot: &Spot) -> Change {
        let path = spot.path();
        let change = self.change(&format!("-tidy-{path}"), format!("~/{path}"));
        let change = change.why("an interrupted clone lies beside it");
        done(change, Verb::Repair, Cause::Drift, code::Work::Tidy(spot.clone()))
    }

    /// The move of `~/code` to `~/code/infra`, where it is to be done or finished.
    fn moved(&self) -> Option<Change> {
        let url = self.settings.infra.as_ref()?;
        let begun = |place: &Place| matches!(place, Place::Clone(clone) if clone.moving);
        let work = code::Work::ToWorkspace { url: url.clone() };
        let change = self.change("-move", "~/code").from("~/code").to("~/code/infra");
        if begun(&self.facts.between) || begun(&self.facts.infra) {
            let change = change.why("finishes a move that was interrupted");
            return Some(done(change, Verb::Repair, Cause::Drift, work));
        }
        let Place::Clone(clone) = &self.facts.code else { return None };
        if self.row.code_layout != Layout::Workspace || !clone.may_be(url) {
            return None;
        }
        let change =
            change.why("moved whole: branches, changed files and what runs in it go along");
        Some(done(change, Verb::Repair, Cause::Intent, work))
    }

    /// Whatever is at `~/code` and keeps every clone from its place.
    fn blocked(&self) -> Option<Change> {
        let change = self.change("", "~/code");
        let said = match (&self.facts.code, self.row.code_layout) {
            (Place::Absent, _)
            | (Place::Directory, Layout::Workspace)
            | (Place::Clone(_), Layout::Single) => return None,
            (Place::Clone(clone), Layout::Workspace) => {
                let why = if self.settings.infra.is_some() {
                    "a clone of something else: left alone"
                } else {
                    "a clone where a workspace is asked for: left alone"
                };
                change.from(shown(clone)).reported(Cause::Drift, why)
            }
            (Place::Directory, Layout::Single) => {
                self.settings.infra.as_ref()?;
                change.reported(Cause::Drift, "a directory that is no clone: left alone")
            }
            (Place::Link, _) => change.reported(Cause::Drift, "a link: left alone"),
            (Place::Other(what) | Place::Unknown(what), _) => in_the_way(change, what),
        };
        let repos = self.row.repos.iter().map(|name| format!("nor ~/code/{name}"));
        Some(Change { lines: repos.collect(), ..said })
    }

    /// The infrastructure's clone in its place.
    fn infra(&self) -> Option<Change> {
        let url = self.settings.infra.clone()?;
        let (spot, place) = match self.row.code_layout {
            Layout::Single => (Spot::Code, &self.facts.code),
            Layout::Workspace => (Spot::Infra, &self.facts.infra),
        };
        let wanted = Wanted { spot, url };
        self.one("", wanted, place, true)
    }

    /// A repository of the row.
    fn repo(&self, name: &str) -> Option<Change> {
        let part = format!("-{name}");
        let Some(url) = self.settings.remote(name) else {
            let change = self.change(&part, format!("~/code/{name}"));
            let why = "the configuration names no remote for it (provision.code.repo_remote)";
            return Some(change.refused(Cause::Intent, why));
        };
        let absent = Repo::default();
        let repo = self.facts.repos.get(name).unwrap_or(&absent);
        let wanted = Wanted { spot: Spot::Repo(name.to_owned()), url };
        // While ~/code is still a clone, its files are not the repository's place.
        let (place, nested) = (&repo.place, &repo.nested);
        let change = self.change(&part, format!("~/code/{name}"));
        let change = change.needs([account_id(self.user), format!("{}/code-move", self.user)]);
        let from = format!("~/code/infra/{name}");
        match (place, nested) {
            (Place::Clone(clone), _) if clone.moving && clone.may_be(&wanted.url) => {
                let change = change.why("finishes a move that was interrupted");
                Some(done(change, Verb::Repair, Cause::Drift, code::Work::Hoist(wanted)))
            }
            (Place::Absent, Place::Clone(clone)) if !repo.tracked => {
                if !clone.may_be(&wanted.url) {
                    let change = change.from(shown(clone));
                    let why = format!("{from} is a clone of something else: left alone");
                    return Some(change.reported(Cause::Drift, why));
                }
                let change = change.from(from).why("it lies in the infrastructure's clone");
                Some(done(change, Verb::Repair, Cause::Intent, code::Work::Hoist(wanted)))
            }
            (Place::Absent, Place::Unknown(why)) => {
                let why = format!("{from}: {}: left alone", clipped(why));
                Some(change.reported(Cause::Drift, why))
            }
            _ => self.one(&part, wanted, place, false),
        }
    }

    /// A clone in its place: made, given what it lacks, or what is there instead is said.
    fn one(&self, part: &str, wanted: Wanted, place: &Place, locked: bool) -> Option<Change> {
        let path = format!("~/{}", wanted.spot.path());
        let change = self.change(part, path.clone());
        match place {
            Place::Absent => {
                let moved = format!("{}/code-move", self.user);
                let change = change.needs([account_id(self.user), moved]).to(wanted.url.clone());
                let branch = self.settings.branch.clone().filter(|_| locked);
                let allow_file = self.settings.allow_file;
                let seconds = self.settings.clone_seconds;
                let work = code::Work::Clone { wanted, branch, locked, allow_file, seconds };
                let why = if locked { "encrypted files stay encrypted" } else { "" };
                Some(done(change.why(why), Verb::Add, Cause::Intent, work))
            }
            Place::Clone(clone) => self.lacks(part, wanted, clone),
            Place::Directory => {
                Some(change.reported(Cause::Drift, "a directory that is no clone: left alone"))
            }
            Place::Link => Some(change.reported(Cause::Drift, "a link: left alone")),
            Place::Other(what) | Place::Unknown(what) => Some(in_the_way(change, what)),
        }
    }

    /// What an existing clone lacks.
    fn lacks(&self, part: &str, wanted: Wanted, clone: &Clone) -> Option<Change> {
        let path = format!("~/{}", wanted.spot.path());
        if clone.remotes.is_empty() {
            let change = self.change(&format!("{part}-remote"), format!("{path} remote origin"));
            let change = change.to(wanted.url.clone());
            return Some(done(change, Verb::Add, Cause::Drift, code::Work::AddRemote(wanted)));
        }
        let Some(remote) = clone.canonical(&wanted.url) else {
            let change = self.change(&format!("{part}-remote"), format!("{path} remote"));
            let change = change.from(shown(clone)).to(wanted.url);
            return Some(change.reported(Cause::Drift, "a clone of something else: left alone"));
        };
        let branch = clone.branch.as_ref()?;
        let tracked = clone.tracking.iter().any(|name| name == remote);
        if clone.upstream || !tracked {
            return None;
        }
        let branch = clipped(branch);
        let change =
            self.change(&format!("{part}-upstream"), format!("{path} upstream of {branch}"));
        let change = change.to(format!("{}/{branch}", clipped(remote)));
        Some(done(change, Verb::Add, Cause::Drift, code::Work::SetUpstream(wanted)))
    }
}

fn done(change: Change, verb: Verb, cause: Cause, work: code::Work) -> Change {
    change.done(verb, cause, Action::Home(Box::new(Work::Code(work))))
}

fn in_the_way(change: Change, what: &str) -> Change {
    change.refused(Cause::Drift, format!("{}: left alone", clipped(what)))
}

/// The addresses of a clone's remotes.
fn shown(clone: &Clone) -> String {
    let addresses: Vec<&str> = clone.remotes.iter().map(|remote| remote.url.as_str()).collect();
    clipped(&addresses.join(", "))
}

fn clipped(text: &str) -> String {
    text.chars().take(MAX_REASON).collect()
}
