//! Groups of the tier: users are added, never removed (pure).

use super::account_id;
use super::change::{Action, Cause, Change, Step, Verb};
use crate::provision::observe::observed::Observed;
use crate::provision::settings::Settings;
use crate::roster::groups::ROOT_EQUIVALENT;
use crate::roster::{Row, Tier};

/// The groups that a user lacks, and a report of those that let a user other than an admin become root.
pub(super) fn plan(user: &str, row: &Row, observed: &Observed, settings: &Settings) -> Vec<Change> {
    let has = observed.groups_of(user);
    let has_list: Vec<String> = has.iter().map(|name| (*name).to_owned()).collect();
    let mut changes: Vec<Change> = settings
        .groups
        .to_add(row.tier, &has_list)
        .iter()
        .map(|group| add(user, row.tier, group, observed))
        .collect();
    if row.tier != Tier::Admin {
        for group in has.iter().filter(|group| makes_root(group, observed)) {
            let part = format!("group-{group}");
            let change = Change::new(Some(user), Step::Groups, &part, format!("group {group}"));
            let tier = row.tier.name();
            let why = format!("members can become root, but {user} has tier {tier}: left as it is");
            changes.push(change.reported(Cause::Drift, why));
        }
    }
    changes
}

fn add(user: &str, tier: Tier, group: &str, observed: &Observed) -> Change {
    let part = format!("group-{group}");
    let change = Change::new(Some(user), Step::Groups, &part, format!("group {group}"))
        .to(format!("{user} is a member"))
        .needs([account_id(user)]);
    let added_before = observed.written.groups.get(user).is_some_and(|added| added.contains(group));
    let cause = if added_before { Cause::Drift } else { Cause::Intent };
    if tier != Tier::Admin && makes_root(group, observed) {
        let why = format!("members can become root: not allowed for tier {}", tier.name());
        return change.refused(cause, why);
    }
    if !observed.groups.contains_key(group) {
        let hint = format!("groupadd {group}, or remove it from [provision.groups]");
        return change.hint(hint).refused(cause, "this host has no such group");
    }
    if observed.accounts.get(user).is_some_and(|account| !account.local) {
        return change.refused(
            cause,
            "the account is not in /etc/passwd: add the group where it comes from",
        );
    }
    let why = if added_before {
        "added before and removed since".to_owned()
    } else {
        format!("a group of tier {}", tier.name())
    };
    let verb = if added_before { Verb::Repair } else { Verb::Add };
    change.why(why).done(verb, cause, Action::AddToGroup(group.to_owned()))
}

/// Whether a group leads to root: by its name, by its number, or by the number of one that does.
fn makes_root(group: &str, observed: &Observed) -> bool {
    let gid = |name: &str| observed.groups.get(name).map(|group| group.gid);
    let own = gid(group);
    ROOT_EQUIVALENT.contains(&group)
        || own == Some(0)
        || own.is_some() && ROOT_EQUIVALENT.iter().any(|name| gid(name) == own)
}
