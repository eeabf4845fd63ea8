//! What a line of a transcript says (pure).

use crate::agent::messages::{Content, Line, Payload, Said, text};
use serde::Deserialize;
use serde_json::Value;

/// What the lines of interest hold; most of a transcript's bytes are in others.
const KINDS: [&[u8]; 3] = [br#""type":"user""#, br#""type":"assistant""#, br#""type":"system""#];
/// What begins texts that the program itself puts among the user's.
const OWN: [&str; 4] =
    ["<local-command-caveat>", "<system-reminder>", "<task-notification>", "<user-memory-input>"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    subtype: Option<String>,
    timestamp: Option<String>,
    #[serde(default)]
    is_sidechain: bool,
    #[serde(default)]
    is_meta: bool,
    #[serde(default)]
    is_compact_summary: bool,
    #[serde(default)]
    is_api_error_message: bool,
    #[serde(default)]
    message: Body,
    #[serde(default)]
    content: Value,
}

#[derive(Deserialize, Default)]
struct Body {
    #[serde(default)]
    content: Value,
}

/// What a line says to a reader; `None` if nothing.
pub(super) fn said(line: &[u8]) -> Option<Line> {
    KINDS.iter().any(|kind| memchr::memmem::find(line, kind).is_some()).then_some(())?;
    let entry: Entry = serde_json::from_slice(line).ok()?;
    if entry.is_sidechain || entry.is_meta || entry.is_compact_summary {
        return None;
    }
    let said = match entry.kind.as_str() {
        "user" => of_user(&entry.message.content),
        "assistant" => of_assistant(&entry),
        "system" => of_system(&entry),
        _ => return None,
    };
    (!said.is_empty()).then_some(Line { time: entry.timestamp, said })
}

fn of_user(content: &Value) -> Said {
    let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let results = blocks.iter().filter(|block| block["type"] == "tool_result").map(|block| {
        let id = block["tool_use_id"].as_str().unwrap_or_default();
        let failed = block["is_error"].as_bool().unwrap_or(false);
        text::result(id, failed, text::payload(&block["content"]))
    });
    let mut said: Said = results.collect();
    if said.is_empty() {
        said.extend(prompt(text::payload(content)));
    }
    said
}

fn prompt(given: Payload) -> Option<(Content, Payload)> {
    let own_words = without_reminders(&given.text);
    let words = own_words.trim();
    if let Some(output) = tagged(words, "local-command-stdout") {
        return note(output);
    }
    if words.starts_with("[Request interrupted") {
        return note(words.trim_matches(['[', ']']));
    }
    let words = match (tagged(words, "command-name"), tagged(words, "bash-input")) {
        (Some(name), _) => {
            let arguments = tagged(words, "command-args").unwrap_or_default().trim();
            format!("{name} {arguments}").trim().to_owned()
        }
        (None, Some(command)) => format!("! {command}"),
        (None, None) => words.to_owned(),
    };
    let images = given.images.len();
    if OWN.iter().any(|tag| words.starts_with(tag)) || (words.is_empty() && images == 0) {
        return None;
    }
    Some((Content::Prompt { text: text::bounded(&words), images }, given))
}

fn of_assistant(entry: &Entry) -> Said {
    let Some(blocks) = entry.message.content.as_array() else { return Vec::new() };
    let of = |block: &Value| {
        let shown = |field: &str| block[field].as_str().filter(|text| !text.trim().is_empty());
        match block["type"].as_str()? {
            "text" if entry.is_api_error_message => note(shown("text")?),
            "text" => {
                let text = text::bounded(shown("text")?);
                Some((Content::Answer { text }, Payload::default()))
            }
            "thinking" => {
                let text = text::bounded(shown("thinking")?);
                Some((Content::Thought { text }, Payload::default()))
            }
            "tool_use" | "server_tool_use" => {
                let word = |field: &str| block[field].as_str().unwrap_or_default();
                Some(text::call(word("id"), word("name"), &block["input"]))
            }
            _ => None,
        }
    };
    blocks.iter().filter_map(of).collect()
}

fn of_system(entry: &Entry) -> Said {
    let is_told = matches!(entry.subtype.as_deref(), Some("compact_boundary" | "api_error"));
    let text = entry.content.as_str().or(entry.subtype.as_deref()).filter(|_| is_told);
    text.and_then(note).into_iter().collect()
}

fn note(text: &str) -> Option<(Content, Payload)> {
    let text = text.trim();
    let content = Content::Note { text: text::bounded(text) };
    (!text.is_empty()).then(|| (content, Payload::default()))
}

/// What is between two tags of a text that begins with it, or has it further on after such a one.
fn tagged<'a>(words: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = words.strip_prefix('<').map(|_| words)?.split_once(&format!("<{tag}>"))?;
    Some(rest.split_once(&format!("</{tag}>"))?.0)
}

/// The program adds reminders of its own to what the user said.
fn without_reminders(words: &str) -> String {
    const BEGIN: &str = "<system-reminder>";
    const END: &str = "</system-reminder>";
    let mut rest = words;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once(BEGIN) {
        kept.push_str(before);
        let Some((_, after)) = after.split_once(END) else { return kept };
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: &Value) -> Vec<Content> {
        let line = said(value.to_string().as_bytes()).unwrap_or_default();
        line.said.into_iter().map(|(content, _)| content).collect()
    }

    fn user(content: &Value) -> Value {
        json!({"type": "user", "message": {"role": "user", "content": content}, "timestamp": "2026-11-29T19:38:00.106Z"})
    }

    fn prompt(text: &str, images: usize) -> Content {
        Content::Prompt { text: text.into(), images }
    }

    #[test]
    fn prompts_are_what_the_person_said() {
        assert_eq!(of(&user(&json!("hello **bold**"))), [prompt("hello **bold**", 0)]);
        let with_reminder =
            "<system-reminder>\nx</system-reminder>\nfix it<system-reminder>y</system-reminder>";
        assert_eq!(of(&user(&json!(with_reminder))), [prompt("fix it", 0)]);
        let command = "<command-name>/model</command-name>\n  <command-message>model</command-message>\n <command-args>opus</command-args>";
        assert_eq!(of(&user(&json!(command))), [prompt("/model opus", 0)]);
        assert_eq!(of(&user(&json!("<bash-input>ls</bash-input>"))), [prompt("! ls", 0)]);
        let image = json!([
            {"type": "text", "text": "[Image #1] what is it?"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}},
        ]);
        assert_eq!(of(&user(&image)), [prompt("[Image #1] what is it?", 1)]);
        assert_eq!(
            of(&user(&json!("<p>is this HTML right?</p>"))),
            [prompt("<p>is this HTML right?</p>", 0)]
        );
    }

    #[test]
    fn what_the_program_says_to_itself_is_left_out() {
        for text in [
            "<local-command-caveat>x</local-command-caveat>",
            "<system-reminder>x</system-reminder>",
            "",
            "<system-reminder>x",
        ] {
            assert_eq!(of(&user(&json!(text))), [], "{text}");
        }
        for field in ["isMeta", "isSidechain", "isCompactSummary"] {
            let mut line = user(&json!("hello"));
            line[field] = json!(true);
            assert_eq!(of(&line), [], "{field}");
        }
        assert_eq!(of(&json!({"type": "attachment", "message": {"content": "hello"}})), []);
        assert_eq!(said(b"{\"type\":\"user\",\"mess"), None);
        assert_eq!(said(b"\xff\xfe"), None);
    }

    #[test]
    fn answers_thoughts_and_tools_are_told_apart() {
        let line = json!({"type": "assistant", "message": {"content": [
            {"type": "thinking", "thinking": "", "signature": "x"},
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "Yes."},
            {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "echo hi"}},
        ]}});
        let said = of(&line);
        assert_eq!(
            said[..2],
            [Content::Thought { text: "hm".into() }, Content::Answer { text: "Yes.".into() }]
        );
        let Content::Call { id, tool, summary, .. } = &said[2] else { panic!("{said:?}") };
        assert_eq!((id.as_str(), tool.as_str(), summary.as_str()), ("t1", "Bash", "echo hi"));
        let result = user(
            &json!([{"type": "tool_result", "tool_use_id": "t1", "is_error": true, "content": "Exit code 1\nhi"}]),
        );
        let expected = Content::Result {
            id: "t1".into(),
            failed: true,
            summary: "Exit code 1".into(),
            size: 14,
            images: 0,
        };
        assert_eq!(of(&result), [expected]);
    }

    #[test]
    fn what_happened_to_the_conversation_is_a_note() {
        let note = |text: &str| [Content::Note { text: text.into() }];
        assert_eq!(
            of(&user(&json!([{"type": "text", "text": "[Request interrupted by user]"}]))),
            note("Request interrupted by user")
        );
        assert_eq!(
            of(&user(&json!("<local-command-stdout>Set model</local-command-stdout>"))),
            note("Set model")
        );
        assert_eq!(
            of(
                &json!({"type": "system", "subtype": "compact_boundary", "content": "Conversation compacted"})
            ),
            note("Conversation compacted")
        );
        assert_eq!(of(&json!({"type": "system", "subtype": "turn_duration", "content": "x"})), []);
        let error = json!({"type": "assistant", "isApiErrorMessage": true, "message": {"content": [{"type": "text", "text": "API Error: 529"}]}});
        assert_eq!(of(&error), note("API Error: 529"));
    }
}
