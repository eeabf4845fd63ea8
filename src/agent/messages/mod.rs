//! What was said in a conversation, by its transcript. Text is as the agent wrote it: hostile until it is shown.

mod lines;
mod stored;
pub mod text;

pub use lines::{Page, Transcript};
pub use stored::{Stored, Visit};

use serde::Serialize;

/// One thing that was said or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Where its line begins in the transcript, in bytes.
    pub at: u64,
    /// Its number among the messages of that line.
    pub part: usize,
    /// When it was written, as the agent says it (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    #[serde(flatten)]
    pub content: Content,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// What the person said.
    Prompt { text: String, images: usize },
    /// What the agent said, in Markdown.
    Answer { text: String },
    /// What it thought.
    Thought { text: String },
    /// It used a tool. Its input is [`Transcript::payload`].
    Call { id: String, tool: String, summary: String, size: usize },
    /// What the tool gave. All of it is [`Transcript::payload`].
    Result { id: String, failed: bool, summary: String, size: usize, images: usize },
    /// What happened to the conversation itself.
    Note { text: String },
}

/// What is behind a message: all of a tool's input or output, and images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Payload {
    pub text: String,
    pub images: Vec<Image>,
}

/// An image in a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Image {
    /// As the agent wrote it, such as `image/png`.
    pub media_type: String,
    /// In base64, as the agent wrote it.
    pub data: String,
}

/// What one line of a transcript says: each message with its payload, in order.
pub type Said = Vec<(Content, Payload)>;

/// What a line says, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    pub time: Option<String>,
    pub said: Said,
}

/// Reads one line of a transcript, without its line feed; `None` if it says nothing.
pub type ReadLine = fn(&[u8]) -> Option<Line>;
