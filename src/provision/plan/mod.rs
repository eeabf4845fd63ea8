//! What must change so that the host agrees with the roster (pure).
//!
//! Additive for existing users: no account is moved, renamed, locked or re-moded, no group is removed,
//! nothing that a person may have written is overwritten. Differences that this program must not fix are
//! reported.

mod account;
mod agents;
mod browser;
mod change;
mod closed_tree;
mod cluster;
pub mod code;
mod cut_refusal;
mod cuts;
mod deployed;
pub mod environment;
mod groups;
mod maps;
mod old_units;
mod planned;
mod ports;
pub mod saved;
mod service;
mod staged;
#[cfg(test)]
mod tests;
mod units;

pub use crate::provision::change::Tally;
pub(in crate::provision) use account::taken_socket_dir;
pub use change::{Action, Cause, Change, Installed, Scope, SecretSource, Step, Verb};

use super::observe::observed::{File, Observed};
use super::settings::Settings;
use crate::provision::paths::USER_MAP;
use crate::roster::ports::{Ledger, PortError};
use crate::roster::{Roster, Row};
use planned::{Planned, account_id};
use service::Service;
use std::collections::{BTreeMap, BTreeSet};

/// What the host should be.
#[derive(Debug, Clone)]
pub struct DesiredState<'a> {
    pub roster: &'a Roster,
    /// Only these users; all if empty.
    pub users: &'a [String],
    /// Why the members cannot be determined; no users are cut then.
    pub membership_unknown: Option<String>,
    /// Users whose account or environment failed in this run: they are in no map yet.
    pub failed: BTreeSet<String>,
}

impl DesiredState<'_> {
    pub(super) fn includes(&self, user: &String) -> bool {
        self.users.is_empty() || self.users.contains(user)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// By user, in the order of their dependencies; the host's own come last.
    pub changes: Vec<Change>,
    /// What is on record once all of it is done.
    pub record: PlanRecord,
}

/// What the next plan must know about this one.
#[derive(Debug, PartialEq, Eq)]
pub struct PlanRecord {
    /// The applied roster: users who are cut are not in it, users whose cut was refused are.
    pub roster: Roster,
    /// All ports of terminals, also of former users.
    pub ports: Ledger,
    /// All ports of browser tools, also of former users.
    pub playwright_ports: Ledger,
    /// Places (of [`super::state::written::Written`]) that are as they should be, with their content.
    pub adopted: Vec<(String, Vec<u8>)>,
}

/// Compares the host with what it should be.
///
/// # Errors
/// Two users have one port on record, or no port is left.
pub fn plan(
    desired: &DesiredState<'_>,
    observed: &Observed,
    settings: &Settings,
) -> Result<Plan, PortError> {
    let transition = cuts::transition(desired, observed, settings);
    let mut roster = Roster { users: transition.rows.clone() };
    roster.users.extend(transition.kept.clone());
    let ports = ports::assign(&roster, observed, &settings.ranges)?;
    let mut planned = Planned { changes: transition.changes, adopted: Vec::new() };
    for (user, row) in transition.rows.iter().filter(|(user, _)| desired.includes(user)) {
        match observed.cut.get(user) {
            Some(since) => planned.changes.push(cuts::still_cut(user, *since)),
            None => planned.join(one_user(user, row, observed, &ports, settings)),
        }
    }
    planned.changes = settle_needs(planned.changes);
    let is_refused_account =
        |change: &&Change| change.scope.step == Step::Account && change.verb == Verb::Refuse;
    let without_account = planned.changes.iter().filter(is_refused_account);
    let mut left_out: BTreeSet<String> =
        without_account.filter_map(|change| change.scope.user.clone()).collect();
    left_out.retain(|user| !transition.kept.contains_key(user));
    left_out.extend(desired.failed.iter().cloned());
    left_out.extend(ports.without_port().into_iter().filter(|user| !ports.t3.contains_key(user)));
    let is_done_first = |change: &&Change| {
        change.verb.changes() && matches!(change.scope.step, Step::Account | Step::Environment)
    };
    let needs: Vec<String> =
        planned.changes.iter().filter(is_done_first).map(|change| change.id.clone()).collect();
    // Users who are cut are in no map, also those whom a person cut and whom the roster still has.
    let mut in_force = roster.clone();
    in_force.users.retain(|user, _| !observed.cut.contains_key(user));
    let mut leaving = transition.leaving.clone();
    leaving.extend(observed.cut.keys().cloned());
    left_out.retain(|user| !leaving.contains(user));
    let row = |user: &String| {
        let applied = observed.applied.as_ref().and_then(|applied| applied.users.get(user));
        roster.users.get(user).or(applied)
    };
    let cut: BTreeSet<String> =
        leaving.iter().filter_map(row).map(|row| row.authentik_user.clone()).collect();
    planned.join(maps::plan(
        &maps::MapInputs {
            roster: &in_force,
            left_out: &left_out,
            leaving: &leaving,
            cut: &cut,
            ports: &ports,
            needs: &needs,
        },
        observed,
    ));
    if desired.users.is_empty() {
        planned.changes.extend(units::missing(&roster, observed));
        planned.changes.extend(units::of_host(&roster, observed));
        planned.join(agents::plan_host(observed, &settings.agents));
    }
    let Planned { mut changes, adopted } = planned;
    for change in changes.iter_mut().filter(|change| !change.verb.changes()) {
        change.scope.needs.clear(); // it is not carried out, so it waits for nothing
    }
    // The host's own come last; `sort_by_key` keeps the order within a step.
    changes.sort_by_key(|change| {
        let Scope { user, step, .. } = &change.scope;
        (user.is_none(), user.clone(), *step)
    });
    let record =
        PlanRecord { roster, ports: ports.t3, playwright_ports: ports.playwright, adopted };
    Ok(Plan { changes, record })
}

fn one_user(
    user: &str,
    row: &Row,
    observed: &Observed,
    ports: &ports::Ports,
    settings: &Settings,
) -> Planned {
    let changes = account::plan(user, observed, settings);
    let mut planned = Planned { changes, adopted: Vec::new() };
    planned.changes.extend(groups::plan(user, row, observed, settings));
    planned.join(environment::plan(user, observed, ports));
    planned.join(staged::variables(user, observed, &settings.secrets));
    planned.join(staged::git(user, observed, settings.git.as_ref()));
    planned.changes.extend(code::plan(user, row, observed, &settings.code));
    planned.join(agents::plan(user, observed, &settings.agents));
    planned.join(cluster::plan(user, row, observed, &settings.cluster));
    let port = ports.of(user, Service::Playwright);
    planned.join(browser::plan(user, port, observed, &settings.browser));
    planned.join(browser::plan_snapshot_token(user, observed, &settings.browser));
    planned.changes.extend(closed_tree::plan(user, observed, &settings.closed_trees));
    planned.changes.extend(units::plan(user, row, observed));
    planned.changes.extend(old_units::plan(user, observed, ports));
    planned
}

/// Keeps those needs that are in the plan. A change that needs something refused is not done either: it
/// becomes a line of that refusal.
fn settle_needs(changes: Vec<Change>) -> Vec<Change> {
    let mut settled: Vec<Change> = Vec::with_capacity(changes.len());
    let mut blocked: BTreeMap<String, String> = BTreeMap::new(); // by which refusal
    for mut change in changes {
        let refusal = |id: &String| {
            let refused = |other: &&Change| other.id == *id && other.verb == Verb::Refuse;
            let direct = settled.iter().find(refused).map(|other| &other.id);
            direct.or_else(|| blocked.get(id)).cloned()
        };
        let refused = change.scope.needs.iter().find_map(refusal).filter(|_| change.verb.changes());
        if let Some(other) = refused {
            let line = format!("not done either: {} {}", change.verb.shown().1, change.what);
            settled.iter_mut().filter(|c| c.id == other).for_each(|c| c.lines.push(line.clone()));
            blocked.insert(change.id, other);
            continue;
        }
        change.scope.needs.retain(|id| settled.iter().any(|other| other.id == *id));
        settled.push(change);
    }
    settled
}

/// The rows of users who are in the host's user map already.
fn mapped(roster: &Roster, observed: &Observed) -> Roster {
    let map = match observed.files.get(USER_MAP) {
        Some(File::Read { bytes, .. }) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    let (map, _) = crate::identity::UserMap::parse(&map, USER_MAP.as_ref());
    roster.select(|user| map.contains(user))
}
