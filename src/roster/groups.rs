//! The groups of each tier (pure). Users are added to them, never removed.

use super::row::Tier;
use std::collections::BTreeMap;

/// Groups whose members can become root.
pub const ROOT_EQUIVALENT: [&str; 16] = [
    "root",
    "sudo",
    "wheel",
    "admin",
    "docker",
    "lxd",
    "incus-admin",
    "libvirt",
    "disk",
    "adm",
    "shadow",
    "kvm",
    "kmem",
    "staff",
    "systemd-journal",
    "podman",
];

/// A tier must not have a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// groupadd(8) would refuse the name.
    #[error("{} is not a valid group name", crate::yaml::problem::quoted(.0))]
    Name(String),
    #[error("members of group {group} can become root: not allowed for tier {tier}")]
    GivesRoot { group: String, tier: &'static str },
}

/// The groups of each tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierGroups(BTreeMap<Tier, Vec<String>>);

impl Default for TierGroups {
    fn default() -> Self {
        let admin = ["code-shared", "docker", "sudo"].map(str::to_owned).to_vec();
        Self(BTreeMap::from([(Tier::Admin, admin)]))
    }
}

impl TierGroups {
    /// Sets the groups of a tier.
    pub fn set(&mut self, tier: Tier, groups: Vec<String>) -> Result<(), GroupError> {
        for group in &groups {
            if !crate::identity::is_user_name(group) {
                return Err(GroupError::Name(group.clone()));
            }
            if tier != Tier::Admin && ROOT_EQUIVALENT.contains(&group.as_str()) {
                return Err(GroupError::GivesRoot { group: group.clone(), tier: tier.name() });
            }
        }
        self.0.insert(tier, groups);
        Ok(())
    }

    /// The groups of a tier.
    pub fn of(&self, tier: Tier) -> &[String] {
        self.0.get(&tier).map_or(&[], Vec::as_slice)
    }

    /// The groups of a tier that a user is not in yet.
    pub fn to_add(&self, tier: Tier, has: &[String]) -> Vec<String> {
        self.of(tier).iter().filter(|group| !has.contains(group)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_added_and_never_removed() {
        let groups = TierGroups::default();
        let has = ["docker", "audio"].map(str::to_owned);
        assert_eq!(groups.to_add(Tier::Admin, &has), ["code-shared", "sudo"]);
        assert!(groups.to_add(Tier::NamespaceOwner, &has).is_empty());
    }

    #[test]
    fn a_group_that_gives_root_is_for_admins() {
        let mut groups = TierGroups::default();
        groups.set(Tier::Admin, vec!["docker".into()]).unwrap();
        let refused = groups.set(Tier::PowerUser, vec!["code".into(), "docker".into()]);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "members of group docker can become root: not allowed for tier power-user"
        );
        assert!(groups.set(Tier::Admin, vec!["-x".into()]).is_err());
        assert_eq!(groups.of(Tier::Admin), ["docker"]);
    }
}
