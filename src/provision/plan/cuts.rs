//! Users who left the roster: who is cut, and who stays in force (pure).

use super::DesiredState;
use super::change::{Action, Cause, Change, Scope, Step, Verb};
use super::cut_refusal::CutRefusal;
use crate::offboard::leavers::{Leaver, leavers};
use crate::provision::observe::observed::Observed;
use crate::provision::settings::Settings;
use crate::roster::{Roster, Row};
use crate::sys::clock;
use std::collections::{BTreeMap, BTreeSet};

/// The difference of two rosters.
pub(super) struct Transition {
    /// Rows to plan for.
    pub(super) rows: BTreeMap<String, Row>,
    /// Rows of the applied roster that stay in force.
    pub(super) kept: BTreeMap<String, Row>,
    /// Users who are cut.
    pub(super) leaving: BTreeSet<String>,
    pub(super) changes: Vec<Change>,
}

pub(super) fn transition(
    desired: &DesiredState<'_>,
    observed: &Observed,
    settings: &Settings,
) -> Transition {
    let old = observed.applied.clone().unwrap_or_default();
    let new = planned_roster(desired, observed);
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
        found.changes.push(not_cut(user, &CutRefusal::Admin { user: user.clone() }));
        keep(&mut found, user);
    }
    let all_refused = refusal_for_all(desired, (&old, &new), &plan.users, (observed, settings));
    for leaving in &plan.users {
        let user = &leaving.user;
        if let Some(why) =
            all_refused.clone().or_else(|| refusal_for_one(leaving, observed, settings))
        {
            found.changes.push(not_cut(user, &why));
            keep(&mut found, user);
        } else {
            let change = Change::new(Some(user), Step::Cut, "cut", user);
            let change = change.why("in the applied roster, and no longer in the roster");
            let scope = Scope { steps: leaving.steps.clone(), ..change.scope.clone() };
            let change = Change { scope, ..change };
            found.changes.push(change.done(Verb::Cut, Cause::Intent, Action::Cut));
            found.leaving.insert(user.clone());
        }
    }
    refuse_clashes(desired, &old, &mut found);
    found
}

/// Refuses rows that have an identity of a row that stays in force; their own old rows then stay in force,
/// too, and so on.
fn refuse_clashes(desired: &DesiredState<'_>, old: &Roster, found: &mut Transition) {
    let chosen = |user: &String| desired.includes(user);
    loop {
        let clash = found.rows.iter().filter(|(user, _)| chosen(user)).find_map(|(user, row)| {
            let others = found.rows.iter().filter(|(other, _)| !chosen(other)).chain(&found.kept);
            let same = |(_, other): &(&String, &Row)| shared_identity(other, row).is_some();
            let (other, their) = others.into_iter().find(same)?;
            Some((user.clone(), other.clone(), shared_identity(their, row)?.to_owned()))
        });
        let Some((user, other, identity)) = clash else { return };
        found.rows.remove(&user);
        let change = Change::new(Some(&user), Step::Account, "account", format!("account {user}"));
        let why = format!("identity '{identity}' still belongs to {other} in the applied roster");
        let change = change.hint(format!("for a rename, offboard {other} first"));
        found.changes.push(change.refused(Cause::Intent, why));
        found.kept.extend(old.users.get(&user).map(|row| (user, row.clone())));
    }
}

fn not_cut(user: &str, refusal: &CutRefusal) -> Change {
    let change = Change::new(Some(user), Step::Cut, "cut", format!("cut of {user}"));
    let change = Change { hint: refusal.hint(), ..change };
    change.refused(Cause::Intent, refusal.to_string())
}

/// A row whose user is cut: nothing is done for that user.
pub(super) fn still_cut(user: &str, since: u64) -> Change {
    let change = Change::new(Some(user), Step::Account, "account", format!("account {user}"));
    let change = change.hint(format!("provision offboard uncut {user}"));
    change.refused(Cause::Drift, format!("cut at {}", clock::stamp(since)))
}

/// The identity that two rows share.
fn shared_identity<'a>(one: &'a Row, other: &Row) -> Option<&'a str> {
    let pairs = [(&one.authentik_user, &other.authentik_user), (&one.k8s_user, &other.k8s_user)];
    pairs.into_iter().find(|(one, other)| one == other).map(|(one, _)| one.as_str())
}

/// Why no users are cut.
fn refusal_for_all(
    desired: &DesiredState<'_>,
    (old, new): (&Roster, &Roster),
    leaving: &[Leaver],
    (observed, settings): (&Observed, &Settings),
) -> Option<CutRefusal> {
    if let Some(why) = &desired.membership_unknown {
        return Some(CutRefusal::MembersUnknown(why.clone()));
    }
    if desired.roster.users.is_empty() {
        return Some(CutRefusal::EmptyRoster);
    }
    // Of all users of both rosters: a refused cut must not pass later because other users were added.
    let all = old.users.keys().chain(new.users.keys()).collect::<BTreeSet<_>>().len();
    // A user who was cut by hand loses nothing more.
    let uncut = leaving.iter().filter(|leaving| !observed.cut.contains_key(&leaving.user));
    let (number, max) = (uncut.count(), settings.max_cut_percent);
    let too_many = number * 100 > usize::from(max) * all;
    too_many.then_some(CutRefusal::TooMany { number, all, max })
}

/// Why one user is not cut.
fn refusal_for_one(
    leaving: &Leaver,
    observed: &Observed,
    settings: &Settings,
) -> Option<CutRefusal> {
    if let Some(now) = &leaving.now {
        let (user, now) = (leaving.user.clone(), now.clone());
        return Some(CutRefusal::IdentityInUse { user, now });
    }
    let uid = observed.accounts.get(&leaving.user).map(|account| account.uid);
    if let Some(uid) = uid {
        let others = observed.uid_sharers(&leaving.user, uid);
        if !others.is_empty() {
            return Some(CutRefusal::SharedUid { uid, others });
        }
    }
    let system = uid.filter(|uid| *uid < settings.uid_min);
    system.map(CutRefusal::SystemAccount)
}

/// The roster as far as this plan is about it: all other users stay as they were applied, or, before the
/// first apply, as the user map has them.
fn planned_roster(desired: &DesiredState<'_>, observed: &Observed) -> Roster {
    let before = observed.applied.clone();
    let before = before.unwrap_or_else(|| super::mapped(desired.roster, observed));
    let mut roster = before.select(|user| !desired.includes(user));
    roster.users.extend(desired.roster.select(|user| desired.includes(user)).users);
    roster
}
