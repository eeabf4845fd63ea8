//! What is said on the link socket: one line each way.

use serde::{Deserialize, Serialize};

/// The longest line, in bytes.
pub(super) const MAX_LINE: u64 = 4 << 20;
pub(super) const MAX_ASK: u64 = 1 << 10;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Ask {
    Link,
    Status,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Said {
    Link(Link),
    Status(Box<Status>),
    Refused { refused: String },
}

/// A link that logs one browser in, once.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) url: String,
    /// Seconds until it is good no more.
    pub(super) seconds: u64,
}

/// How the gateway does. What is of all people is there for root and the gateway's own account alone.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Status {
    pub(super) version: String,
    pub(super) mode: String,
    pub(super) url: String,
    /// Seconds since the epoch.
    pub(super) started: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connections: Option<i64>,
    /// Why the map of users cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_map_error: Option<String>,
    pub(super) users: Vec<User>,
}

/// One user.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct User {
    #[serde(rename = "user")]
    pub(super) name: String,
    pub(super) is_admin: bool,
    /// Open WebSockets.
    pub(super) views: usize,
    /// `answers`, `not asked yet`, or why it does not answer.
    pub(super) agent: String,
    /// When that was; seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agent_seen: Option<u64>,
    pub(super) logins: Vec<Login>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Login {
    pub(super) id: String,
    pub(super) device: String,
    pub(super) created: u64,
    pub(super) used: u64,
}
