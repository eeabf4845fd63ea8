//! A file of our own that makes an agent call our hook (pure): where an agent reads every file of a directory
//! (Copilot CLI's hooks), or runs what it finds there in its own process (pi's extensions, opencode's plugins).
//! Code that runs in an agent starts the hook apart from it and never waits for it.

use super::edit::pretty;
use crate::agent::machine;
use crate::text::shell_quote::{QUIETLY, shell_line};
use serde_json::{Value, json};
use std::ffi::OsStr;

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnFile {
    Copilot,
    Opencode,
    Pi,
}

/// Copilot's events that are of use: `sessionEnd` comes for `/clear`, too, with the same reason.
const COPILOT_EVENTS: [&str; 3] = ["sessionStart", "userPromptSubmitted", "agentStop"];
/// How long Copilot waits at most, in seconds.
const TIMEOUT: u32 = 5;

/// How a file of code begins, before the check of the rest of it.
const MARK: &str = "// terminal-lobby ";
const ABOUT: &str =
    ": written by 'persist hook --install', removed by 'persist hook --uninstall'\n";

const PI: &str = include_str!("pi_extension.ts");
const OPENCODE: &str = include_str!("opencode_plugin.js");

impl OwnFile {
    /// The file's text. `command` are the words that run our hook.
    pub fn text(self, command: &[String]) -> String {
        let code = match self {
            Self::Copilot => return copilot(command),
            Self::Opencode => OPENCODE,
            Self::Pi => PI,
        };
        let code = code.replace("[\"COMMAND\"]", &Value::from(command).to_string());
        format!("{MARK}{:016x}{ABOUT}{code}", check(&code))
    }

    /// Whether a text is one that this program wrote, of this version or another, and nobody changed since.
    pub fn is_ours(self, text: &str) -> bool {
        if self == Self::Copilot {
            return serde_json::from_str(text).is_ok_and(|file: Value| is_all_ours(&file));
        }
        let written = || {
            let (sum, code) = text.strip_prefix(MARK)?.split_once(ABOUT)?;
            Some(u64::from_str_radix(sum, 16).ok()? == check(code))
        };
        written().unwrap_or(false)
    }
}

fn copilot(command: &[String]) -> String {
    let words: Vec<&OsStr> = command.iter().map(OsStr::new).collect();
    let line = String::from_utf8_lossy(&shell_line(&words)).into_owned() + QUIETLY;
    let entry = json!([{"type": "command", "bash": line, "timeoutSec": TIMEOUT}]);
    let hooks: serde_json::Map<_, _> =
        COPILOT_EVENTS.iter().map(|event| ((*event).to_owned(), entry.clone())).collect();
    pretty(&json!({"version": 1, "hooks": hooks}), "  ", "") + "\n"
}

/// Whether a file of Copilot's holds our commands and nothing else.
fn is_all_ours(file: &Value) -> bool {
    let Some(members) = file.as_object() else { return false };
    let hooks = file["hooks"].as_object();
    let is_known = |name: &String| name == "version" || name == "hooks";
    let is_ours = |entry: &Value| entry["bash"].as_str().is_some_and(machine::is_ours);
    let ours = |list: &Value| list.as_array().is_some_and(|list| list.iter().all(is_ours));
    members.keys().all(is_known)
        && hooks.is_some_and(|hooks| !hooks.is_empty() && hooks.values().all(ours))
}

/// FNV-1a, 64 bits: only to see whether the text was changed.
fn check(text: &str) -> u64 {
    let step = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_again_and_what_was_changed_is_not_ours() {
        let command = |program: &str| {
            machine::command_words(
                std::path::Path::new(program),
                "pi",
                &["--socket".into(), "a\"b".into()],
            )
            .unwrap()
        };
        for kind in [OwnFile::Copilot, OwnFile::Opencode, OwnFile::Pi] {
            let text = kind.text(&command("/usr/bin/persist"));
            assert!(kind.is_ours(&text), "{text}");
            assert!(text.contains("/usr/bin/persist") && !text.contains("COMMAND"), "{text}");
            assert!(kind.is_ours(&kind.text(&command("/o'p/persist"))));
            assert!(!kind.is_ours(&text.replacen("hook", "hooks", 2)), "{kind:?}");
            assert!(!kind.is_ours(&format!("{text}// mine\n")) && !kind.is_ours(""), "{kind:?}");
        }
        let mixed =
            r#"{"version": 1, "hooks": {"agentStop": [{"type": "command", "bash": "theirs"}]}}"#;
        assert!(!OwnFile::Copilot.is_ours(mixed));
    }
}
