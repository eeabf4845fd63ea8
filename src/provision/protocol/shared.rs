//! Shared rules, skills, agents and files for zsh, linked into a home: query, facts, task (pure).

use crate::provision::settings::agents::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// A folder of the home, and of the administrator's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Rules,
    Skills,
    Agents,
    /// What zsh reads in `~/.zshrc.d`.
    Zsh,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Rules, Self::Skills, Self::Agents, Self::Zsh];

    /// Its name in the administrator's directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Skills => "skills",
            Self::Agents => "agents",
            Self::Zsh => "zshrc.d",
        }
    }

    /// The names of its directories, from the home on.
    pub fn folders(self) -> Vec<&'static str> {
        match self {
            Self::Zsh => vec![".zshrc.d"],
            Self::Rules | Self::Skills | Self::Agents => vec![".claude", self.name()],
        }
    }

    /// Whether an entry of that name is of this kind.
    pub fn accepts(self, name: &str) -> bool {
        let extension = Path::new(name).extension();
        self != Self::Zsh || extension.is_some_and(|end| end == "zsh" || end == "sh")
    }

    /// Whether an entry is a person's in every home, whatever the administrator has of that name.
    pub fn is_personal(self, name: &str) -> bool {
        self == Self::Rules && name == "personal"
    }

    /// The path of an entry, relative to the home.
    pub fn path(self, name: &str) -> String {
        format!("{}/{name}", self.folders().join("/"))
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedQuery {}

impl SharedQuery {
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        settings.shared.as_ref().map(|_| Self {})
    }
}

/// What the folders of the home hold; a folder that is absent is empty.
pub type SharedFacts = BTreeMap<Kind, Folder>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Folder {
    Names(BTreeMap<String, Entry>),
    /// It must be left as it is: why.
    Unusable(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// A link, with its target.
    Link(String),
    Other,
}

/// A link in the home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedLink {
    pub kind: Kind,
    pub name: String,
    pub target: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SharedTask {
    /// Removes links that still have these targets, then makes links where nothing is.
    Links { remove: Vec<SharedLink>, add: Vec<SharedLink> },
}
