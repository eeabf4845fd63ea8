//! What a process of the watch does, and the site's settings of it: the table `[watch]` (pure).

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// How the watch works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchSettings {
    /// Minimum time between two comebacks of one session.
    pub interval: Duration,
    /// How often a session comes back until a person has looked.
    pub comebacks: u32,
    /// What an agent that comes back is told first; empty for nothing.
    pub first_message: String,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self { interval: Duration::from_hours(1), comebacks: 3, first_message: String::new() }
    }
}

/// What a process of the watch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchStep {
    /// Wait, and have the other steps done.
    Wait,
    /// List what to wait for.
    List,
    /// Look into what ended, and bring back what was killed.
    Comeback,
    /// Warn where an agent nears its limit.
    Warn,
}

/// How a process of the watch was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchTask {
    pub step: WatchStep,
    /// Whether it is that of the unit, in which no tmux server may be started.
    pub by_unit: bool,
    /// Where `proc` and `sys` are: `/`.
    pub root: PathBuf,
}

impl WatchStep {
    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::List => "list",
            Self::Comeback => "comeback",
            Self::Warn => "warn",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Wait, Self::List, Self::Comeback, Self::Warn]
            .into_iter()
            .find(|step| step.word() == word)
    }
}
