//! Copilot CLI: events, one a line. What its sub-agents say names the tool call that they belong to, and is left out.

use super::{answer, line, note, prompt, thought, word};
use crate::agent::messages::{Line, Said, text};
use serde_json::Value;

/// What a line says to a reader; `None` if nothing.
pub(in crate::agent::further) fn said(bytes: &[u8]) -> Option<Line> {
    let event: Value = serde_json::from_slice(bytes).ok()?;
    let data = &event["data"];
    if data["parentToolCallId"].is_string() {
        return None;
    }
    let id = word(&data["toolCallId"]);
    let said: Said = match word(&event["type"]) {
        "user.message" => prompt(text::payload(&data["content"])).into_iter().collect(),
        "assistant.message" => {
            let thoughts = thought(word(&data["reasoningText"]));
            thoughts.into_iter().chain(answer(word(&data["content"]))).collect()
        }
        "tool.execution_start" => vec![text::call(id, word(&data["toolName"]), &data["arguments"])],
        "tool.execution_complete" => {
            let given = [&data["result"]["content"], &data["error"]["message"]];
            let given = given.into_iter().find(|text| text.is_string()).unwrap_or(&Value::Null);
            vec![text::result(id, data["success"] == false, text::payload(given))]
        }
        "session.compaction_complete" => vec![note("Conversation compacted")],
        "session.error" => vec![note(&text::summary(word(&data["message"])))],
        "abort" => vec![note("Interrupted")],
        _ => Vec::new(),
    };
    line(&event["timestamp"], said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::further::messages::tests::shown;
    use serde_json::json;

    #[test]
    fn what_was_said_and_done_is_read() {
        let of = |kind: &str, data: Value| shown(said, &json!({"type": kind, "data": data}));
        assert_eq!(
            of("user.message", json!({"content": "do it", "transformedContent": "<x>do it"})),
            [('p', "do it".to_owned())]
        );
        let message = json!({"content": "so", "reasoningText": "hm"});
        assert_eq!(
            of("assistant.message", message),
            [('t', "hm".to_owned()), ('a', "so".to_owned())]
        );
        assert_eq!(of("assistant.message", json!({"content": "sub", "parentToolCallId": "c"})), []);
        let call = json!({"toolCallId": "c", "toolName": "bash", "arguments": {"command": "ls"}});
        assert_eq!(of("tool.execution_start", call), [('c', "bash: ls".to_owned())]);
        let result = json!({"toolCallId": "c", "success": true, "result": {"content": "x"}});
        assert_eq!(of("tool.execution_complete", result), [('r', "x".to_owned())]);
        let failed = json!({"toolCallId": "c", "success": false, "error": {"message": "no"}});
        assert_eq!(of("tool.execution_complete", failed), [('f', "no".to_owned())]);
        assert_eq!(of("abort", json!({"reason": "user"})), [('n', "Interrupted".to_owned())]);
        assert_eq!(of("system.message", json!({"content": "You are"})), []);
    }
}
