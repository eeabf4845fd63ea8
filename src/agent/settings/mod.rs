//! Our hook in an agent's settings (pure): put into the text of a JSON file, found there and taken
//! out, with every other byte left as it is. Claude Code, Codex, Gemini CLI and Qwen Code read one format:
//! `{"hooks": {"<event>": [{"hooks": [{"type": "command", "command": "...", "timeout": 5}]}]}}`.

mod edit;
mod json_spans;
pub mod own_file;
pub mod terminal_title;

use edit::{add, check, find, group, is_installed, pretty};
use serde_json::json;

/// What is left of a file that held nothing but our hook: it did not exist before.
const NOTHING_ELSE: &str = "{\n}\n";

/// Our command, and the events that it is for.
#[derive(Debug, Clone, Copy)]
pub struct HookCommand<'a> {
    /// The agent's names of the events.
    pub events: &'a [&'a str],
    pub command: &'a str,
    /// How long the agent waits for it at most, in the agent's unit; it takes some milliseconds.
    pub timeout: u32,
    /// Whether a command line is ours, of this version or another.
    pub is_ours: fn(&str) -> bool,
}

/// Why a text cannot be changed; it is left alone then.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It is not JSON. The source's own text names line and column again.
    #[error("line {line}: {source}")]
    Syntax { line: usize, source: serde_json::Error },
    /// Something in it is not what the agent's format has there.
    #[error("{0}")]
    Shape(String),
}

/// The text with our command for each event, once: beside what is there, as the last of each.
pub fn install(text: Option<&str>, hook: &HookCommand<'_>) -> Result<String, SettingsError> {
    let Some(text) = text else { return Ok(alone(hook)) };
    let mut text = text.to_owned();
    check(&text)?;
    for event in hook.events {
        if !is_installed(&text, event, hook)? {
            while let Some(cut) = find(&text, Some(event), hook)? {
                text.replace_range(cut, "");
            }
            text = add(&text, event, hook)?;
        }
    }
    Ok(text)
}

/// The text without any command of ours; `None` when nothing is left that was there before it.
pub fn uninstall(text: &str, hook: &HookCommand<'_>) -> Result<Option<String>, SettingsError> {
    check(text)?;
    let mut left = text.to_owned();
    while let Some(cut) = find(&left, None, hook)? {
        left.replace_range(cut, "");
    }
    let made_by_us = left == NOTHING_ELSE && left != text && text.starts_with("{\n");
    Ok((!made_by_us).then_some(left))
}

/// A file that holds nothing but ours.
pub fn alone(hook: &HookCommand<'_>) -> String {
    let events: serde_json::Map<_, _> =
        hook.events.iter().map(|event| ((*event).to_owned(), json!([group(hook)]))).collect();
    pretty(&json!({ "hooks": events }), "  ", "") + "\n"
}

#[cfg(test)]
mod tests;
