//! The token of the browser tool's snapshot in a home: query, facts, task (pure).

use super::SecretText;
use crate::provision::settings::browser::Settings;
use serde::{Deserialize, Serialize};

/// Where the program that refreshes the snapshot has its token, relative to the home.
pub const TOKEN_FILE: &str = ".config/playwright/token";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotTokenQuery {}

impl SnapshotTokenQuery {
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        settings.snapshot_token_dir.as_ref().map(|_| Self {})
    }
}

/// What is at [`TOKEN_FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SnapshotTokenFacts {
    Absent,
    /// The hash of the token.
    Present(String),
    /// It must be left as it is: why.
    Unusable(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SnapshotTokenTask {
    /// Writes [`TOKEN_FILE`] (0600).
    Write {
        token: SecretText,
        /// The hash of the token that was found there: any other one is the user's.
        before: Option<String>,
    },
}
