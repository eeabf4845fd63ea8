//! Carries out a plan: the order of effects.
//!
//! Ports come first, since a port must be on record before any program knows it. Then accounts, groups and
//! environments, one after the other; then homes, several at once, each by its user's process; then units,
//! cuts and maps. A change that fails stops only those that need it.

mod account;
pub mod codex_login;
mod error;
mod executor;
mod files;
mod homes;
pub mod install;
mod receipt;
mod uid;
mod units;

pub use super::state::state_dir::State;
pub use error::{ApplyError, ChangeError};
pub use receipt::{Outcome, OutcomeKind, Receipt};

use super::edit::environment_file;
use super::observe;
use super::observe::observed::{File, Observed};
use super::plan::{self, Action, Change, DesiredState, Plan, Step};
use super::settings::Settings;
use super::sources::origin::RosterSource;
use super::state::journal::{self, Journal};
use super::state::{digest, written};
use crate::roster::Roster;
use executor::Executor;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What a run works with.
#[derive(Debug)]
pub struct Run<'a> {
    pub desired: DesiredState<'a>,
    /// The host as the plan was made for.
    pub observed: &'a Observed,
    pub settings: &'a Settings,
    /// `/var/lib/terminal-lobby`, locked.
    pub state: &'a State,
    /// The name of the run, for the journal and the receipt.
    pub name: &'a str,
    pub roster: RosterSource,
}

/// Takes a line for each change that is done.
pub type Progress<'a> = dyn FnMut(&str) + Send + 'a;

/// Carries out a plan and puts on record what is done.
///
/// # Errors
/// What is done cannot be put on record: then nothing more is done.
pub fn apply(
    run: &Run<'_>,
    plan: &Plan,
    progress: &mut Progress<'_>,
) -> Result<Receipt, ApplyError> {
    let _span = tracing::debug_span!("apply", run = run.name).entered();
    let journal = Journal::new(run.state.dir(), run.name, "apply");
    let written = run.observed.written.clone();
    let mut executor = Executor::new(run, journal, written, progress);
    run.state.ports(&plan.record.ports, &plan.record.playwright_ports)?;
    let is_skeleton =
        |change: &&Change| change.scope.user.is_none() && change.scope.step == Step::Agents;
    let (skeleton, rest): (Vec<&Change>, Vec<&Change>) =
        plan.changes.iter().filter(|change| change.action.is_some()).partition(is_skeleton);
    let (first, rest) = split(rest, |step| step <= Step::Environment);
    let (homes, rest) = split(rest, |step| step < Step::Units);
    // The files that new homes are made from come before the homes.
    for change in skeleton.into_iter().chain(first) {
        executor.carry_out(change)?;
    }
    let executor = Mutex::new(executor);
    homes::perform(run, &executor, &homes)?;
    let mut executor = executor.into_inner().unwrap_or_else(PoisonError::into_inner);
    let maps = maps(run, plan, &executor.failed_users())?;
    let is_map = |change: &&Change| change.scope.step == Step::Maps;
    for change in rest.into_iter().filter(|change| !is_map(change)).chain(&maps) {
        executor.carry_out(change)?;
    }
    for (place, bytes) in &plan.record.adopted {
        executor.written.note(place, bytes);
    }
    if run.roster.is_from_commit {
        executor.written.roster_commit.clone_from(&run.roster.commit);
    }
    run.state.written(&executor.written)?;
    run.state.roster(&applied(run, plan, &executor.uncut()))?;
    let receipt = executor.receipt(plan);
    executor.journal.end(&receipt.last_line()).map_err(ApplyError::Journal)?;
    if !receipt.is_empty() {
        run.state.receipt(run.name, &receipt)?;
    }
    Ok(receipt)
}

fn split(changes: Vec<&Change>, first: fn(Step) -> bool) -> (Vec<&Change>, Vec<&Change>) {
    changes.into_iter().partition(|change| first(change.scope.step))
}

/// The changes of the maps. If changes of users failed, the maps are planned again without these users, so
/// that all others are still in them.
fn maps(run: &Run<'_>, plan: &Plan, failed: &BTreeSet<String>) -> Result<Vec<Change>, ApplyError> {
    let of_maps = |plan: &Plan| {
        let maps = plan.changes.iter().filter(|change| change.scope.step == Step::Maps);
        maps.filter(|change| change.action.is_some()).cloned().collect::<Vec<_>>()
    };
    if failed.is_empty() {
        return Ok(of_maps(plan));
    }
    let observed = observe::observe(Path::new("/"), run.desired.roster, &run.settings.home_base)?;
    let desired = DesiredState { failed: failed.clone(), ..run.desired.clone() };
    let mut maps = of_maps(&plan::plan(&desired, &observed, run.settings)?);
    for change in &mut maps {
        change.scope.needs.clear();
    }
    Ok(maps)
}

/// The roster that is applied now. Users whose cut failed are still in it, so that the cut is retried.
fn applied(run: &Run<'_>, plan: &Plan, uncut: &BTreeSet<String>) -> Roster {
    let mut roster = plan.record.roster.clone();
    if let Some(before) = &run.observed.applied {
        let rows = before.users.iter().filter(|(user, _)| uncut.contains(*user));
        roster.users.extend(rows.map(|(user, row)| (user.clone(), row.clone())));
    }
    roster
}

/// The place that an action writes, as the record of what was written names it, and the content.
fn writes(action: &Action, user: &str) -> Option<(String, Vec<u8>)> {
    match action {
        Action::SetKey { file, key, value } => {
            Some((written::key_place(file, key), value.clone().into_bytes()))
        }
        Action::WriteFile { file, text } => Some((file.clone(), text.clone().into_bytes())),
        _ => action.written(user),
    }
}

/// Completes the record after a run that was killed: content that it was about to write counts as written
/// by this program if it is there, and so does a membership.
pub fn recover(observed: &mut Observed, state: &State) -> Result<(), ApplyError> {
    let lines = journal::interrupted(state.dir()).map_err(ApplyError::ReadJournal)?;
    for line in lines {
        if let (Some(place), Some(hash)) = (&line.place, &line.hash) {
            let there = match place.split_once('#') {
                Some((file, key)) => {
                    bytes(observed, file).and_then(|bytes| environment_file::get(bytes, key))
                }
                None => bytes(observed, place).map(<[u8]>::to_vec),
            };
            if there.is_some_and(|bytes| digest::of(&bytes) == *hash) {
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
        File::Read { bytes, .. } => Some(bytes),
        File::Unknown(_) => None,
    }
}
