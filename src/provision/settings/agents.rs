//! Site values of agents.

use super::values::{Absolute, Relative};
use serde::Deserialize;

/// Site values: the table `[provision.agents]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What Claude Code's managed settings are a copy of.
    pub managed_settings: Option<Absolute>,
    /// Whether our hook stands beside them; as if true where there are managed settings.
    pub hook: Option<bool>,
    /// What `~/.codex/AGENTS.md` holds.
    pub instructions: Option<Absolute>,
    /// A token for those who have none of their own.
    pub token_file: Option<Absolute>,
    /// What is in new homes.
    pub skel: Skel,
}

impl Settings {
    /// Whether our hook is to be in the machine's settings.
    pub fn wants_hook(&self) -> bool {
        self.hook.unwrap_or(self.managed_settings.is_some())
    }
}

/// Files and links of `/etc/skel`, each of another path.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Vec<SkelEntry>")]
pub struct Skel(Vec<SkelEntry>);

impl Skel {
    /// Each.
    pub fn entries(&self) -> impl Iterator<Item = &SkelEntry> {
        self.0.iter()
    }
}

impl TryFrom<Vec<SkelEntry>> for Skel {
    type Error = String;

    fn try_from(entries: Vec<SkelEntry>) -> Result<Self, String> {
        for (at, entry) in entries.iter().enumerate() {
            let path = entry.path.as_str();
            let clashes = |other: &SkelEntry| {
                let other = other.path.as_str();
                let below = |a: &str, b: &str| {
                    a.strip_prefix(b).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                below(path, other) || below(other, path)
            };
            if entries[..at].iter().any(clashes) {
                return Err(format!("skel: {path} is there twice, or is in another's way"));
            }
        }
        Ok(Self(entries))
    }
}

/// One entry of `/etc/skel`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Raw")]
pub struct SkelEntry {
    /// Where, below it.
    pub path: Relative,
    /// From what.
    pub source: Source,
}

/// What an entry is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A copy of a file.
    Copy(Absolute),
    /// A link: a home that was made long ago has what it leads to today.
    Link(Absolute),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    path: Relative,
    source: Option<Absolute>,
    link: Option<Absolute>,
}

impl TryFrom<Raw> for SkelEntry {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let source = match (raw.source, raw.link) {
            (Some(source), None) => Source::Copy(source),
            (None, Some(target)) => Source::Link(target),
            _ => return Err(format!("skel: {} needs one of source and link", raw.path.as_str())),
        };
        Ok(Self { path: raw.path, source })
    }
}
