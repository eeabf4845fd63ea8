//! Site values of leaving.

use serde::Deserialize;
use std::collections::BTreeSet;

/// The table `[provision.offboard]`, and what the caller knows besides.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The command that takes the cluster's rights away, as an argument list; `{k8s_user}` as a
    /// whole word is replaced.
    pub revoke_cluster: Option<Vec<String>>,
    /// The one that gives them back.
    pub restore_cluster: Option<Vec<String>>,
    /// How long after the cut nothing is removed.
    pub remove_after_days: u32,
    /// The group that the terminals' service lets in.
    pub t3_group: Option<String>,
    /// Groups that provision put the user in; the caller knows them.
    #[serde(skip)]
    pub added_groups: BTreeSet<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            revoke_cluster: None,
            restore_cluster: None,
            remove_after_days: 7,
            t3_group: None,
            added_groups: BTreeSet::new(),
        }
    }
}

impl Settings {
    /// Whether the values can be used.
    ///
    /// # Errors
    /// Which cannot, and why.
    pub fn check(&self) -> Result<(), String> {
        for (key, argv) in
            [("revoke_cluster", &self.revoke_cluster), ("restore_cluster", &self.restore_cluster)]
        {
            let Some(argv) = argv else { continue };
            if !argv.first().is_some_and(|program| program.starts_with('/')) {
                return Err(format!("{key}: expected an argument list that begins with a path"));
            }
            if !argv[1..].iter().any(|word| word == K8S_USER) {
                return Err(format!("{key}: no argument is {K8S_USER}"));
            }
        }
        if let Some(group) = &self.t3_group
            && !crate::identity::is_user_name(group)
        {
            return Err(format!("t3_group: '{}' is no name of a group", group.escape_debug()));
        }
        Ok(())
    }
}

/// What stands for the cluster's name of the user.
const K8S_USER: &str = "{k8s_user}";

/// A command for one user.
pub(super) fn argv_for(argv: &[String], k8s_user: &str) -> Vec<String> {
    let word = |word: &String| if word == K8S_USER { k8s_user.to_owned() } else { word.clone() };
    argv.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_its_program_by_path_and_the_user_as_a_word() {
        let argv = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        let with = |revoke_cluster| Settings { revoke_cluster, ..Settings::default() };
        assert_eq!(with(argv(&["/usr/bin/revoke", K8S_USER])).check(), Ok(()));
        for wrong in
            [&[][..], &["revoke", K8S_USER], &["/usr/bin/revoke"], &["/bin/x", "a{k8s_user}"]]
        {
            assert!(with(argv(wrong)).check().is_err(), "{wrong:?}");
        }
        let replaced = argv_for(&["/x", "{k8s_user}", "--{k8s_user}"].map(str::to_owned), "bld");
        assert_eq!(replaced, ["/x", "bld", "--{k8s_user}"]);
    }
}
