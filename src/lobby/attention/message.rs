//! What a notification says (pure). The browser's own part makes sentences of it (`sw.js`).

use super::due::{Due, Plan};
use serde::Serialize;

/// Maximum length of a text in it, in characters: push services take 4096 bytes, encrypted.
const MAX_TEXT: usize = 100;
/// How many sessions are named of which notifications may be open.
const MAX_OPEN: usize = 50;

/// The message of one session.
#[derive(Debug, Serialize)]
struct Message<'a> {
    session: &'a str,
    state: &'a str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<String>,
    /// Whether it has an agent, and so a conversation.
    agent: bool,
    /// When it became so, in milliseconds since the epoch: a message that comes twice is known by it.
    at: u64,
    /// Sessions whose notifications still say what is so; all others are closed.
    open: &'a [String],
}

/// The message, and how it is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outgoing {
    pub(super) text: Vec<u8>,
    /// A later message of the same topic replaces one that was not delivered (RFC 8030, section 5.4).
    pub(super) topic: String,
    /// How soon it matters (RFC 8030, section 5.3).
    pub(super) urgency: &'static str,
    /// For how long it is kept for a browser that is not there, in seconds.
    pub(super) seconds: u64,
}

/// The message of what is due.
pub(super) fn of(due: &Due, plan: &Plan) -> Outgoing {
    let session = &due.session;
    let short = |text: &str| text.chars().take(MAX_TEXT).collect::<String>();
    let message = Message {
        session: &session.id,
        state: session.state,
        name: short(&session.name),
        title: session.title.as_deref().map(short),
        waiting_for: session.waiting_for.as_deref().map(short),
        agent: session.agent.is_some(),
        at: due.at,
        open: &plan.open[..plan.open.len().min(MAX_OPEN)],
    };
    let urgency = if session.state == "idle" { "normal" } else { "high" };
    let text = serde_json::to_vec(&message).unwrap_or_default();
    Outgoing { text, topic: session.id.clone(), urgency, seconds: 12 * 60 * 60 }
}

/// A test.
pub(super) fn test() -> Outgoing {
    let text = br#"{"state":"test"}"#.to_vec();
    Outgoing { text, topic: "test".to_owned(), urgency: "high", seconds: 60 }
}
