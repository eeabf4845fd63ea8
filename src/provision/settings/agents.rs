//! Site values of the agents' configuration: the table `[provision.agents]` (pure).

use super::Invalid;
use super::values::{Absolute, Name, Relative};
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
    /// Whether the text of those instructions is `claudeMd` of the managed settings instead.
    pub mirror_claude_md: bool,
    /// The directory whose `rules`, `skills` and `agents` are linked into each `~/.claude`.
    pub shared: Option<Absolute>,
    /// The login of Codex that users without one of their own share.
    pub codex_login: Option<SharedLogin>,
    /// The file with a token for users who have no login of their own.
    pub token_file: Option<Absolute>,
    /// The entries of `/etc/skel`.
    pub skel: Skel,
}

impl Settings {
    /// Whether users' instructions are managed.
    pub fn manages_instructions(&self) -> bool {
        self.instructions.is_some() || self.mirror_claude_md
    }

    /// Checks what one key alone does not show.
    ///
    /// # Errors
    /// The instructions have two sources, or one that is not configured.
    pub fn check(&self) -> Result<(), Invalid> {
        if !self.mirror_claude_md {
            return Ok(());
        }
        let rule = match (&self.managed_settings, &self.instructions) {
            (None, _) => "needs managed_settings, whose claudeMd it is",
            (_, Some(_)) => "contradicts instructions: expected one of the two",
            _ => return Ok(()),
        };
        Err(Invalid::key("mirror_claude_md", rule))
    }

    /// Whether the session hook is to be installed.
    pub fn wants_hook(&self) -> bool {
        self.hook.unwrap_or(self.managed_settings.is_some())
    }
}

/// A login that a group shares.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedLogin {
    /// The staged login, root's alone.
    pub file: Absolute,
    /// The directory that the group gets.
    pub directory: Absolute,
    pub group: Name,
}

impl SharedLogin {
    /// The place of the staged login in the record of what was written.
    pub fn place(&self) -> String {
        format!("{}#staged", self.directory.as_str())
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
