//! Site values of the agents' configuration: the table `[provision.agents]` (pure).

use super::Invalid;
use super::values::{Absolute, Relative};
use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The file that Claude Code's managed settings are a copy of.
    pub managed_settings: Option<Absolute>,
    /// Whether the session hook is installed beside them [default: whether there are managed settings].
    pub hook: Option<bool>,
    /// The file with the managed text of `~/.codex/AGENTS.md`.
    pub instructions: Option<Absolute>,
    /// The file with a token for users who have no login of their own.
    pub token_file: Option<Absolute>,
    /// The entries of `/etc/skel`.
    pub skel: Skel,
}

impl Settings {
    /// Whether the session hook is to be installed.
    pub fn wants_hook(&self) -> bool {
        self.hook.unwrap_or(self.managed_settings.is_some())
    }
}

/// Files and links of `/etc/skel`; no two have the same path, and none is below another.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Vec<SkelEntry>")]
pub struct Skel(Vec<SkelEntry>);

impl Skel {
    pub fn entries(&self) -> impl Iterator<Item = &SkelEntry> {
        self.0.iter()
    }
}

impl TryFrom<Vec<SkelEntry>> for Skel {
    type Error = Invalid;

    fn try_from(entries: Vec<SkelEntry>) -> Result<Self, Invalid> {
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
                let rule = format!("{path} is there twice, or below another entry");
                return Err(Invalid::key("skel", rule));
            }
        }
        Ok(Self(entries))
    }
}

/// One entry of `/etc/skel`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Entry")]
pub struct SkelEntry {
    /// Relative to `/etc/skel`.
    pub path: Relative,
    pub source: SkelSource,
}

/// What an entry of `/etc/skel` is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkelSource {
    /// A copy of a file.
    Copy(Absolute),
    /// A link: also homes that exist already see later versions of its target.
    Link(Absolute),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: Relative,
    source: Option<Absolute>,
    link: Option<Absolute>,
}

impl TryFrom<Entry> for SkelEntry {
    type Error = Invalid;

    fn try_from(raw: Entry) -> Result<Self, Invalid> {
        let source = match (raw.source, raw.link) {
            (Some(source), None) => SkelSource::Copy(source),
            (None, Some(target)) => SkelSource::Link(target),
            _ => {
                let rule = format!("{} needs one of source and link", raw.path.as_str());
                return Err(Invalid::key("skel", rule));
            }
        };
        Ok(Self { path: raw.path, source })
    }
}
