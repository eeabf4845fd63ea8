//! The report of `suspend` and `resume` (pure).

use super::problem::Problem;
use serde::{Deserialize, Serialize};

/// What became of the agents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuspendReport {
    /// One for each agent, in the order in which they are suspended or resumed; then those left alone.
    pub agents: Vec<SuspendedAgent>,
    /// How many agents were suspended.
    pub suspended: u64,
    /// The memory that they took, in bytes.
    pub given_back: u64,
    /// How many agents were resumed.
    pub resumed: u64,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// An agent in a pane. Bytes that are not UTF-8 are escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuspendedAgent {
    pub session: String,
    pub window: u32,
    pub pane: u32,
    pub agent: String,
    pub conversation: Option<String>,
    /// When it was last used, in seconds since the epoch.
    pub idle_since: Option<u64>,
    /// The memory that it and what it started take, in bytes, if it was measured.
    pub memory: Option<u64>,
    pub result: SuspendResult,
    /// Why; empty if there is nothing to explain.
    pub reason: String,
}

/// What became of an agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspendResult {
    /// Its process has ended; its pane waits.
    Suspended,
    /// It starts again in its pane.
    Resumed,
    /// It would be suspended.
    Chosen,
    /// It is left alone.
    Left,
    /// It was named, and is left alone all the same.
    Refused,
    #[default]
    Failed,
}

impl SuspendReport {
    /// Whether something that was asked for was not done.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        let is_failure = |one: &SuspendedAgent| {
            matches!(one.result, SuspendResult::Refused | SuspendResult::Failed)
        };
        self.agents.iter().any(is_failure)
    }
}
