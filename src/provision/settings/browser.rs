//! Site values of the browser tool: the table `[provision.browser]` (pure).

use super::values::{Absolute, Name};
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The agent's program, which registers the tool; without it the tool is not registered.
    pub agent: Option<Absolute>,
    /// The tool's name in the agent's settings.
    pub name: Name,
    /// Whether requests to the tool need a token.
    pub token: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { agent: None, name: Name("playwright".to_owned()), token: true }
    }
}
