//! The WebSocket by which all conversations are searched (pure): JSON in both directions, so that no log of requests
//! has the words.

use serde::{Deserialize, Serialize};

/// What the page says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromPage {
    /// Wants the conversations with these words, at most `limit` of them. `number` tells the answer from others.
    Find { number: u64, words: String, limit: usize },
}

/// What the lobby says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromLobby {
    /// How much has been read, at the begin and as that goes on.
    Progress(Progress),
    /// Answers `find`, again whenever more was read.
    Found {
        number: u64,
        conversations: Vec<Found>,
        /// How many conversations, and messages of all of them, have the words.
        all: usize,
        messages: usize,
    },
    /// It could not be searched: why.
    Failed { number: u64, why: String },
}

/// How much of the transcripts has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Whether there is more to read.
    pub reading: bool,
    pub files: usize,
    pub of_files: usize,
    /// In bytes.
    pub read: u64,
    pub of: u64,
    /// Why it does not go on; empty if it does.
    pub trouble: String,
}

/// A conversation that has the words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    pub agent: String,
    pub id: String,
    pub title: String,
    pub directory: String,
    /// When it was written last, in seconds since the epoch.
    pub last: u64,
    /// The birth id and the name of the session that runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<(String, String)>,
    /// How many of its messages have them.
    pub messages: usize,
    /// The last of these.
    pub hits: Vec<Hit>,
}

/// A message that has the words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// Where its line begins, in bytes.
    pub at: u64,
    /// Whether the person said it.
    pub is_prompt: bool,
    /// When, as the agent says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The text around the words; every second piece is one of them.
    pub pieces: Vec<String>,
}
