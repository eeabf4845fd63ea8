//! Carrying a plan out: the order of effects.
//!
//! Ports first, since a port must be on record before anybody learns of it. Then accounts, groups
//! and environments, one after the other; then homes, several at once, each by its user's process;
//! then units, cuts and maps. A failing change ends what needs it and nothing else.

mod account;
mod act;
mod files;
mod homes;
pub mod install;
mod units;

pub use super::state::receipt::{Outcome, Receipt, RosterSource, Tally, What};
pub use super::state::state_dir::State;

use super::edit::environment_file;
use super::observe;
use super::observe::observed::Observed;
use super::plan::{self, Action, Change, Plan, Settings, Step, Wish};
use super::state::journal::Journal;
use crate::roster::Roster;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A run.
#[derive(Debug)]
pub struct Run<'a> {
    /// What is wanted.
    pub wish: Wish<'a>,
    /// The host as the plan saw it.
    pub observed: &'a Observed,
    /// The site.
    pub settings: &'a Settings,
    /// `/var/lib/terminal-lobby`, locked.
    pub state: &'a State,
    /// Its name, of the journal and the receipt.
    pub run: &'a str,
    /// Where the roster came from.
    pub roster: RosterSource,
}

/// What is said while it goes on: which of how many, and what.
pub type Progress<'a> = dyn FnMut(&str) + Send + 'a;

/// Carries a plan out and puts on record what is done.
///
/// # Errors
/// When what is done cannot be put on record: then nothing more is done.
pub fn apply(run: &Run<'_>, plan: &Plan, progress: &mut Progress<'_>) -> Result<Receipt, String> {
    let journal = Journal::new(run.state.dir(), run.run, "apply");
    let written = run.observed.written.clone();
    let mut host = act::Host::new(run, journal, written, progress);
    run.state.ports(&plan.record.ports, &plan.record.playwright_ports)?;
    let (skeleton, rest): (Vec<&Change>, Vec<&Change>) = plan
        .changes
        .iter()
        .filter(|change| change.action.is_some())
        .partition(|change| change.user.is_none() && change.step == Step::Agents);
    let (first, rest) = split(rest, |step| step <= Step::Environment);
    let (homes, rest) = split(rest, |step| step < Step::Units);
    // What new homes are made from comes before them.
    for change in skeleton.into_iter().chain(first) {
        host.one(change)?;
    }
    let host = Mutex::new(host);
    homes::work(run, &host, &homes)?;
    let mut host = host.into_inner().unwrap_or_else(PoisonError::into_inner);
    let maps = maps(run, plan, &host.failed_users())?;
    for change in rest.into_iter().filter(|change| change.step != Step::Maps).chain(&maps) {
        host.one(change)?;
    }
    for (place, bytes) in &plan.record.adopted {
        host.written.note(place, bytes);
    }
    run.state.written(&host.written)?;
    run.state.roster(&applied(run, plan, &host.uncut()))?;
    let receipt = host.receipt(plan);
    let (journal, last) = (host.journal, receipt.last_line());
    journal.end(&last).map_err(|error| error.to_string())?;
    run.state.receipt(&receipt)?;
    Ok(receipt)
}

fn split(changes: Vec<&Change>, first: fn(Step) -> bool) -> (Vec<&Change>, Vec<&Change>) {
    changes.into_iter().partition(|change| first(change.step))
}

/// The changes of the maps: planned anew without those users whose part failed, so that one user's
/// failure leaves nobody else out.
fn maps(run: &Run<'_>, plan: &Plan, failed: &BTreeSet<String>) -> Result<Vec<Change>, String> {
    let of_maps = |plan: &Plan| {
        let maps = plan.changes.iter().filter(|change| change.step == Step::Maps);
        maps.filter(|change| change.action.is_some()).cloned().collect::<Vec<_>>()
    };
    if failed.is_empty() {
        return Ok(of_maps(plan));
    }
    let observed = observe::observe(Path::new("/"), run.wish.roster, &run.settings.home_base)?;
    let wish = Wish { failed: failed.clone(), ..run.wish.clone() };
    let mut maps = plan::plan(&wish, &observed, run.settings)
        .map(|plan| of_maps(&plan))
        .map_err(|error| error.to_string())?;
    for change in &mut maps {
        change.needs.clear();
    }
    Ok(maps)
}

/// The roster that is applied now: those whose cut failed are still in it, so that it is tried again.
fn applied(run: &Run<'_>, plan: &Plan, uncut: &BTreeSet<String>) -> Roster {
    let mut roster = plan.record.roster.clone();
    if let Some(before) = &run.observed.applied {
        let rows = before.users.iter().filter(|(user, _)| uncut.contains(*user));
        roster.users.extend(rows.map(|(user, row)| (user.clone(), row.clone())));
    }
    roster
}

/// What a change writes, and where, as the record of what was written names it.
fn writes(action: &Action, user: &str) -> Option<(String, Vec<u8>)> {
    match action {
        Action::SetKey { file, key, value } => {
            Some((super::state::written::key_place(file, key), value.clone().into_bytes()))
        }
        Action::WriteFile { file, text } => Some((file.clone(), text.clone().into_bytes())),
        _ => action.written(user),
    }
}

/// Completes the record after a run that was killed: what was written just before counts as ours
/// when it is there, and so does a membership.
pub fn recover(observed: &mut Observed, state: &State) -> Result<(), String> {
    let lines = super::state::journal::under_way(state.dir()).map_err(|error| error.to_string())?;
    for line in lines {
        if let (Some(place), Some(hash)) = (&line.place, &line.hash) {
            let there = match place.split_once('#') {
                Some((file, key)) => {
                    bytes(observed, file).and_then(|bytes| environment_file::get(bytes, key))
                }
                None => bytes(observed, place).map(<[u8]>::to_vec),
            };
            if there.is_some_and(|bytes| super::state::digest::of(&bytes) == *hash) {
                observed.written.hashes.insert(place.clone(), hash.clone());
            }
        }
        if let Some((user, group)) = line.id.split_once("/group-")
            && observed.groups_of(user).contains(group)
        {
            let groups = observed.written.groups.entry(user.to_owned()).or_default();
            groups.insert(group.to_owned());
        }
    }
    Ok(())
}

fn bytes<'a>(observed: &'a Observed, file: &str) -> Option<&'a [u8]> {
    match observed.files.get(file)? {
        super::observe::observed::File::Read { bytes, .. } => Some(bytes),
        super::observe::observed::File::Unknown(_) => None,
    }
}
