//! The options of each agent (pure).

use super::further::{AIDER, COPILOT, GEMINI, OPENCODE, PI, QWEN};
use super::table::{CLAUDE, CODEX, Spec, Takes, find};

/// The options of an agent; `None` if they are unknown.
pub(super) fn of(agent: &str) -> Option<&'static [Spec]> {
    match agent {
        "claude" => Some(CLAUDE),
        "codex" => Some(CODEX),
        "copilot" => Some(COPILOT),
        "gemini" => Some(GEMINI),
        "opencode" => Some(OPENCODE),
        "pi" => Some(PI),
        "qwen" => Some(QWEN),
        "aider" => Some(AIDER),
        _ => None,
    }
}

/// What is known of a spelling of an agent's option: how its help shows the values.
pub(super) fn shown(agent: &str, name: &str) -> Option<&'static str> {
    Some(match find(of(agent)?, name.as_bytes())?.takes {
        Takes::Nothing => "",
        Takes::One => "<>",
        Takes::PerhapsOne => "[]",
        Takes::Many => "...",
    })
}

/// All spellings that are known of an agent's options.
#[cfg(test)]
pub(super) fn names(agent: &str) -> Vec<&'static str> {
    of(agent).unwrap_or_default().iter().flat_map(|spec| spec.names).copied().collect()
}
