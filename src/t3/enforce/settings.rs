//! The settings of the enforcer (pure): `[enforce]` of `t3.toml`. Each key has a default.

use super::version::Version;
use serde::Deserialize;
use std::time::Duration;

/// What a site sets. Without `version` and `track` no version is wanted, and nothing is changed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enforce {
    /// The version that all run.
    pub version: Option<Version>,
    /// The tag of the package whose version all run: `latest`, `nightly`.
    pub track: Option<String>,
    /// Whether `version` may be older than what runs, if no database has a migration that it does not know.
    pub allow_downgrade: bool,
    /// Whether a version that ends all sessions of browsers may follow.
    pub allow_ended_sessions: bool,
    /// Prints the version that `{tag}` names. Empty: the newest one that is installed.
    pub resolve: Vec<String>,
    /// Installs `{version}` into `{dir}`, so that its program is `{dir}/bin/t3`. Empty: versions are laid by hand.
    pub install: Vec<String>,
    /// The account as which these commands and the trial run; it has no other purpose.
    pub account: String,
    pub install_seconds: u64,
    /// How long an instance may take to answer after its start.
    pub start_seconds: u64,
    /// How long each further step of a check may take.
    pub step_seconds: u64,
    /// How long no session may have changed for an instance to be idle.
    pub idle_seconds: u64,
    /// For how long an instance may be behind before that is reported.
    pub stuck_days: u64,
    /// The largest database that a trial copies, in MiB.
    pub trial_max_mib: u64,
}

impl Default for Enforce {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            version: None,
            track: None,
            allow_downgrade: false,
            allow_ended_sessions: false,
            resolve: words(&["npm", "view", "t3@{tag}", "version"]),
            install: words(&[
                "npm",
                "install",
                "--global",
                "--no-audit",
                "--no-fund",
                "--prefix",
                "{dir}",
                "t3@{version}",
            ]),
            account: "t3-trial".to_owned(),
            install_seconds: 900,
            start_seconds: 120,
            step_seconds: 20,
            idle_seconds: 900,
            stuck_days: 7,
            trial_max_mib: 2048,
        }
    }
}

impl Enforce {
    /// How long an instance may take to answer after its start.
    pub fn start_deadline(&self) -> Duration {
        Duration::from_secs(self.start_seconds)
    }

    /// How long each further step of a check may take.
    pub fn step_deadline(&self) -> Duration {
        Duration::from_secs(self.step_seconds)
    }

    /// The words of a command, with what their placeholders stand for.
    pub fn filled(command: &[String], values: &[(&str, &str)]) -> Vec<String> {
        let fill = |word: &String| {
            values.iter().fold(word.clone(), |word, (name, value)| {
                word.replace(&format!("{{{name}}}"), value)
            })
        };
        command.iter().map(fill).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_the_defaults_name_a_version_and_a_directory() {
        let settings: Enforce = toml::from_str("version = \"0.0.26\"").unwrap();
        let values = [("dir", "/d"), ("version", "0.0.26")];
        let words = Enforce::filled(&settings.install, &values);
        assert_eq!(words[words.len() - 3..], ["--prefix", "/d", "t3@0.0.26"]);
        assert!(toml::from_str::<Enforce>("pin = \"0.0.26\"").is_err());
        assert!(toml::from_str::<Enforce>("version = \"latest\"").is_err());
    }
}
