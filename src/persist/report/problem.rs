//! Why a request failed (pure).

use serde::{Deserialize, Serialize};

/// What went wrong, and whether the caller asked for something that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// One sentence.
    pub message: String,
    /// Whether it is the arguments that are wrong.
    pub usage: bool,
}

impl Problem {
    /// Something that failed.
    pub fn failed(error: &impl std::fmt::Display) -> Self {
        Self { message: error.to_string(), usage: false }
    }

    /// An argument that names nothing.
    pub fn usage(message: String) -> Self {
        Self { message, usage: true }
    }
}
