//! Site values of the browser tool: the table `[provision.browser]` (pure).

use super::values::{Absolute, Address, Name};
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The agent's program, which registers the tool; without it the tool is not registered.
    pub agent: Option<Absolute>,
    /// The tool's name in the agent's settings.
    pub name: Name,
    /// Where the tool's snapshot comes from, for users who have a token for it.
    pub snapshot_url: Option<Address>,
    /// The certificate authorities of that server; those of the host if there are none.
    pub snapshot_ca_file: Option<Absolute>,
    /// The directory with these tokens, a file for each user.
    pub snapshot_token_dir: Option<Absolute>,
    /// Whether requests to the tool need a token.
    pub token: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            agent: None,
            name: Name("playwright".to_owned()),
            snapshot_url: None,
            snapshot_ca_file: None,
            snapshot_token_dir: None,
            token: true,
        }
    }
}
