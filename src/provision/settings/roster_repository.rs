//! The clone that the roster is read from: `[provision.roster_repository]` (pure).

use super::Invalid;
use super::repository;
use super::values::{Absolute, Name, Relative, Seconds};
use serde::Deserialize;
use std::time::Duration;

/// The clone, and what its commits must fulfil.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterRepository {
    /// The directory of the clone.
    pub clone: Absolute,
    /// The roster's path in it.
    pub path: Relative,
    /// The account that owns the clone and fetches.
    #[serde(default = "root")]
    pub owner: String,
    #[serde(default = "origin")]
    pub remote: Name,
    #[serde(default)]
    pub branch: Branch,
    /// Only a commit that is signed by a key of `allowed_signers` is used.
    #[serde(default)]
    pub require_signed: bool,
    /// In the format of ssh-keygen(1), ALLOWED SIGNERS.
    #[serde(default = "allowed_signers")]
    pub allowed_signers: Absolute,
    /// Whether a run ends if the fetch fails.
    #[serde(default)]
    pub required: bool,
    #[serde(default = "fetch_seconds")]
    fetch_seconds: Seconds,
    /// Accept a remote that is a directory.
    #[serde(default)]
    pub allow_file: bool,
}

impl RosterRepository {
    /// The roster's file in the clone, as messages and saved plans name it.
    pub fn file(&self) -> String {
        format!("{}/{}", self.clone.as_str(), self.path.as_str())
    }

    /// The clone, as messages name it.
    pub fn name(&self) -> &str {
        self.clone.as_str()
    }

    /// How long a fetch or a push may take.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.fetch_seconds.0.into())
    }

    /// The ref that a fetch updates.
    pub fn tracking_ref(&self) -> String {
        format!("refs/remotes/{}/{}", self.remote.0, self.branch.0)
    }

    /// What a fetch is asked for. The tracking ref follows the remote's branch wherever it goes: whether it
    /// went forward is decided by the commit that was used last.
    pub fn refspec(&self) -> String {
        format!("+refs/heads/{}:{}", self.branch.0, self.tracking_ref())
    }

    /// The protocols that git may use.
    pub fn protocols(&self) -> &'static str {
        repository::protocols(self.allow_file)
    }
}

/// A branch whose name has no special meaning for git.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Branch(String);

impl Branch {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Branch {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

impl TryFrom<String> for Branch {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        let part = |part: &str| !part.is_empty() && !part.starts_with(['.', '-']);
        let letter = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
        if name.split('/').all(part) && name.chars().all(letter) && !name.contains("..") {
            Ok(Self(name))
        } else {
            Err(Invalid::value("the name of a branch", name))
        }
    }
}

fn root() -> String {
    "root".to_owned()
}

fn origin() -> Name {
    Name("origin".to_owned())
}

fn allowed_signers() -> Absolute {
    Absolute::known("/etc/terminal-lobby/allowed_signers")
}

fn fetch_seconds() -> Seconds {
    Seconds(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_no_option_and_no_pattern() {
        for (name, is_valid) in [
            ("main", true),
            ("team/hosts-2.1", true),
            ("", false),
            ("-x", false),
            ("a/-x", false),
            ("a:b", false),
            ("*", false),
            ("+a", false),
            ("a..b", false),
            (".a", false),
            ("a b", false),
        ] {
            assert_eq!(Branch::try_from(name.to_owned()).is_ok(), is_valid, "{name:?}");
        }
    }
}
