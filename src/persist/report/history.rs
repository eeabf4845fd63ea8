//! The report of `history`.

use super::problem::Problem;
use serde::{Deserialize, Serialize};

/// Every conversation that was ever seen, and the sessions that were closed on purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryReport {
    /// The id of the snapshot that tells what is live.
    pub snapshot: Option<String>,
    /// Last seen first.
    pub conversations: Vec<HistoryConversation>,
    /// So many more conversations are known.
    pub more: usize,
    /// Last closed first.
    pub closed: Vec<ClosedSession>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Problem>,
}

/// One conversation. Bytes that are not UTF-8 are escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryConversation {
    /// Its id.
    pub conversation: String,
    /// Its agent's name.
    pub agent: String,
    /// The session it was last in.
    pub session: String,
    /// The directory it was last in.
    pub cwd: String,
    /// When a save first saw it, in seconds since the epoch.
    pub first_seen: u64,
    /// When a save last saw it, to within an hour.
    pub last_seen: u64,
    /// `live`, `suspended`, `lost`, `closed` or `gone`.
    pub state: String,
    /// When its end was recorded, if it was.
    pub ended: Option<u64>,
    /// What was seen of its end, or why its session was closed.
    pub reason: Option<String>,
}

/// One session that was closed on purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedSession {
    /// Its name.
    pub session: String,
    /// When, in seconds since the epoch.
    pub closed: u64,
    /// Why, in the words of whoever closed it.
    pub reason: String,
}
