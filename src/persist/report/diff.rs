//! The report of `diff` (pure).

use super::problem::Problem;
use crate::snapshot::State;
use serde::{Deserialize, Serialize};

/// The differences between two snapshots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffReport {
    /// The first: an id, `live`, or a path.
    pub from: Option<String>,
    /// The second, likewise.
    pub to: Option<String>,
    /// Sessions that differ, in order of their names.
    pub sessions: Vec<ComparedSession>,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// How a session or a pane differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added,
    Removed,
    /// The same session under another name; its panes may differ, too.
    Renamed,
    #[default]
    Changed,
}

/// A session that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedSession {
    /// Its name, as in the second snapshot if it is there.
    pub session: String,
    /// Its former name, if it was renamed.
    pub was: Option<String>,
    pub change: Change,
    pub panes: Vec<ComparedPane>,
}

/// A pane that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedPane {
    pub window: u32,
    pub pane: u32,
    /// Never `Renamed`.
    pub change: Change,
    pub state: State,
    pub agent: Option<String>,
    pub conversation: Option<String>,
    pub cwd: String,
    /// What changed. Changes of a window are listed at its first pane that differs.
    pub fields: Vec<ComparedField>,
}

/// A part of a pane or its window that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedField {
    /// The column of the snapshot file.
    pub field: String,
    pub from: Option<String>,
    pub to: Option<String>,
}

impl Change {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Changed => "changed",
        }
    }
}
