//! The groups of a tier. Additive: nothing here takes a group away.

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

/// The groups that each tier gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierGroups(BTreeMap<Tier, Vec<String>>);

impl Default for TierGroups {
    fn default() -> Self {
        let admin = ["code-shared", "docker", "sudo"].map(str::to_owned).to_vec();
        Self(BTreeMap::from([(Tier::Admin, admin)]))
    }
}

impl TierGroups {
    /// Sets a tier's groups.
    ///
    /// # Errors
    /// A name that groupadd(8) would refuse, or a group that makes anybody but an admin root.
    pub fn set(&mut self, tier: Tier, groups: Vec<String>) -> Result<(), String> {
        for group in &groups {
            if !crate::identity::is_user_name(group) {
                return Err(format!(
                    "{} is no name of a group",
                    crate::yaml::problem::quoted(group)
                ));
            }
            if tier != Tier::Admin && ROOT_EQUIVALENT.contains(&group.as_str()) {
                let tier = tier.name();
                return Err(format!("group {group} makes its members root: not for {tier}"));
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
    fn a_group_that_makes_root_is_for_admins() {
        let mut groups = TierGroups::default();
        groups.set(Tier::Admin, vec!["docker".into()]).unwrap();
        let refused = groups.set(Tier::PowerUser, vec!["code".into(), "docker".into()]);
        assert_eq!(refused.unwrap_err(), "group docker makes its members root: not for power-user");
        assert!(groups.set(Tier::Admin, vec!["-x".into()]).is_err());
        assert_eq!(groups.of(Tier::Admin), ["docker"]);
    }
}
