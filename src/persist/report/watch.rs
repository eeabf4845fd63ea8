//! What a child of the watch reports to it (pure).

use super::problem::Problem;
use serde::{Deserialize, Serialize};

/// The report of a child of the watch, and of a watch that ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchReport {
    /// For the watch, in the form of `persist::watch::roll`.
    pub text: String,
    /// Whether the service manager should start the user's sessions again.
    #[serde(default)]
    pub start_sessions: bool,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}
