//! What an agent writes to its hooks on standard input (pure). Claude Code, Codex, Gemini CLI and Qwen Code use
//! one schema as far as it matters here, and what we put into pi and opencode writes it, too. Copilot CLI does
//! not name the event. Measured on the versions that each agent's file names, and tested against the real
//! programs in `tests/agents/`.

use super::conversation::ConversationId;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// What happened, as far as it changes what we record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A conversation is there: begun, resumed, or the one after `/clear`.
    Started,
    /// The user prompted it.
    Prompted,
    /// A turn ended.
    Stopped,
    /// It waits for the user's permission or answer.
    Asked,
    /// The user ended the agent at its prompt: on purpose.
    Closed,
    /// It ended in a way that proves nothing: signals and failures end so, too.
    Ended,
}

/// One event of one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooked {
    /// The conversation.
    pub conversation: ConversationId,
    /// What happened to it.
    pub event: Event,
}

impl Event {
    /// The state of the agent after it, as the pane is marked.
    pub fn state(self) -> &'static str {
        match self {
            Self::Prompted => "busy",
            Self::Started | Self::Stopped => "idle",
            Self::Asked => "waiting",
            Self::Closed | Self::Ended => "ended",
        }
    }

    /// Whether a snapshot could differ by it.
    pub fn calls_for_a_save(self) -> bool {
        self != Self::Asked
    }
}

/// The fields that matter; all others are skipped.
#[derive(Deserialize)]
struct Input<'a> {
    session_id: &'a str,
    hook_event_name: &'a str,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    notification_type: Option<String>,
}

/// What Copilot CLI writes: each event has a field of its own.
#[derive(Deserialize)]
struct Unnamed<'a> {
    #[serde(rename = "sessionId")]
    session_id: &'a str,
    /// Of `sessionStart`.
    #[serde(default)]
    source: Option<IgnoredAny>,
    /// Of `userPromptSubmitted`.
    #[serde(default)]
    prompt: Option<IgnoredAny>,
    /// Of `agentStop`.
    #[serde(rename = "stopReason", default)]
    stop_reason: Option<IgnoredAny>,
}

impl Unnamed<'_> {
    fn hooked(&self) -> Option<Hooked> {
        let event = match (&self.source, &self.prompt, &self.stop_reason) {
            (Some(_), ..) => Event::Started,
            (_, Some(_), _) => Event::Prompted,
            (.., Some(_)) => Event::Stopped,
            // `sessionEnd` comes for `/clear`, too: it says nothing.
            _ => return None,
        };
        let conversation = ConversationId::parse(self.session_id.as_bytes())?;
        Some(Hooked { conversation, event })
    }
}

/// Notifications that ask the user for something; the last two are of Claude Code 2.1.332.
const ASKS: [&str; 4] =
    ["permission_prompt", "elicitation_dialog", "agent_needs_input", "elicitation_url_dialog"];

/// Reads what an agent wrote to a hook. `None` for anything that is not one JSON object of that
/// schema about a conversation, and for events that change nothing we record.
///
/// Total and pure: any bytes give an answer, in time linear in their number.
pub fn parse(input: &[u8]) -> Option<Hooked> {
    let input: Input<'_> = match serde_json::from_slice(input) {
        Ok(input) => input,
        Err(_) => return serde_json::from_slice::<Unnamed<'_>>(input).ok()?.hooked(),
    };
    let conversation = ConversationId::parse(input.session_id.as_bytes())?;
    let event = match input.hook_event_name {
        "SessionStart" => Event::Started,
        "UserPromptSubmit" | "BeforeAgent" => Event::Prompted,
        "Stop" | "AfterAgent" => Event::Stopped,
        "PermissionRequest" => Event::Asked,
        "Notification" => match input.notification_type.as_deref() {
            Some(kind) if ASKS.contains(&kind) => Event::Asked,
            _ => return None,
        },
        "SessionEnd" => match input.reason.as_deref() {
            // The start of the next conversation moves the mark.
            Some("clear" | "resume") => return None,
            Some("prompt_input_exit") => Event::Closed,
            _ => Event::Ended,
        },
        _ => return None,
    };
    Some(Hooked { conversation, event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0d0a8f5e-0000-4000-8000-000000000001";

    fn event(name: &str, more: &str) -> Option<Event> {
        let text =
            format!(r#"{{"session_id":"{ID}","x":[1,{{}}],"hook_event_name":"{name}"{more}}}"#);
        let hooked = parse(text.as_bytes())?;
        assert_eq!(hooked.conversation.as_str(), ID);
        Some(hooked.event)
    }

    #[test]
    fn only_an_exit_at_the_prompt_closes() {
        let end = |reason: &str| event("SessionEnd", &format!(r#","reason":"{reason}""#));
        assert_eq!(end("prompt_input_exit"), Some(Event::Closed));
        for reason in ["other", "logout", "bypass_permissions_disabled", "new in some version"] {
            assert_eq!(end(reason), Some(Event::Ended), "{reason}");
        }
        assert_eq!(event("SessionEnd", ""), Some(Event::Ended));
        for reason in ["clear", "resume"] {
            assert_eq!(end(reason), None, "{reason}: the next start moves the mark");
        }
    }

    #[test]
    fn each_event_leaves_the_agent_in_its_state() {
        for (name, state) in [
            ("SessionStart", "idle"),
            ("UserPromptSubmit", "busy"),
            ("Stop", "idle"),
            ("PermissionRequest", "waiting"),
            ("BeforeAgent", "busy"),
            ("AfterAgent", "idle"),
        ] {
            assert_eq!(event(name, r#","source":"startup""#).map(Event::state), Some(state));
        }
        let notified =
            |kind: &str| event("Notification", &format!(r#","notification_type":"{kind}""#));
        for kind in ASKS {
            assert_eq!(notified(kind), Some(Event::Asked), "{kind}");
        }
        assert_eq!(notified("agent_completed"), None);
        assert_eq!(notified("idle_prompt"), None);
        assert_eq!(event("PreToolUse", ""), None);
    }

    #[test]
    fn copilot_names_no_event_and_says_which_by_the_fields() {
        let event = |field: &str| {
            let text = format!(r#"{{"sessionId":"{ID}","timestamp":1,"cwd":"/x"{field}}}"#);
            parse(text.as_bytes()).map(|hooked| hooked.event)
        };
        assert_eq!(event(r#","source":"new","initialPrompt":"x""#), Some(Event::Started));
        assert_eq!(event(r#","prompt":"x""#), Some(Event::Prompted));
        assert_eq!(event(r#","stopReason":"end_turn""#), Some(Event::Stopped));
        assert_eq!(event(r#","reason":"user_exit""#), None, "it comes for /clear, too");
    }

    #[test]
    fn what_is_not_of_the_schema_says_nothing() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"session_id":"../../etc","hook_event_name":"Stop"}"#,
            r#"{"session_id":7,"hook_event_name":"Stop"}"#,
            r#"{"session_id":"0d0a8f5e-0000-4000-8000-000000000001","hook_event_name":"St"#,
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
