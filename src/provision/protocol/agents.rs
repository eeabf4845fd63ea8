//! The agents' configuration in a home: query, facts, task (pure).

use crate::provision::settings::agents::Settings;
use serde::{Deserialize, Serialize};

/// The file of instructions that Codex reads, relative to the home.
pub const INSTRUCTIONS_FILE: &str = ".codex/AGENTS.md";

/// Where Codex keeps its user's login, relative to the home.
pub const CODEX_LOGIN_FILE: &str = ".codex/auth.json";

/// Which facts are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentsQuery {
    /// The managed text in [`INSTRUCTIONS_FILE`].
    pub instructions: bool,
    /// Whether the user has a login.
    pub login: bool,
    /// Whether the user has a login of Codex.
    pub codex_login: bool,
}

impl AgentsQuery {
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        let (instructions, login) =
            (settings.manages_instructions(), settings.token_file.is_some());
        let codex_login = settings.codex_login.is_some();
        let any = instructions || login || codex_login;
        any.then_some(Self { instructions, login, codex_login })
    }
}

/// A fact that was not queried is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentsFacts {
    pub instructions: Option<Instructions>,
    pub login: Option<Login>,
    pub codex_login: Option<CodexLogin>,
}

/// The managed text in a user's instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Instructions {
    /// There is no file.
    NoFile,
    /// A file of the user's, without managed text.
    Unmanaged,
    /// The hash of the managed text.
    Managed(String),
    /// The file must be left as it is: why.
    Unusable(String),
}

/// What is at [`CODEX_LOGIN_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CodexLogin {
    Absent,
    /// Something: a login of the user's own, or a link.
    Present,
    /// It must be left as it is: why.
    Unusable(String),
}

/// Whether the user has a login of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Login {
    Absent,
    /// Something is where the agent keeps its login.
    Present,
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AgentsTask {
    /// Puts managed text into [`INSTRUCTIONS_FILE`].
    Instructions {
        text: String,
        /// The hash of the managed text that was found there: any other text is the user's.
        before: Option<String>,
    },
    /// Makes [`CODEX_LOGIN_FILE`] a link to the shared login, unless something is there.
    CodexLogin { target: String },
}
