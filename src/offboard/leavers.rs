//! Users who left between two rosters, and the steps that offboard each of them (pure).

use super::steps::PlannedStep;
use crate::roster::{Roster, Tier};
use serde::Serialize;

/// A user who left.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Leaver {
    /// The OS user.
    pub user: String,
    /// The identity of the login proxy.
    pub authentik_user: String,
    /// The name in the cluster.
    pub k8s_user: String,
    /// In this order.
    pub steps: Vec<PlannedStep>,
    /// The user of the new roster with one of the same identities: possibly a rename.
    pub now: Option<String>,
}

/// The difference of two rosters.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Leavers {
    /// In name order.
    pub users: Vec<Leaver>,
    /// Admins who are missing from the new roster: a difference of two files never cuts an admin.
    pub protected: Vec<String>,
}

/// Plans for the users of `old` who are not in `new`; with `destructive`, the archive and the
/// removal too.
pub fn leavers(old: &Roster, new: &Roster, destructive: bool) -> Leavers {
    let mut leavers = Leavers::default();
    let missing = old.users.iter().filter(|(user, _)| !new.users.contains_key(*user));
    for (user, row) in missing {
        if row.tier == Tier::Admin {
            leavers.protected.push(user.clone());
            continue;
        }
        let mut steps = PlannedStep::cut();
        if destructive {
            steps.extend([PlannedStep::Archive, PlannedStep::Remove]);
        }
        let same = new.users.iter().find(|(_, other)| {
            other.authentik_user == row.authentik_user || other.k8s_user == row.k8s_user
        });
        leavers.users.push(Leaver {
            user: user.clone(),
            authentik_user: row.authentik_user.clone(),
            k8s_user: row.k8s_user.clone(),
            steps,
            now: same.map(|(user, _)| user.clone()),
        });
    }
    leavers
}

#[cfg(test)]
mod tests {
    use super::super::steps::{CutStep, Step};
    use super::*;
    use crate::roster::tests::{EXAMPLE, read, row};

    #[test]
    fn a_user_who_left_is_planned_for_with_the_steps_of_a_cut_and_an_admin_never() {
        let old = read(EXAMPLE).roster;
        let mut new = old.clone();
        new.users.clear();
        new.users.insert("builder2".to_owned(), row("builder42", Tier::PowerUser));
        let json = serde_json::to_value(leavers(&old, &new, false)).unwrap();
        let steps = CutStep::ALL.map(Step::id);
        assert_eq!(
            json,
            serde_json::json!({
                "users": [
                    {"user": "builder", "authentik_user": "builder42", "k8s_user": "bld",
                     "steps": steps, "now": "builder2"},
                    {"user": "reader", "authentik_user": "reader.ro", "k8s_user": "ro",
                     "steps": steps, "now": null},
                ],
                "protected": ["ops"],
            })
        );
        let steps = |user: &Leaver| user.steps.last().copied();
        let destructive = leavers(&old, &new, true);
        assert!(destructive.users.iter().all(|user| steps(user) == Some(PlannedStep::Remove)));
        assert_eq!(leavers(&old, &old, true), Leavers::default());
    }
}
