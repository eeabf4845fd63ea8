//! Qwen Code: one message a line, with the parts of Gemini's API.

use super::{line, note, parts, response, word};
use crate::agent::messages::Line;
use serde_json::Value;

/// What a line says to a reader; `None` if nothing.
pub(in crate::agent::further) fn said(bytes: &[u8]) -> Option<Line> {
    let entry: Value = serde_json::from_slice(bytes).ok()?;
    let of = entry["message"]["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let said = match word(&entry["type"]) {
        "user" => parts(of, true),
        "assistant" => parts(of, false),
        "tool_result" => {
            let status = entry["toolCallResult"]["status"].as_str();
            let failed = status.map(|status| status != "success");
            let given = of.iter().filter(|part| part["functionResponse"].is_object());
            given.map(|part| response(&part["functionResponse"], failed)).collect()
        }
        "system" if entry["subtype"] == "chat_compression" => vec![note("Conversation compacted")],
        _ => Vec::new(),
    };
    line(&entry["timestamp"], said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::further::messages::tests::shown;
    use serde_json::json;

    #[test]
    fn what_was_said_and_done_is_read() {
        let of = |kind: &str, parts: Value| {
            shown(said, &json!({"type": kind, "message": {"role": "x", "parts": parts}}))
        };
        assert_eq!(of("user", json!([{"text": "do it"}])), [('p', "do it".to_owned())]);
        assert_eq!(of("user", json!([{"text": "<system-reminder>x"}])), []);
        let image = json!({"inlineData": {"mimeType": "image/png", "data": "QQ=="}});
        assert_eq!(of("user", json!([{"text": "see"}, image])), [('p', "see+".to_owned())]);
        let call = json!({"functionCall": {"id": "c", "name": "run_shell_command", "args": {"command": "ls"}}});
        assert_eq!(
            of("assistant", json!([{"text": "hm", "thought": true}, {"text": "so"}, call])),
            [
                ('t', "hm".to_owned()),
                ('a', "so".to_owned()),
                ('c', "run_shell_command: ls".to_owned())
            ]
        );
        let result = |status: &str| {
            let given =
                json!({"functionResponse": {"id": "c", "name": "t", "response": {"output": "x"}}});
            let message = json!({"role": "user", "parts": [given]});
            shown(
                said,
                &json!({"type": "tool_result", "message": message, "toolCallResult": {"status": status}}),
            )
        };
        assert_eq!(result("success"), [('r', "x".to_owned())]);
        assert_eq!(result("error"), [('f', "x".to_owned())]);
        let compacted = json!({"type": "system", "subtype": "chat_compression"});
        assert_eq!(shown(said, &compacted), [('n', "Conversation compacted".to_owned())]);
        assert_eq!(shown(said, &json!({"type": "system", "subtype": "ui_telemetry"})), []);
    }
}
