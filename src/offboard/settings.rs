//! Site values of offboarding: the table `[provision.offboard]` (pure).

use crate::text::shown;
use serde::Deserialize;

/// The table `[provision.offboard]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The command that revokes the cluster access, as an argument list. An argument `{k8s_user}` is
    /// replaced with the user's name in the cluster.
    pub revoke_cluster: Option<Vec<String>>,
    /// The command that restores it.
    pub restore_cluster: Option<Vec<String>>,
    /// The minimum number of days between cut and removal.
    pub remove_after_days: u32,
    /// How long the file systems are searched for set-id files, in seconds.
    pub set_id_search_seconds: u32,
    /// The group of the users that the terminals' service admits.
    pub t3_group: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            revoke_cluster: None,
            restore_cluster: None,
            remove_after_days: 7,
            set_id_search_seconds: 20,
            t3_group: None,
        }
    }
}

impl Settings {
    /// Checks the values.
    ///
    /// # Errors
    /// The first invalid one.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        for (key, argv) in
            [("revoke_cluster", &self.revoke_cluster), ("restore_cluster", &self.restore_cluster)]
        {
            let Some(argv) = argv else { continue };
            if !argv.first().is_some_and(|program| program.starts_with('/')) {
                return Err(InvalidSetting::NoPath { key });
            }
            if !argv[1..].iter().any(|word| word == K8S_USER) {
                return Err(InvalidSetting::NoUser { key });
            }
        }
        if let Some(group) = &self.t3_group
            && !crate::identity::is_user_name(group)
        {
            return Err(InvalidSetting::Group(group.clone()));
        }
        Ok(())
    }
}

/// An invalid value of the table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    #[error("{key}: expected an argument list that begins with an absolute path")]
    NoPath { key: &'static str },
    #[error("{key}: no argument is {K8S_USER}")]
    NoUser { key: &'static str },
    #[error("t3_group: invalid group name '{}'", shown(.0))]
    Group(String),
}

/// The argument that stands for the user's name in the cluster.
const K8S_USER: &str = "{k8s_user}";

/// The command for one user.
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
