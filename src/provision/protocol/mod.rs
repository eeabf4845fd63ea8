//! What root asks of a process that became a user, and what it answers (pure).
//!
//! Both directions are one JSON value. An answer is hostile input: bounded, unknown fields refused,
//! and nothing that root acts on follows from a path in it (docs/security.md).

pub mod agents;
pub mod browser;
pub mod cluster;
pub mod code;

pub use agents::{AgentsFacts, AgentsQuery, AgentsTask, Instructions, Login};
pub use browser::{BrowserFacts, BrowserQuery, BrowserTask};
pub use cluster::{ClusterFacts, ClusterQuery, ClusterTask};
pub use code::{CodeFacts, CodeQuery, CodeTask};

use super::settings::Settings;
use crate::roster::Row;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Maximum length, in characters, of a reason that a user's process gives, where a plan repeats it.
const MAX_REASON: usize = 300;

/// What root asks of the process that became the user.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    Inspect(HomeQuery),
    Perform(HomeTask),
}

/// The parts of a home to inspect; a part that the site does not configure is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomeQuery {
    pub code: Option<CodeQuery>,
    pub agents: Option<AgentsQuery>,
    pub cluster: Option<ClusterQuery>,
    pub browser: Option<BrowserQuery>,
}

impl HomeQuery {
    /// What a plan needs to know about the home of the user of this row.
    pub fn new(row: &Row, settings: &Settings) -> Self {
        Self {
            code: CodeQuery::new(row, &settings.code),
            agents: AgentsQuery::new(&settings.agents),
            cluster: ClusterQuery::new(&settings.cluster),
            browser: BrowserQuery::new(&settings.browser),
        }
    }
}

/// What a home holds; a part that was not queried is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomeFacts {
    pub code: Option<CodeFacts>,
    pub agents: Option<AgentsFacts>,
    pub cluster: Option<ClusterFacts>,
    pub browser: Option<BrowserFacts>,
}

/// One task in a home. Safe to repeat: a task finishes what an interrupted one left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HomeTask {
    Code(CodeTask),
    Agents(AgentsTask),
    Cluster(ClusterTask),
    Browser(BrowserTask),
}

impl HomeTask {
    /// How long it may take.
    pub fn deadline(&self) -> Duration {
        match self {
            Self::Code(task) => task.deadline(),
            Self::Agents(_) | Self::Cluster(_) => Duration::from_secs(30),
            Self::Browser(_) => Duration::from_mins(1),
        }
    }

    /// The umask of the process that performs it: clones are made as the user's own shell would make
    /// them, everything else is private.
    pub fn umask(&self) -> u32 {
        match self {
            Self::Code(_) => 0o022,
            _ => 0o077,
        }
    }

    /// The file that the task writes, relative to the home, and the text that is put there.
    pub fn written_text(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Agents(AgentsTask::Instructions { text, .. }) => {
                Some((agents::INSTRUCTIONS_FILE, text))
            }
            Self::Cluster(ClusterTask::Config { text }) => Some((cluster::CONFIG_FILE, text)),
            Self::Code(_) | Self::Browser(_) => None,
        }
    }
}

/// What the process answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// What the home holds.
    Facts(Box<HomeFacts>),
    /// The task is done: what was done, a line each, for the receipt.
    Done(Vec<String>),
    /// The task, or the request as a whole, failed: why.
    Failed(String),
}

/// The beginning of a text that a user's process gave, no longer than a plan repeats it.
pub fn clip(text: &str) -> String {
    text.chars().take(MAX_REASON).collect()
}

/// A secret on its way to a file or to a user's process: no debug text shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(pub String);

impl fmt::Debug for SecretText {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("SecretText(...)")
    }
}
