//! Gemini CLI: one message a line. A message that uses tools is written twice with the same id: what it says when it
//! was said, and with its tools once they have ended; so of a line with tools only these count.

use super::{answer, id_of, line, note, parts, thought, word};
use crate::agent::messages::{Line, Said, text};
use serde_json::Value;

/// What a line says to a reader; `None` if nothing.
pub(in crate::agent::further) fn said(bytes: &[u8]) -> Option<Line> {
    let entry: Value = serde_json::from_slice(bytes).ok()?;
    let said = match word(&entry["type"]) {
        "user" => match &entry["content"] {
            Value::Array(of) => parts(of, true),
            content => parts(&[serde_json::json!({ "text": content })], true),
        },
        "gemini" => model(&entry),
        "error" => vec![note(&text::summary(&text::payload(&entry["content"]).text))],
        _ => Vec::new(),
    };
    line(&entry["timestamp"], said)
}

fn model(entry: &Value) -> Said {
    let of = |field: &str| entry[field].as_array().map(Vec::as_slice).unwrap_or_default();
    let calls = of("toolCalls");
    if !calls.is_empty() {
        let call = |call: &Value| text::call(id_of(call), word(&call["name"]), &call["args"]);
        return calls.iter().map(call).collect();
    }
    let thoughts = of("thoughts").iter().map(|thought| {
        let [subject, description] = [&thought["subject"], &thought["description"]].map(word);
        format!("{subject}\n{description}")
    });
    let thoughts = thoughts.collect::<Vec<_>>().join("\n\n");
    let words = text::payload(&entry["content"]).text;
    thought(&thoughts).into_iter().chain(answer(&words)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::further::messages::tests::shown;
    use serde_json::json;

    #[test]
    fn what_was_said_and_done_is_read_once() {
        let of = |line: Value| shown(said, &line);
        assert_eq!(
            of(json!({"type": "user", "content": [{"text": "do it"}]})),
            [('p', "do it".to_owned())]
        );
        assert_eq!(of(json!({"type": "user", "content": "do it"})), [('p', "do it".to_owned())]);
        assert_eq!(of(json!({"type": "user", "content": [{"text": "<session_context>\nx"}]})), []);
        let thoughts = json!([{"subject": "Plan", "description": "first"}]);
        let first = json!({"id": "1", "type": "gemini", "content": "I look", "thoughts": thoughts});
        assert_eq!(of(first), [('t', "Plan\nfirst".to_owned()), ('a', "I look".to_owned())]);
        let calls = json!([{"id": "c", "name": "run_shell_command", "args": {"command": "ls"}}]);
        let again = json!({"id": "1", "type": "gemini", "content": "I look", "toolCalls": calls});
        assert_eq!(of(again), [('c', "run_shell_command: ls".to_owned())]);
        let given = |response: Value| json!({"type": "user", "content": [{"functionResponse": {"id": "c", "response": response}}]});
        assert_eq!(of(given(json!({"output": "x\ny"}))), [('r', "x".to_owned())]);
        assert_eq!(of(given(json!({"error": "no"}))), [('f', "no".to_owned())]);
        assert_eq!(of(json!({"$set": {"lastUpdated": "x"}})), []);
    }
}
