//! The report of `history` (pure).

use super::problem::Problem;
use serde::{Deserialize, Serialize};

/// All known conversations, and the sessions that were closed on purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryReport {
    /// The id of the snapshot that determines what is live.
    pub snapshot: Option<String>,
    /// Last seen first.
    pub conversations: Vec<HistoryConversation>,
    /// Number of conversations that are not listed.
    pub more: usize,
    /// Last closed first.
    pub closed: Vec<ClosedSession>,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// One conversation. Bytes that are not UTF-8 are escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryConversation {
    pub conversation: String,
    pub agent: String,
    /// The session it was last in.
    pub session: String,
    /// The directory it was last in.
    pub cwd: String,
    /// When a save first saw it, in seconds since the epoch.
    pub first_seen: u64,
    /// When a save last saw it, to within an hour.
    pub last_seen: u64,
    pub state: ConversationState,
    /// The command that continues it, if it is in the background, where no pane shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// When its end was recorded, in seconds since the epoch.
    pub ended: Option<u64>,
    /// The reason recorded with its end, or why its session was closed.
    pub reason: Option<String>,
}

/// The state of a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationState {
    Live,
    /// Waits to be resumed.
    Suspended,
    /// Its agent ended without being closed on purpose; a restore resumes it.
    Lost,
    Closed,
    /// In no pane: its agent keeps it in the background.
    Background,
    /// Not in the newest snapshot, and no close was recorded.
    #[default]
    Gone,
}

/// One session that was closed on purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedSession {
    pub session: String,
    /// The time of closing, in seconds since the epoch.
    pub closed: u64,
    /// Why, as given by the user or program that closed it.
    pub reason: String,
}

impl ConversationState {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Suspended => "suspended",
            Self::Lost => "lost",
            Self::Closed => "closed",
            Self::Background => "background",
            Self::Gone => "gone",
        }
    }
}
