//! What a line of a rollout says (pure).

use crate::agent::messages::{Content, Line, Payload, Said, text};
use serde::Deserialize;
use serde_json::Value;

/// What begins texts that the program itself puts among the user's.
const OWN: [&str; 6] = [
    "<environment_context>",
    "<user_instructions>",
    "<skills_instructions>",
    "<turn_aborted>",
    "<permissions instructions>",
    "# AGENTS.md instructions",
];

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Option<String>,
    #[serde(default)]
    payload: Value,
}

/// What a line says to a reader; `None` if nothing.
pub(super) fn said(line: &[u8]) -> Option<Line> {
    // Other lines repeat what these say.
    let is_wanted = |kind: &&[u8]| memchr::memmem::find(line, kind).is_some();
    let kinds: [&[u8]; 3] =
        [br#""type":"response_item""#, br#""type":"compacted""#, br#""type":"turn_aborted""#];
    kinds.iter().any(is_wanted).then_some(())?;
    let entry: Entry = serde_json::from_slice(line).ok()?;
    let said = match entry.kind.as_str() {
        "response_item" => item(&entry.payload),
        "compacted" => note("Conversation compacted"),
        "event_msg" if entry.payload["type"] == "turn_aborted" => note("Interrupted"),
        _ => Vec::new(),
    };
    (!said.is_empty()).then_some(Line { time: entry.timestamp, said })
}

fn item(item: &Value) -> Said {
    let word = |field: &str| item[field].as_str().unwrap_or_default();
    let one = match word("type") {
        "message" => message(word("role"), text::payload(&item["content"])),
        "reasoning" => {
            let summary = text::payload(&item["summary"]).text;
            let text =
                if summary.is_empty() { text::payload(&item["content"]).text } else { summary };
            let content = Content::Thought { text: text::bounded(&text) };
            (!text.trim().is_empty()).then_some((content, Payload::default()))
        }
        "function_call" => {
            let arguments = serde_json::from_str(word("arguments"));
            let arguments = arguments.unwrap_or_else(|_| item["arguments"].clone());
            Some(text::call(word("call_id"), word("name"), &arguments))
        }
        "custom_tool_call" => Some(text::call(word("call_id"), word("name"), &item["input"])),
        "local_shell_call" => Some(text::call(word("call_id"), "shell", &item["action"])),
        "web_search_call" => Some(text::call(word("id"), "web search", &item["action"])),
        "function_call_output" | "custom_tool_call_output" => {
            let (given, failed) = output(&item["output"]);
            Some(text::result(word("call_id"), failed, given))
        }
        _ => None,
    };
    one.into_iter().collect()
}

fn message(role: &str, given: Payload) -> Option<(Content, Payload)> {
    let words = given.text.trim();
    let images = given.images.len();
    match role {
        "user" if OWN.iter().any(|own| words.starts_with(own)) => None,
        "user" if !words.is_empty() || images > 0 => {
            Some((Content::Prompt { text: text::bounded(words), images }, given))
        }
        "assistant" if !words.is_empty() => {
            Some((Content::Answer { text: text::bounded(words) }, Payload::default()))
        }
        _ => None,
    }
}

/// What a tool gave, and whether it failed: a text, blocks, or JSON in a text that has the exit code beside it.
fn output(value: &Value) -> (Payload, bool) {
    let given = text::payload(value);
    let inner =
        serde_json::from_str::<Value>(&given.text).ok().filter(|inner| inner["output"].is_string());
    if let Some(inner) = inner {
        let failed = inner["metadata"]["exit_code"].as_i64().is_some_and(|code| code != 0);
        return (text::payload(&inner["output"]), failed);
    }
    let mut head = given.text.lines().take(8);
    let code = head.find_map(|line| line.strip_prefix("Process exited with code "));
    let failed = code.is_some_and(|code| code.trim() != "0");
    (given, failed)
}

fn note(text: &str) -> Said {
    vec![(Content::Note { text: text.to_owned() }, Payload::default())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(payload: &Value) -> Vec<Content> {
        let line = json!({"type": "response_item", "timestamp": "2026-11-29T19:38:00Z", "payload": payload});
        let line = said(line.to_string().as_bytes()).unwrap_or_default();
        line.said.into_iter().map(|(content, _)| content).collect()
    }

    #[test]
    fn prompts_and_answers_are_what_was_said() {
        let said = |role: &str, text: &str| {
            of(
                &json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}),
            )
        };
        assert_eq!(said("user", "hello"), [Content::Prompt { text: "hello".into(), images: 0 }]);
        assert_eq!(said("assistant", "hi"), [Content::Answer { text: "hi".into() }]);
        assert_eq!(said("developer", "rules"), []);
        assert_eq!(said("user", "<environment_context>\n<cwd>/x</cwd>"), []);
        assert_eq!(
            of(&json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]})),
            [Content::Thought { text: "hm".into() }]
        );
        assert_eq!(of(&json!({"type": "reasoning", "summary": [], "encrypted_content": "x"})), []);
    }

    #[test]
    fn tools_say_what_they_do_and_whether_they_failed() {
        let call = of(
            &json!({"type": "function_call", "name": "exec_command", "arguments": "{\"cmd\": \"echo hi\"}", "call_id": "c"}),
        );
        let Content::Call { tool, summary, .. } = &call[0] else { panic!("{call:?}") };
        assert_eq!((tool.as_str(), summary.as_str()), ("exec_command", "echo hi"));
        let result = |output: Value| match &of(
            &json!({"type": "function_call_output", "call_id": "c", "output": output}),
        )[0]
        {
            Content::Result { failed, summary, .. } => (*failed, summary.clone()),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            result(json!("Chunk ID: a\nProcess exited with code 0\nOutput:\nhi")),
            (false, "Chunk ID: a".into())
        );
        assert!(result(json!("Chunk ID: a\nProcess exited with code 2\nOutput:\nhi")).0);
        let wrapped = json!({"output": "no\n", "metadata": {"exit_code": 1}}).to_string();
        assert_eq!(result(json!(wrapped)), (true, "no".into()));
        assert_eq!(result(json!([{"type": "input_text", "text": "a"}])), (false, "a".into()));
        let patch = of(
            &json!({"type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin Patch\n", "call_id": "c"}),
        );
        assert!(matches!(&patch[0], Content::Call { summary, .. } if summary == "*** Begin Patch"));
    }

    #[test]
    fn what_happened_to_the_conversation_is_a_note() {
        let of = |line: Value| said(line.to_string().as_bytes()).map(|line| line.said.len());
        assert_eq!(of(json!({"type": "compacted", "payload": {"message": ""}})), Some(1));
        assert_eq!(of(json!({"type": "event_msg", "payload": {"type": "turn_aborted"}})), Some(1));
        assert_eq!(of(json!({"type": "event_msg", "payload": {"type": "token_count"}})), None);
        assert_eq!(said(b"nonsense"), None);
    }
}
