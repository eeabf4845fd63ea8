//! What lines of the other agents' transcripts say (pure): one file for each agent, as measured on the version that
//! the agent's own file names.

mod copilot;
mod gemini;
mod pi;
mod qwen;

pub(super) use copilot::said as copilot;
pub(super) use gemini::said as gemini;
pub(super) use pi::said as pi;
pub(super) use qwen::said as qwen;

use crate::agent::messages::{Content, Line, Payload, Said, text};
use serde_json::Value;

/// What begins texts that programs put among the user's.
const OWN: [&str; 5] = [
    "<session_context>",
    "<system-reminder>",
    "<environment_context>",
    "This is the Qwen Code",
    "This is the Gemini CLI",
];

/// What a line says, if it says anything.
fn line(time: &Value, said: Said) -> Option<Line> {
    (!said.is_empty()).then(|| Line { time: time.as_str().map(str::to_owned), said })
}

fn prompt(given: Payload) -> Option<(Content, Payload)> {
    let words = given.text.trim();
    let images = given.images.len();
    let is_own = OWN.iter().any(|own| words.starts_with(own));
    let says = !is_own && (!words.is_empty() || images > 0);
    let text = text::bounded(words);
    says.then_some((Content::Prompt { text, images }, given))
}

fn answer(words: &str) -> Option<(Content, Payload)> {
    let text = text::bounded(words.trim());
    (!text.is_empty()).then(|| (Content::Answer { text }, Payload::default()))
}

fn thought(words: &str) -> Option<(Content, Payload)> {
    let text = text::bounded(words.trim());
    (!text.is_empty()).then(|| (Content::Thought { text }, Payload::default()))
}

fn note(words: &str) -> (Content, Payload) {
    (Content::Note { text: words.to_owned() }, Payload::default())
}

/// The parts of a message as Gemini's API has them, which Qwen Code writes, too. `is_user` says who speaks.
fn parts(parts: &[Value], is_user: bool) -> Said {
    let mut said = Said::new();
    let (mut words, mut thoughts) = (Payload::default(), String::new());
    let add = |to: &mut String, text: &str| {
        if !to.is_empty() {
            to.push('\n');
        }
        to.push_str(text);
    };
    for part in parts {
        let text = part["text"].as_str();
        if let Some(text) = text.filter(|text| !OWN.iter().any(|own| text.starts_with(own))) {
            if part["thought"] == true {
                add(&mut thoughts, text);
            } else {
                add(&mut words.text, text);
            }
        } else if part["functionCall"].is_object() {
            let call = &part["functionCall"];
            said.push(text::call(id_of(call), word(&call["name"]), &call["args"]));
        } else if part["functionResponse"].is_object() {
            said.push(response(&part["functionResponse"], None));
        }
    }
    words.images = text::payload(&Value::Array(parts.to_vec())).images;
    let spoken = if is_user { prompt(words) } else { answer(&words.text) };
    thought(&thoughts).into_iter().chain(spoken).chain(said).collect()
}

/// What a tool gave, and whether it failed as far as the agent says so beside it.
fn response(response: &Value, failed: Option<bool>) -> (Content, Payload) {
    let given = &response["response"];
    let (error, output) = (given["error"].as_str(), given["output"].as_str());
    let payload = Payload {
        text: error.or(output).map_or_else(|| given.to_string(), str::to_owned),
        images: Vec::new(),
    };
    text::result(id_of(response), failed.unwrap_or(error.is_some()), payload)
}

fn id_of(value: &Value) -> &str {
    word(&value["id"])
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line says, each message as its kind and its text.
    pub(super) fn shown(read: fn(&[u8]) -> Option<Line>, line: &Value) -> Vec<(char, String)> {
        let said = read(line.to_string().as_bytes()).unwrap_or_default().said;
        let of = |(content, _)| match content {
            Content::Prompt { text, images } => ('p', format!("{text}{}", "+".repeat(images))),
            Content::Answer { text } => ('a', text),
            Content::Thought { text } => ('t', text),
            Content::Call { tool, summary, .. } => ('c', format!("{tool}: {summary}")),
            Content::Result { failed, summary, .. } => {
                (if failed { 'f' } else { 'r' }, summary.clone())
            }
            Content::Note { text } => ('n', text),
        };
        said.into_iter().map(of).collect()
    }

    #[test]
    fn nonsense_says_nothing() {
        for read in [copilot, gemini, pi, qwen] {
            for line in
                ["", "x", "{}", "[]", "7", r#"{"type":"user"}"#, r#"{"type":7,"message":[]}"#]
            {
                assert_eq!(read(line.as_bytes()), None, "{line}");
            }
        }
    }
}
