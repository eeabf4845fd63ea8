//! Why a request failed, as a worker reports it (pure).

use serde::{Deserialize, Serialize};

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// What failed, with which thing, and why; one line. Text that a user controls is escaped.
    pub message: String,
    /// A command or an action that helps, as it can be pasted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The arguments are invalid: exit code 2 instead of 1.
    pub usage: bool,
    /// Another process held a lock for too long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub busy: bool,
}

impl Problem {
    pub fn failed(error: &(impl std::fmt::Display + ?Sized)) -> Self {
        Self { message: error.to_string(), hint: None, usage: false, busy: false }
    }

    /// An argument that is invalid, or that names something that does not exist.
    pub fn usage(error: &(impl std::fmt::Display + ?Sized)) -> Self {
        Self { usage: true, ..Self::failed(error) }
    }

    /// With another hint, unless that is `None`.
    #[must_use]
    pub fn with_hint(self, hint: Option<String>) -> Self {
        Self { hint: hint.or(self.hint), ..self }
    }
}
