//! Staged secrets in a home: variables of the agents' environment, and the login at a forge (pure).

use super::SecretText;
use crate::provision::settings::Settings;
use crate::provision::settings::staged::Git;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The environment of the user's agents (docs/launcher.md), relative to the home.
pub const ENVIRONMENT_FILE: &str = ".config/terminal-lobby/agent.env";
/// Where git's own helper `store` has logins.
pub const CREDENTIALS_FILE: &str = ".git-credentials";

/// The places of these parts in the record.
pub fn variable_place(variable: &str) -> String {
    format!("{ENVIRONMENT_FILE}#{variable}")
}

pub fn login_place(forge: &str) -> String {
    format!("{CREDENTIALS_FILE}#{forge}")
}

pub fn setting_place(setting: GitSetting, forge: &str) -> String {
    format!(".gitconfig#{}", setting.key(forge))
}

/// The variables to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentQuery {
    pub variables: Vec<String>,
}

impl EnvironmentQuery {
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        let variables: Vec<String> =
            settings.secrets.iter().map(|secret| secret.variable.clone()).collect();
        (!variables.is_empty()).then_some(Self { variables })
    }
}

/// What [`ENVIRONMENT_FILE`] holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EnvironmentFacts {
    /// The hashes of the values of those variables that it has.
    Values(BTreeMap<String, String>),
    /// It must be left as it is: why.
    Unusable(String),
}

impl EnvironmentFacts {
    pub(super) fn restrict_to(&mut self, query: Option<&EnvironmentQuery>) {
        if let Self::Values(values) = self {
            let asked = query.map_or(&[][..], |query| &query.variables);
            values.retain(|name, _| asked.contains(name));
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EnvironmentTask {
    /// Sets one variable of [`ENVIRONMENT_FILE`] (0600).
    Set {
        variable: String,
        value: SecretText,
        /// The hash of the value that was found there: any other one is the user's.
        before: Option<String>,
    },
}

/// The forge, as `https://HOST`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitQuery {
    pub forge: String,
}

impl GitQuery {
    pub(super) fn new(settings: Option<&Git>) -> Option<Self> {
        settings.map(|git| Self { forge: git.forge.as_str().to_owned() })
    }
}

/// A user's git, as far as a forge goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitFacts {
    pub login: ForgeLogin,
    pub settings: GitSettings,
}

/// Which settings have a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GitSettings {
    Present(Vec<GitSetting>),
    /// git was not asked: why.
    Unknown(String),
}

/// The login for the forge in [`CREDENTIALS_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ForgeLogin {
    Absent,
    /// The hash of its line.
    Present(String),
    /// It must be left as it is: why.
    Unusable(String),
}

/// A setting of git that has a value for each user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GitSetting {
    Name,
    Email,
    /// The helper that reads [`CREDENTIALS_FILE`], for the forge alone.
    Helper,
}

impl GitSetting {
    pub const ALL: [Self; 3] = [Self::Name, Self::Email, Self::Helper];

    /// Its key in the configuration.
    pub fn key(self, forge: &str) -> String {
        match self {
            Self::Name => "user.name".to_owned(),
            Self::Email => "user.email".to_owned(),
            Self::Helper => format!("credential.{forge}.helper"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GitTask {
    /// Puts the login into [`CREDENTIALS_FILE`] (0600).
    Login {
        forge: String,
        /// `https://USER:TOKEN@HOST`
        line: SecretText,
        /// The hash of the line that was found there: any other one is the user's.
        before: Option<String>,
    },
    /// Gives a setting its value, if it has none.
    Set { forge: String, setting: GitSetting, value: String },
}

/// Whether a line of [`CREDENTIALS_FILE`] is a login for the forge.
pub fn is_login_for(line: &[u8], forge: &str) -> bool {
    let Some(host) = forge.strip_prefix("https://") else { return false };
    let Some(rest) = line.trim_ascii().strip_prefix(b"https://") else { return false };
    let Some(at) = rest.iter().rposition(|byte| *byte == b'@') else { return false };
    let there = &rest[at + 1..];
    let end = there.iter().position(|byte| *byte == b'/').unwrap_or(there.len());
    there[..end].eq_ignore_ascii_case(host.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_the_forges_by_its_host_and_port() {
        let forge = "https://git.example";
        for (line, is) in [
            ("https://ann:x@git.example", true),
            ("https://ann:x%40y@Git.Example/", true),
            ("https://ann:x@git.example/a.git", true),
            ("https://ann:x@git.example:8443", false),
            ("https://git.example", false),
            ("http://ann:x@git.example", false),
            ("https://ann:x@other.example", false),
            ("https://git.example@other.example", false),
            ("", false),
        ] {
            assert_eq!(is_login_for(line.as_bytes(), forge), is, "{line}");
        }
    }
}
