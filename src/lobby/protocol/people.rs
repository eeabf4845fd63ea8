//! People at a session, and what is shared with them (pure).

use serde::Serialize;

/// A person at a session, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Person {
    pub name: String,
    /// Types and sizes now.
    pub drives: bool,
    /// Has a terminal open that may type, so that the owner can hand it over.
    pub may_drive: bool,
}

/// What one share allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    #[serde(skip)]
    pub id: String,
    /// Whether its person may type.
    pub drive: bool,
    /// In seconds since the epoch.
    pub until: u64,
}
