//! What must change so that the host agrees with the roster (pure).
//!
//! Additive for whoever is there: no account is moved, renamed, locked or re-moded, no group is taken
//! away, nothing that a person may have written is overwritten. What differs and is not for this
//! program to mend is said.

mod account;
pub mod agents;
pub mod browser;
mod change;
pub mod cluster;
pub mod code;
mod deployed;
mod environment;
mod groups;
mod maps;
mod ports;
#[cfg(test)]
mod tests;
mod transition;
mod units;

pub use change::{Action, Cause, Change, Installed, SecretValue, Step, Verb};

use super::home;
use super::observe::observed::{File, Observed, USER_MAP};
use crate::offboard;
use crate::roster::groups::TierGroups;
use crate::roster::ports::{Ledger, PortError, Ranges};
use crate::roster::{Roster, Row};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Site values.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where new ports come from.
    pub ranges: Ranges,
    /// The groups of each tier.
    pub groups: TierGroups,
    /// The share of the applied roster's users that may be cut at once.
    pub max_cut_percent: u8,
    /// The shell of new accounts.
    pub shell: String,
    /// Where homes are.
    pub home_base: String,
    /// The lowest uid of a person.
    pub uid_min: u32,
    /// Of clones.
    pub code: code::Settings,
    /// Of the agents' configuration.
    pub agents: agents::Settings,
    /// Of the access to the cluster.
    pub cluster: cluster::Settings,
    /// Of the browser tool.
    pub browser: browser::Settings,
    /// Of leaving.
    pub offboard: offboard::Settings,
}

impl Settings {
    /// What to look at in the home of a user.
    pub(super) fn look(&self, user: &str, row: &Row) -> home::Look {
        home::Look {
            code: code::look(user, row, &self.code),
            agents: agents::look(user, row, &self.agents),
            cluster: cluster::look(user, row, &self.cluster),
            browser: browser::look(user, row, &self.browser),
        }
    }
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    /// The roster.
    pub roster: &'a Roster,
    /// Only these users; all when empty.
    pub users: &'a [String],
    /// Why it is not known who the members are; nobody is cut then.
    pub membership_unknown: Option<String>,
    /// Users whose account or environment could not be made just now: they are in no map yet.
    pub failed: BTreeSet<String>,
}

/// The plan.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// By person, in the order of their dependencies; the host's after everybody's.
    pub changes: Vec<Change>,
    /// What is on record when all of it is done.
    pub record: Record,
}

/// What the next plan must know of this one.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// The applied roster: those who are cut are not in it, those whose cut was refused are.
    pub roster: Roster,
    /// Every port of a terminal, those of the past too.
    pub ports: Ledger,
    /// Every port of a browser tool.
    pub playwright_ports: Ledger,
    /// Places (of [`super::state::written::Written`]) that are as they should be, with what is there.
    pub adopted: Vec<(String, Vec<u8>)>,
}

/// How many changes there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Things made.
    pub add: usize,
    /// Things set right.
    pub repair: usize,
    /// Persons shut out.
    pub cut: usize,
    /// Things gone for good.
    pub remove: usize,
    /// Things that the roster asks for and that are not done.
    pub refused: usize,
    /// Differences that are only said.
    pub report: usize,
}

impl Tally {
    /// Counts.
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        Self::of_verbs(changes.into_iter().map(|change| change.verb))
    }

    /// Counts what is done to whatever it is.
    pub fn of_verbs(verbs: impl IntoIterator<Item = Verb>) -> Self {
        let mut tally = Self::default();
        for verb in verbs {
            *match verb {
                Verb::Add => &mut tally.add,
                Verb::Repair => &mut tally.repair,
                Verb::Cut => &mut tally.cut,
                Verb::Remove => &mut tally.remove,
                Verb::Refuse => &mut tally.refused,
                Verb::Report => &mut tally.report,
            } += 1;
        }
        tally
    }

    /// How many of them change the host.
    pub fn changes(self) -> usize {
        self.add + self.repair + self.cut + self.remove
    }
}

/// Plans.
///
/// # Errors
/// When two have one port on record, or none is left: nothing can be said then.
pub fn plan(wish: &Wish<'_>, observed: &Observed, settings: &Settings) -> Result<Plan, PortError> {
    let transition = transition::transition(wish, observed, settings);
    let mut roster = Roster { users: transition.rows.clone() };
    roster.users.extend(transition.kept.clone());
    let ports = ports::settle(&roster, observed, &settings.ranges)?;
    let chosen = |user: &String| wish.users.is_empty() || wish.users.contains(user);
    let (mut changes, mut adopted) = (transition.changes, Vec::new());
    let is_cut = |user: &String| observed.cut.contains_key(user);
    for (user, row) in transition.rows.iter().filter(|(user, _)| chosen(user)) {
        if let Some(since) = observed.cut.get(user) {
            changes.push(transition::still_cut(user, *since));
            continue;
        }
        let (theirs, found) = one_user(user, row, observed, &ports, settings);
        changes.extend(theirs);
        adopted.extend(found);
    }
    let mut changes = settle_needs(changes);
    let no_account = |change: &&Change| change.step == Step::Account && change.verb == Verb::Refuse;
    let mut left_out: BTreeSet<String> =
        changes.iter().filter(no_account).filter_map(|change| change.user.clone()).collect();
    left_out.retain(|user| !transition.kept.contains_key(user));
    left_out.extend(wish.failed.iter().cloned());
    left_out.extend(ports.unsettled().into_iter().filter(|user| !ports.t3.contains_key(user)));
    let done_first = |change: &&Change| {
        change.verb.changes() && matches!(change.step, Step::Account | Step::Environment)
    };
    let needs: Vec<String> =
        changes.iter().filter(done_first).map(|change| change.id.clone()).collect();
    // Who is cut is in no map, whoever cut them and whatever the roster says.
    let mut in_force = roster.clone();
    in_force.users.retain(|user, _| !is_cut(user));
    let mut leaving = transition.leaving.clone();
    leaving.extend(observed.cut.keys().cloned());
    left_out.retain(|user| !leaving.contains(user));
    let (maps, found) = maps::plan(
        &maps::Mapped {
            roster: &in_force,
            left_out: &left_out,
            leaving: &leaving,
            ports: &ports,
            needs: &needs,
        },
        observed,
    );
    adopted.extend(found);
    changes.extend(maps);
    if wish.users.is_empty() {
        changes.extend(units::missing(&roster, observed));
        let (machine, found) = agents::machine(observed, &settings.agents);
        changes.extend(machine);
        adopted.extend(found);
    }
    // The host's own come last; `sort_by_key` keeps the order within a step.
    changes.sort_by_key(|change| (change.user.is_none(), change.user.clone(), change.step));
    let record = Record { roster, ports: ports.t3, playwright_ports: ports.playwright, adopted };
    Ok(Plan { changes, record })
}

fn one_user(
    user: &str,
    row: &Row,
    observed: &Observed,
    ports: &ports::Ports,
    settings: &Settings,
) -> (Vec<Change>, Vec<(String, Vec<u8>)>) {
    let mut changes = account::plan(user, observed, settings);
    changes.extend(groups::plan(user, row, observed, settings));
    let (environment, mut adopted) = environment::plan(user, observed, ports);
    changes.extend(environment);
    changes.extend(code::plan(user, row, observed, &settings.code));
    let port = ports.of(user, environment::Kind::Playwright);
    for (theirs, found) in [
        agents::plan(user, row, observed, &settings.agents),
        cluster::plan(user, row, observed, &settings.cluster),
        browser::plan(user, port, observed, &settings.browser),
    ] {
        changes.extend(theirs);
        adopted.extend(found);
    }
    changes.extend(units::plan(user, row, observed));
    (changes, adopted)
}

/// The name of the change that makes a user's account.
fn account_id(user: &str) -> String {
    format!("{user}/account")
}

/// Keeps those needs that are in the plan. What needs something refused is not done either: it is a
/// line of that refusal.
fn settle_needs(changes: Vec<Change>) -> Vec<Change> {
    let mut settled: Vec<Change> = Vec::with_capacity(changes.len());
    let mut waiting: BTreeMap<String, String> = BTreeMap::new(); // for which refusal
    for mut change in changes {
        let refusal = |id: &String| {
            let refused = |other: &&Change| other.id == *id && other.verb == Verb::Refuse;
            let direct = settled.iter().find(refused).map(|other| &other.id);
            direct.or_else(|| waiting.get(id)).cloned()
        };
        let refused = change.needs.iter().find_map(refusal).filter(|_| change.verb.changes());
        if let Some(other) = refused {
            let line = format!("nor {} {}", change.verb.shown().1, change.what);
            settled.iter_mut().filter(|c| c.id == other).for_each(|c| c.lines.push(line.clone()));
            waiting.insert(change.id, other);
            continue;
        }
        change.needs.retain(|id| settled.iter().any(|other| other.id == *id));
        settled.push(change);
    }
    settled
}

/// Rows whose users the user map of the host has already.
fn mapped(roster: &Roster, observed: &Observed) -> Roster {
    let map = match observed.files.get(USER_MAP) {
        Some(File::Read { bytes, .. }) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    let (map, _) = crate::identity::UserMap::parse(&map, USER_MAP.as_ref());
    let rows = roster.users.iter().filter(|(user, _)| map.contains(user));
    Roster { users: rows.map(|(user, row)| (user.clone(), row.clone())).collect() }
}
