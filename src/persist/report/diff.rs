//! The report of `diff`.

use super::problem::Problem;
use serde::{Deserialize, Serialize};

/// What differs between two snapshots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffReport {
    /// The first: an id, `live`, or a file.
    pub from: Option<String>,
    /// The second.
    pub to: Option<String>,
    /// The sessions that differ, by name.
    pub sessions: Vec<ComparedSession>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Problem>,
}

/// A session that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedSession {
    /// Its name, in the second if it is there.
    pub session: String,
    /// The name it had, when that was another.
    pub was: Option<String>,
    /// `added`, `removed`, `renamed` or `changed`.
    pub change: String,
    /// Its panes that differ.
    pub panes: Vec<ComparedPane>,
}

/// A pane that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedPane {
    /// Window index.
    pub window: u32,
    /// Pane index.
    pub pane: u32,
    /// `added`, `removed` or `changed`.
    pub change: String,
    /// `live`, `suspended`, `lost`, `shell`.
    pub state: String,
    /// The agent's name.
    pub agent: Option<String>,
    /// Conversation id.
    pub conversation: Option<String>,
    /// Working directory.
    pub cwd: String,
    /// What changed; of a window, in its first pane that differs.
    pub fields: Vec<ComparedField>,
}

/// A part of a pane or its window that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedField {
    /// The column of the snapshot file.
    pub field: String,
    /// What it was.
    pub from: Option<String>,
    /// What it is.
    pub to: Option<String>,
}
