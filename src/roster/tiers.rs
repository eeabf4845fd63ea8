//! Compares the tiers of the roster with those of the cluster (pure).

use super::document::Document;
use super::json::Members;
use super::row::Tier;
use crate::yaml::problem::{Place, Problem, quoted};
use std::collections::BTreeMap;

/// The cluster's users: `k8s_user` to tier, as the cluster's configuration names it.
pub type K8sUsers = BTreeMap<String, String>;

/// One of them, as the list has it.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
enum K8sUser {
    Tier(String),
    Object { role: String },
}

/// The list of the cluster's users is invalid.
#[derive(Debug, thiserror::Error)]
pub enum TiersError {
    #[error("expected {{\"k8s_user\": \"tier\"}} or {{\"k8s_user\": {{\"role\": \"tier\"}}}}: {0}")]
    Json(#[from] serde_json::Error),
    #[error("duplicate user {}", quoted(.0))]
    Duplicate(String),
}

/// The result of a comparison.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TierCheck {
    /// Users whose tiers differ: such a roster must not be applied.
    pub errors: Vec<Problem>,
    /// Users that the cluster does not know.
    pub warnings: Vec<Problem>,
}

/// Reads `{"k8s_user": "tier", ...}`; instead of the tier there may be an object with it as `role`.
pub fn read(text: &[u8]) -> Result<K8sUsers, TiersError> {
    let members: Members<K8sUser> = serde_json::from_slice(text)?;
    let mut users = K8sUsers::new();
    for (user, K8sUser::Tier(tier) | K8sUser::Object { role: tier }) in members.0 {
        if users.insert(user.clone(), tier).is_some() {
            return Err(TiersError::Duplicate(user));
        }
    }
    Ok(users)
}

/// Compares. Admins are skipped: their access to the cluster comes from elsewhere.
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
                let what = format!(
                    "{name} has tier {tier} here, but {k8s_user} has {other} in the cluster"
                );
                let hint = "give both the same tier";
                check.errors.push(Problem::new(place, what, hint));
            }
            None => {
                let what =
                    format!("{k8s_user}, the k8s_user of {name}, is not known in the cluster");
                let hint = "add the user to the cluster's k8s_users";
                check.warnings.push(Problem::new(place, what, hint));
            }
        }
    }
    check
}
