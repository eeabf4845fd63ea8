//! Whether the cluster agrees about everybody's tier.

use super::json::Members;
use super::parse::Document;
use super::row::Tier;
use crate::yaml::problem::{Place, Problem, quoted};
use std::collections::BTreeMap;

/// The cluster's users, each with its tier, as the cluster's configuration writes it.
pub type K8sUsers = BTreeMap<String, String>;

/// What a comparison found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TierCheck {
    /// Users whose tiers differ: nothing may be done with such a roster.
    pub errors: Vec<Problem>,
    /// Users whom the cluster does not know.
    pub warnings: Vec<Problem>,
}

/// Reads `{"k8s_user": "tier", ...}`.
///
/// # Errors
/// What is wrong with the text.
pub fn read(text: &[u8]) -> Result<K8sUsers, String> {
    let members: Members<String> = serde_json::from_slice(text)
        .map_err(|error| format!("expected {{\"k8s_user\": \"tier\"}}: {error}"))?;
    let mut users = K8sUsers::new();
    for (user, tier) in members.0 {
        if users.insert(user.clone(), tier).is_some() {
            return Err(format!("{} is there twice", quoted(&user)));
        }
    }
    Ok(users)
}

/// Compares. Admins are exempt: their access to the cluster comes from elsewhere.
pub fn check(document: &Document, k8s_users: &K8sUsers) -> TierCheck {
    let mut check = TierCheck::default();
    for (user, row) in &document.roster.users {
        if row.tier == Tier::Admin {
            continue;
        }
        let place = document.place(user).unwrap_or(Place { line: 1, column: 1 });
        let (name, k8s_user, tier) = (quoted(user), quoted(&row.k8s_user), row.tier.name());
        match k8s_users.get(&row.k8s_user) {
            Some(other) if other == tier => {}
            Some(other) => {
                let other = quoted(other);
                let what =
                    format!("{name} is {tier} here, and {k8s_user} is {other} in the cluster");
                let hint = "make both the same";
                check.errors.push(Problem::new(place, what, hint));
            }
            None => {
                let what = format!("the cluster does not know {k8s_user}, the k8s_user of {name}");
                let hint = "add the user to the cluster's k8s_users";
                check.warnings.push(Problem::new(place, what, hint));
            }
        }
    }
    check
}
