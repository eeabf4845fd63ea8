//! Conversations in the background (pure).

use super::conversation::ConversationId;
use std::path::PathBuf;

/// A conversation in the background, which no pane shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backgrounded {
    pub agent: &'static str,
    pub conversation: ConversationId,
    /// The command that continues it in a pane.
    pub attach: String,
    pub cwd: PathBuf,
    /// When its state was written last, in seconds since the epoch.
    pub changed: u64,
}
