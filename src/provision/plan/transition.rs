//! From the roster that was applied to the one that is wanted: who is cut, and who stays though
//! the roster no longer names them.

use super::change::{Action, Cause, Change, Step, Verb};
use super::{Settings, Wish};
use crate::offboard::leavers::{Leaver, leavers};
use crate::provision::observe::observed::Observed;
use crate::roster::{Roster, Row};
use crate::sys::clock;
use std::collections::{BTreeMap, BTreeSet};

/// What the difference of two rosters comes to.
pub(super) struct Transition {
    /// Rows to work for.
    pub(super) rows: BTreeMap<String, Row>,
    /// Rows of the past that stay in force.
    pub(super) kept: BTreeMap<String, Row>,
    /// Who is cut.
    pub(super) leaving: BTreeSet<String>,
    /// Cuts and refusals.
    pub(super) changes: Vec<Change>,
}

/// Compares.
pub(super) fn transition(wish: &Wish<'_>, observed: &Observed, settings: &Settings) -> Transition {
    let old = observed.applied.clone().unwrap_or_default();
    let new = selected(wish, observed);
    let plan = leavers(&old, &new, false);
    let mut found = Transition {
        rows: new.users.clone(),
        kept: BTreeMap::new(),
        leaving: BTreeSet::new(),
        changes: Vec::new(),
    };
    let keep = |found: &mut Transition, user: &String| {
        found.kept.extend(old.users.get(user).map(|row| (user.clone(), row.clone())));
    };
    for user in &plan.protected {
        let why = "an admin is not cut by a difference of two rosters: `provision offboard` does";
        found.changes.push(not_cut(user, why));
        keep(&mut found, user);
    }
    let everybody = for_everybody(wish, (&old, &new), &plan.users, (observed, settings));
    for leaving in &plan.users {
        let user = &leaving.user;
        if let Some(why) = everybody.clone().or_else(|| for_one(leaving, observed, settings)) {
            found.changes.push(not_cut(user, &why));
            keep(&mut found, user);
        } else {
            let change = Change::new(Some(user), Step::Cut, "cut", user);
            let change = Change { steps: leaving.steps.clone(), ..change };
            let change = change.why("the applied roster has a row, the roster has none");
            found.changes.push(change.done(Verb::Cut, Cause::Intent, Action::Cut));
            found.leaving.insert(user.clone());
        }
    }
    refuse_clashes(wish, &old, &mut found);
    found
}

/// Rows with an identity of a row that stays in force are not applied; then their own old rows stay
/// in force, and so on.
fn refuse_clashes(wish: &Wish<'_>, old: &Roster, found: &mut Transition) {
    let chosen = |user: &String| wish.users.is_empty() || wish.users.contains(user);
    loop {
        let clash = found.rows.iter().filter(|(user, _)| chosen(user)).find_map(|(user, row)| {
            let others = found.rows.iter().filter(|(other, _)| !chosen(other)).chain(&found.kept);
            let (other, _) = others.into_iter().find(|(_, other)| same(other, row))?;
            Some((user.clone(), other.clone()))
        });
        let Some((user, other)) = clash else { return };
        found.rows.remove(&user);
        let change = Change::new(Some(&user), Step::Account, "account", format!("account {user}"));
        let why = format!("shares an identity with {other}, who is still applied: renamed?");
        found.changes.push(change.refused(Cause::Intent, why));
        found.kept.extend(old.users.get(&user).map(|row| (user, row.clone())));
    }
}

fn not_cut(user: &str, why: &str) -> Change {
    let change = Change::new(Some(user), Step::Cut, "cut", format!("cut of {user}"));
    change.refused(Cause::Intent, why)
}

/// What is said of a row whose user is cut: nothing is done for them.
pub(super) fn still_cut(user: &str, since: u64) -> Change {
    let change = Change::new(Some(user), Step::Account, "account", format!("account {user}"));
    let why =
        format!("cut at {}: `provision offboard uncut {user}` undoes it", clock::stamp(since));
    change.refused(Cause::Drift, why)
}

fn same(one: &Row, other: &Row) -> bool {
    one.authentik_user == other.authentik_user || one.k8s_user == other.k8s_user
}

/// Why nobody is cut.
fn for_everybody(
    wish: &Wish<'_>,
    (old, new): (&Roster, &Roster),
    leaving: &[Leaver],
    (observed, settings): (&Observed, &Settings),
) -> Option<String> {
    if let Some(why) = &wish.membership_unknown {
        return Some(format!("the members are not known: {why}"));
    }
    if wish.roster.users.is_empty() {
        return Some("the roster is empty: nobody is cut by an empty one".to_owned());
    }
    // Of all users of both: a refused cut must not pass the next time since others came meanwhile.
    let all = old.users.keys().chain(new.users.keys()).collect::<BTreeSet<_>>().len();
    // Whom a person has cut already loses nothing more.
    let uncut = leaving.iter().filter(|leaving| !observed.cut.contains_key(&leaving.user));
    let (number, most) = (uncut.count(), settings.max_cut_percent);
    let many = number * 100 > usize::from(most) * all;
    many.then(|| format!("{number} of {all} users would be cut, more than {most} %; hint: --max-cut-percent allows more"))
}

/// Why one is not.
fn for_one(leaving: &Leaver, observed: &Observed, settings: &Settings) -> Option<String> {
    if let Some(now) = &leaving.now {
        return Some(format!("shares an identity with {now} of the roster: renamed?"));
    }
    let uid = observed.accounts.get(&leaving.user).map(|account| account.uid);
    let system = uid.filter(|uid| *uid < settings.uid_min);
    system.map(|uid| format!("uid {uid} is a system account"))
}

/// The roster as far as this plan is about it: other users stay as they were applied, or, before
/// the first time, as the user map has them.
fn selected(wish: &Wish<'_>, observed: &Observed) -> Roster {
    if wish.users.is_empty() {
        return wish.roster.clone();
    }
    let before = observed.applied.clone().unwrap_or_else(|| super::mapped(wish.roster, observed));
    let chosen = |user: &String| wish.users.contains(user);
    let others = before.users.into_iter().filter(|(user, _)| !chosen(user));
    let theirs = wish.roster.users.iter().filter(|(user, _)| chosen(user));
    Roster { users: others.chain(theirs.map(|(user, row)| (user.clone(), row.clone()))).collect() }
}
