//! The WebSocket by which a conversation is read (pure): JSON in both directions.

use serde::{Deserialize, Serialize};
use terminal_lobby::agent::messages::{Content, Message, Page, Payload};

/// What the page says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromPage {
    /// The first message: the session's birth id. With a place, the messages around it are wanted first.
    Hello {
        session: String,
        #[serde(default)]
        at: Option<u64>,
    },
    /// The first message: a conversation that need not be in any session.
    Past {
        agent: String,
        id: String,
        #[serde(default)]
        at: Option<u64>,
    },
    /// Wants what was said before this place.
    Earlier { before: u64 },
    /// Wants what was said from this place on, of which the page has only earlier messages.
    Next { after: u64 },
    /// Wants the newest messages, wherever it is.
    Newest,
    /// Wants what is behind a message.
    Unfold { at: u64, part: usize },
}

/// What the lobby says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromLobby {
    /// The newest messages, or those around a place, at the begin and whenever the session has another conversation.
    Newest {
        agent: &'static str,
        #[serde(flatten)]
        page: Shown,
        /// Whether nothing was said after them.
        last: bool,
        /// What a past conversation is called, and where it belongs.
        #[serde(skip_serializing_if = "Option::is_none")]
        about: Option<About>,
    },
    /// Nothing was said yet, or nothing that can be shown: why.
    Nothing { why: Why },
    /// Answers `earlier`.
    Earlier(Shown),
    /// Answers `next`.
    Next {
        #[serde(flatten)]
        page: Shown,
        last: bool,
    },
    /// What was said since.
    Later(Shown),
    /// Answers `unfold`.
    Unfolded {
        at: u64,
        part: usize,
        #[serde(flatten)]
        payload: Payload,
    },
}

/// Why there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    NoSession,
    /// No agent runs in it, or its conversation is not known.
    NoConversation,
    /// The agent has not been prompted yet, or its transcripts cannot be read.
    NoTranscript,
    Failed,
    /// The session of a link's conversation is gone.
    Over,
    /// What was shared is not any more.
    Revoked,
    /// The time of the share is over.
    Expired,
}

/// What a conversation is called, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    pub title: String,
    pub directory: String,
    /// The birth id of the session that runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// Messages, and where they lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub messages: Vec<Message>,
    /// Where `earlier` goes on; 0 if that was all.
    pub begin: u64,
    /// Where `next` goes on.
    pub end: u64,
}

impl Shown {
    /// As the page shows them: without characters that control a terminal or turn text around unseen.
    pub fn of(page: Page) -> Self {
        let clean = |mut message: Message| {
            match &mut message.content {
                Content::Prompt { text, .. }
                | Content::Answer { text }
                | Content::Thought { text }
                | Content::Note { text }
                | Content::Call { summary: text, .. }
                | Content::Result { summary: text, .. } => *text = shown(text),
            }
            if let Content::Call { tool, .. } = &mut message.content {
                *tool = shown(tool);
            }
            message
        };
        Self {
            messages: page.messages.into_iter().map(clean).collect(),
            begin: page.begin,
            end: page.end,
        }
    }
}

/// A text without what is not seen; lines and tabs stay.
pub fn shown(text: &str) -> String {
    let is_hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let kept = text.replace("\r\n", "\n");
    if kept.chars().any(is_hidden) {
        kept.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
    } else {
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_text() {
        assert_eq!(shown("a\r\n\tb\x1b[31m\u{202e}"), "a\n\tb\u{fffd}[31m\u{fffd}");
        assert_eq!(shown("héllo 👩‍💻"), "héllo 👩‍💻");
    }

    #[test]
    fn messages_are_read_as_they_are_written_and_others_refused() {
        let hello: FromPage = serde_json::from_str(r#"{"type":"hello","session":"a"}"#).unwrap();
        assert_eq!(hello, FromPage::Hello { session: "a".into(), at: None });
        assert!(serde_json::from_str::<FromPage>(r#"{"type":"unfold","at":-1,"part":0}"#).is_err());
        let message =
            Message { at: 7, part: 0, time: None, content: Content::Answer { text: "x".into() } };
        let later = FromLobby::Later(Shown::of(Page { messages: vec![message], begin: 7, end: 9 }));
        let expected = r#"{"type":"later","messages":[{"at":7,"part":0,"type":"answer","text":"x"}],"begin":7,"end":9}"#;
        assert_eq!(serde_json::to_string(&later).unwrap(), expected);
    }
}
