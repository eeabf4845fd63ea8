//! What transcripts of all agents have in common (pure).

use super::{Content, Image, Payload};
use serde_json::Value;

/// Maximum length of a message's text, in bytes: of more, the beginning is shown.
const MAX_TEXT: usize = 64 << 10;
/// Maximum length of the line that stands for a folded tool, in characters.
const MAX_SUMMARY: usize = 160;
/// Fields of tools' inputs that say best what they do, the best first.
const TELLING: [&str; 9] =
    ["command", "cmd", "file_path", "path", "pattern", "query", "url", "description", "prompt"];

/// The beginning of a text, with a mark if it is not all.
pub fn bounded(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = (0..=MAX_TEXT).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    format!("{}\n…", &text[..end])
}

/// The first line that says something.
pub fn summary(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut chars = line.chars();
    let start: String = chars.by_ref().take(MAX_SUMMARY).collect();
    if chars.next().is_some() { start + "…" } else { start }
}

/// A tool that was used, with what it was given.
pub fn call(id: &str, tool: &str, input: &Value) -> (Content, Payload) {
    let telling = TELLING.iter().find_map(|field| words(&input[*field]));
    let any = || input.as_object()?.values().find_map(words);
    let text = match input {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        input => serde_json::to_string_pretty(input).unwrap_or_default(),
    };
    let line = telling.or_else(any).unwrap_or_else(|| text.clone());
    let (id, tool) = (summary(id), summary(tool));
    let content = Content::Call { id, tool, summary: summary(&line), size: text.len() };
    (content, Payload { text, images: Vec::new() })
}

/// What a tool gave.
pub fn result(id: &str, failed: bool, given: Payload) -> (Content, Payload) {
    let (size, images) = (given.text.len(), given.images.len());
    let summary_line = summary(&given.text);
    (Content::Result { id: summary(id), failed, summary: summary_line, size, images }, given)
}

/// A text, or a list of words.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(parts) => {
            let parts: Option<Vec<&str>> = parts.iter().map(Value::as_str).collect();
            parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join(" "))
        }
        _ => None,
    }
}

/// The texts and images of a content: a text, or blocks of a `type`.
pub fn payload(content: &Value) -> Payload {
    let mut payload = Payload::default();
    let mut add = |text: &str| {
        if !payload.text.is_empty() {
            payload.text.push('\n');
        }
        payload.text.push_str(text);
    };
    match content {
        Value::String(text) => add(text),
        Value::Array(blocks) => {
            for block in blocks {
                if let Some(text) = block["text"].as_str() {
                    add(text);
                }
            }
            payload.images = blocks.iter().filter_map(image).collect();
        }
        _ => {}
    }
    payload
}

/// An image block, as the APIs of Anthropic, `OpenAI` and Google have them, and pi.
fn image(block: &Value) -> Option<Image> {
    let forms =
        [(&block["source"], "media_type"), (&block["inlineData"], "mimeType"), (block, "mimeType")];
    for (block, kind) in forms {
        if let (Some(media_type), Some(data)) = (block[kind].as_str(), block["data"].as_str()) {
            return Some(Image { media_type: media_type.to_owned(), data: data.to_owned() });
        }
    }
    let url = block["image_url"].as_str()?.strip_prefix("data:")?;
    let (media_type, data) = url.split_once(";base64,")?;
    Some(Image { media_type: media_type.to_owned(), data: data.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tool_is_summed_up_by_what_says_most() {
        let (content, payload) =
            call("1", "Bash", &json!({"timeout": 5, "command": "\n ls -l\nx"}));
        let Content::Call { summary, size, .. } = content else { panic!() };
        assert_eq!((summary.as_str(), size), ("ls -l", payload.text.len()));
        let of = |input: Value| match call("1", "t", &input).0 {
            Content::Call { summary, .. } => summary,
            other => panic!("{other:?}"),
        };
        assert_eq!(of(json!({"command": ["git", "status"]})), "git status");
        assert_eq!(of(json!({"zone": "UTC"})), "UTC");
        assert_eq!(of(json!({"n": 1})), "{");
        assert_eq!(of(json!("*** Begin Patch\nx")), "*** Begin Patch");
        assert_eq!(of(Value::Null), "");
        assert_eq!(of(json!({"cmd": "é".repeat(300)})).chars().count(), MAX_SUMMARY + 1);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "é".repeat(MAX_TEXT);
        let cut = bounded(&text);
        assert!(cut.len() <= MAX_TEXT + 4 && cut.ends_with("é\n…"), "{}", cut.len());
        assert_eq!(bounded("short"), "short");
    }

    #[test]
    fn texts_and_images_of_a_content_are_found() {
        let blocks = json!([
            {"type": "text", "text": "a"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}},
            {"type": "input_image", "image_url": "data:image/jpeg;base64,Qg=="},
            {"type": "input_image", "image_url": "https://example.org/x.png"},
            {"type": "output_text", "text": "b"},
            7,
        ]);
        let payload = payload(&blocks);
        assert_eq!(payload.text, "a\nb");
        let types: Vec<&str> = payload.images.iter().map(|image| &*image.media_type).collect();
        assert_eq!(types, ["image/png", "image/jpeg"]);
    }
}
