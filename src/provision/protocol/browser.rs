//! The browser tool's registration in a home: query, facts, task (pure).

use crate::provision::settings::browser::Settings;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrowserQuery {
    pub name: String,
}

impl BrowserQuery {
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        settings.agent.as_ref().map(|_| Self { name: settings.name.0.clone() })
    }
}

/// Whether the agent knows the server, in all of the user's projects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BrowserFacts {
    #[default]
    Absent,
    /// Registered, with its address where it has one.
    Registered(Option<String>),
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BrowserTask {
    /// Has the agent register the server, unless it knows one of that name.
    Register {
        agent: String,
        name: String,
        url: String,
        /// Headers of its requests. They are arguments of the agent, which other users can read: they
        /// name variables of the agent's environment and hold no secret.
        headers: Vec<String>,
    },
}
