//! What root asks of a process that became a user, and what it answers (pure).
//!
//! Both directions are one JSON value. An answer is hostile input: bounded, unknown fields refused,
//! and nothing that root acts on follows from a path in it (docs/security.md).

pub mod agents;
pub mod browser;
pub mod closed_tree;
pub mod cluster;
pub mod code;
pub mod old_units;
pub mod shared;
pub mod snapshot_token;
pub mod staged;

pub use agents::{AgentsFacts, AgentsQuery, AgentsTask, CodexLogin, Instructions, Login};
pub use browser::{BrowserFacts, BrowserQuery, BrowserTask};
pub use closed_tree::{ClosedTreeTask, ClosedTreesFacts, ClosedTreesQuery};
pub use cluster::{ClusterFacts, ClusterQuery, ClusterTask};
pub use code::{CodeFacts, CodeQuery, CodeTask};
pub use old_units::{OldUnitsFacts, OldUnitsQuery};
pub use shared::{SharedFacts, SharedQuery, SharedTask};
pub use snapshot_token::{SnapshotTokenFacts, SnapshotTokenQuery, SnapshotTokenTask};

pub use staged::{
    EnvironmentFacts, EnvironmentQuery, EnvironmentTask, ForgeLogin, GitFacts, GitQuery,
    GitSetting, GitSettings, GitTask,
};

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
    pub snapshot_token: Option<SnapshotTokenQuery>,
    pub shared: Option<SharedQuery>,
    pub old_units: Option<OldUnitsQuery>,
    pub closed_trees: Option<ClosedTreesQuery>,
    pub environment: Option<EnvironmentQuery>,
    pub git: Option<GitQuery>,
}

impl HomeQuery {
    /// What a plan needs to know about the home of a user with this row.
    pub fn new(user: &str, row: &Row, settings: &Settings) -> Self {
        Self {
            code: CodeQuery::new(row, &settings.code),
            agents: AgentsQuery::new(&settings.agents),
            cluster: ClusterQuery::new(&settings.cluster),
            browser: BrowserQuery::new(&settings.browser),
            snapshot_token: SnapshotTokenQuery::new(&settings.browser),
            shared: SharedQuery::new(&settings.agents),
            old_units: OldUnitsQuery::new(settings),
            closed_trees: ClosedTreesQuery::new(user, &settings.closed_trees),
            environment: EnvironmentQuery::new(settings),
            git: GitQuery::new(settings.git.as_ref()),
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
    pub snapshot_token: Option<SnapshotTokenFacts>,
    pub shared: Option<SharedFacts>,
    pub old_units: Option<OldUnitsFacts>,
    pub closed_trees: Option<ClosedTreesFacts>,
    pub environment: Option<EnvironmentFacts>,
    pub git: Option<GitFacts>,
}

impl HomeFacts {
    /// Leaves out what was not asked for, and what is more than an honest answer has.
    pub fn restrict_to(&mut self, query: &HomeQuery) {
        if let Some(code) = &mut self.code {
            code.restrict_to(query.code.as_ref());
        }
        if let Some(units) = &mut self.old_units {
            units.restrict();
        }
        if let Some(trees) = &mut self.closed_trees {
            trees.restrict_to(query.closed_trees.as_ref());
        }
        if let Some(environment) = &mut self.environment {
            environment.restrict_to(query.environment.as_ref());
        }
    }
}

/// One task in a home. Safe to repeat: a task finishes what an interrupted one left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HomeTask {
    Code(CodeTask),
    Agents(AgentsTask),
    Cluster(ClusterTask),
    Browser(BrowserTask),
    SnapshotToken(SnapshotTokenTask),
    Shared(SharedTask),
    ClosedTree(ClosedTreeTask),
    Environment(EnvironmentTask),
    Git(GitTask),
}

impl HomeTask {
    /// How long it may take.
    pub fn deadline(&self) -> Duration {
        match self {
            Self::Code(task) => task.deadline(),
            Self::Agents(_)
            | Self::Cluster(_)
            | Self::SnapshotToken(_)
            | Self::Shared(_)
            | Self::ClosedTree(_)
            | Self::Environment(_)
            | Self::Git(_) => Duration::from_secs(30),
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

    /// The place in the home that the task writes, relative to it (a file, or `FILE#PART`), and the text that is
    /// put there.
    pub fn written_text(&self) -> Option<(String, &str)> {
        let file = |file: &str| file.to_owned();
        match self {
            Self::Agents(AgentsTask::Instructions { text, .. }) => {
                Some((file(agents::INSTRUCTIONS_FILE), text))
            }
            Self::Cluster(ClusterTask::Config { text }) => Some((file(cluster::CONFIG_FILE), text)),
            Self::SnapshotToken(SnapshotTokenTask::Write { token, .. }) => {
                Some((file(snapshot_token::TOKEN_FILE), &token.0))
            }
            Self::Environment(EnvironmentTask::Set { variable, value, .. }) => {
                Some((staged::variable_place(variable), &value.0))
            }
            Self::Git(GitTask::Login { forge, line, .. }) => {
                Some((staged::login_place(forge), &line.0))
            }
            Self::Git(GitTask::Set { forge, setting, value }) => {
                Some((staged::setting_place(*setting, forge), value))
            }
            Self::Agents(AgentsTask::CodexLogin { .. })
            | Self::Code(_)
            | Self::Browser(_)
            | Self::Shared(_)
            | Self::ClosedTree(_) => None,
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
