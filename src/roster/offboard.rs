//! Who left between two rosters, and what leaving takes.

use super::row::{Roster, Tier};
use serde::Serialize;

/// A part of leaving, in the order in which they are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Stop and disable the daemons.
    DisableInstance,
    /// Take the identity out of the maps.
    UnmapDispatch,
    /// Take the user out of the terminals' group.
    RemoveFromT3Group,
    /// Lock the login, and end what runs.
    LockLogin,
    /// Take the cluster's rights away.
    RevokeClusterRbac,
    /// Archive the home and remove the account: the only step that nothing undoes.
    UserdelArchive,
}

/// The steps that can be undone.
pub const REVERSIBLE: [Step; 5] = [
    Step::DisableInstance,
    Step::UnmapDispatch,
    Step::RemoveFromT3Group,
    Step::LockLogin,
    Step::RevokeClusterRbac,
];

/// One who left.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Leaving {
    /// The OS user.
    pub user: String,
    /// What the login proxy called them.
    pub authentik_user: String,
    /// What the cluster calls them.
    pub k8s_user: String,
    /// In this order.
    pub steps: Vec<Step>,
    /// The row that has one of their identities now: they may not have left.
    pub now: Option<String>,
}

/// The plan.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// In name order.
    pub users: Vec<Leaving>,
    /// Admins who are gone from the roster: no difference of two files cuts them.
    pub protected: Vec<String>,
}

/// Plans for the users of `old` who are not in `new`.
pub fn plan(old: &Roster, new: &Roster, destructive: bool) -> Plan {
    let mut plan = Plan::default();
    let gone = old.users.iter().filter(|(user, _)| !new.users.contains_key(*user));
    for (user, row) in gone {
        if row.tier == Tier::Admin {
            plan.protected.push(user.clone());
            continue;
        }
        let mut steps = REVERSIBLE.to_vec();
        if destructive {
            steps.push(Step::UserdelArchive);
        }
        let same = new.users.iter().find(|(_, other)| {
            other.authentik_user == row.authentik_user || other.k8s_user == row.k8s_user
        });
        plan.users.push(Leaving {
            user: user.clone(),
            authentik_user: row.authentik_user.clone(),
            k8s_user: row.k8s_user.clone(),
            steps,
            now: same.map(|(user, _)| user.clone()),
        });
    }
    plan
}
