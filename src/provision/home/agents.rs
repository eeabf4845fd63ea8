//! Of a home, the agents' configuration: what is there, and work on it, as the user.

use serde::{Deserialize, Serialize};

/// What to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {}

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {}

/// Looks, as the user.
pub(super) fn look(_look: &Look) -> Facts {
    Facts {}
}

/// Works, as the user.
pub(super) fn perform(work: &Work) -> Result<Vec<String>, String> {
    match *work {}
}
