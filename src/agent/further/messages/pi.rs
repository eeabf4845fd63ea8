//! pi: entries of a tree, one a line; messages have the blocks of its own API.

use super::{answer, line, note, prompt, thought, word};
use crate::agent::messages::{Line, Said, text};
use serde_json::Value;

/// What a line says to a reader; `None` if nothing.
pub(in crate::agent::further) fn said(bytes: &[u8]) -> Option<Line> {
    let entry: Value = serde_json::from_slice(bytes).ok()?;
    let said = match word(&entry["type"]) {
        "message" => message(&entry["message"]),
        "compaction" => vec![note("Conversation compacted")],
        _ => Vec::new(),
    };
    line(&entry["timestamp"], said)
}

fn message(message: &Value) -> Said {
    let given = text::payload(&message["content"]);
    match word(&message["role"]) {
        "user" => prompt(given).into_iter().collect(),
        "assistant" => {
            let blocks = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
            let block = |block: &Value| match word(&block["type"]) {
                "text" => answer(word(&block["text"])),
                "thinking" => thought(word(&block["thinking"])),
                "toolCall" => {
                    let (id, name) = (word(&block["id"]), word(&block["name"]));
                    Some(text::call(id, name, &block["arguments"]))
                }
                _ => None,
            };
            let said = blocks.iter().filter_map(block);
            let error = message["errorMessage"].as_str().map(|error| note(&text::summary(error)));
            said.chain(error).collect()
        }
        "toolResult" => {
            let id = word(&message["toolCallId"]);
            vec![text::result(id, message["isError"] == true, given)]
        }
        // A command that the person ran by `!`.
        "bashExecution" => {
            let command = word(&message["command"]);
            let failed = message["exitCode"].as_i64().is_some_and(|code| code != 0);
            let output = text::payload(&message["output"]);
            vec![text::call("", "!", &command.into()), text::result("", failed, output)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::further::messages::tests::shown;
    use serde_json::json;

    fn of(message: &Value) -> Vec<(char, String)> {
        shown(
            said,
            &json!({"type": "message", "timestamp": "2026-11-29T23:31:34Z", "message": message}),
        )
    }

    #[test]
    fn what_was_said_and_done_is_read() {
        let image = json!({"type": "image", "data": "QQ==", "mimeType": "image/png"});
        let user = json!({"role": "user", "content": [{"type": "text", "text": "look"}, image]});
        assert_eq!(of(&user), [('p', "look+".to_owned())]);
        assert_eq!(of(&json!({"role": "user", "content": "plain"})), [('p', "plain".to_owned())]);
        let call =
            json!({"type": "toolCall", "id": "c", "name": "bash", "arguments": {"command": "ls"}});
        let blocks = [
            json!({"type": "thinking", "thinking": "hm"}),
            json!({"type": "text", "text": "so"}),
            call,
        ];
        assert_eq!(
            of(&json!({"role": "assistant", "content": blocks})),
            [('t', "hm".to_owned()), ('a', "so".to_owned()), ('c', "bash: ls".to_owned())]
        );
        let result = |error: bool| json!({"role": "toolResult", "toolCallId": "c", "content": [{"type": "text", "text": "x\n"}], "isError": error});
        assert_eq!(of(&result(false)), [('r', "x".to_owned())]);
        assert_eq!(of(&result(true)), [('f', "x".to_owned())]);
        let failed = json!({"role": "assistant", "content": [], "errorMessage": "no credit"});
        assert_eq!(of(&failed), [('n', "no credit".to_owned())]);
    }
}
