//! Our hook in the machine's settings of Claude Code (pure): one generator of that file for both
//! programs.

use super::settings::{self, HookCommand, SettingsError};
use crate::text::shell_quote::{QUIETLY, shell_line};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;

/// Where Claude Code reads settings of the machine's administrator.
pub const MANAGED: &str = "/etc/claude-code/managed-settings.json";
/// Where it reads more of them, each file for itself.
pub const DROP_INS: &str = "/etc/claude-code/managed-settings.d";
/// Our own file there.
pub const DROP_IN: &str = "50-terminal-lobby.json";
/// Events of Claude Code.
pub const EVENTS: [&str; 5] =
    ["SessionStart", "SessionEnd", "UserPromptSubmit", "Stop", "Notification"];

/// The path of this program cannot be written into an agent's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this program's path is not UTF-8")]
pub struct PathNotUtf8;

/// The command line that an agent runs: `program` by its path, so that the agent's PATH does not matter.
pub fn command(program: &Path, agent: &str, options: &[String]) -> Result<String, PathNotUtf8> {
    let words = command_words(program, agent, options)?;
    let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    let line = String::from_utf8(shell_line(&words));
    line.map(|line| line + QUIETLY).map_err(|_| PathNotUtf8)
}

/// The same as words, for what starts it without a shell.
pub fn command_words(
    program: &Path,
    agent: &str,
    options: &[String],
) -> Result<Vec<String>, PathNotUtf8> {
    let program = program.to_str().ok_or(PathNotUtf8)?;
    let words = [program, "hook", "--agent", agent].into_iter().map(str::to_owned);
    Ok(words.chain(options.iter().cloned()).collect())
}

/// Whether a command line was put there by this program, of any version.
pub fn is_ours(command: &str) -> bool {
    let ours = command.strip_suffix(QUIETLY).and_then(|line| line.split_once(" hook --agent "));
    ours.is_some_and(|(program, _)| program.trim_end_matches('\'').ends_with("/persist"))
}

/// Our own file with our hook for every event. Our command stays as it is if it is there already: it
/// may have been given options.
pub fn ensured(text: Option<&str>, command: &str) -> Result<String, SettingsError> {
    let there = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let there = there.as_ref().and_then(first_of_ours);
    let command = there.unwrap_or(command);
    settings::install(text, &HookCommand { events: &EVENTS, command, timeout: 5, is_ours })
}

fn first_of_ours(settings: &Value) -> Option<&str> {
    let groups = settings.get("hooks")?.as_object()?.values().filter_map(Value::as_array).flatten();
    let entries = groups.filter_map(|group| group.get("hooks")?.as_array()).flatten();
    entries.filter_map(|entry| entry.get("command")?.as_str()).find(|command| is_ours(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_of_ours_are_ours() {
        for (command, ours) in [
            ("/usr/bin/persist hook --agent claude >/dev/null 2>&1 || :", true),
            ("'/o p/persist' hook --agent codex --socket x >/dev/null 2>&1 || :", true),
            ("/usr/bin/persist hook --agent claude", false),
            ("/usr/bin/mypersist hook --agent claude >/dev/null 2>&1 || :", false),
            ("/usr/bin/persist save >/dev/null 2>&1 || :", false),
            ("", false),
        ] {
            assert_eq!(is_ours(command), ours, "{command}");
        }
    }

    #[test]
    fn what_is_ensured_needs_nothing_and_keeps_options_and_others() {
        let command = command(Path::new("/usr/bin/persist"), "claude", &[]).unwrap();
        let alone = ensured(None, &command).unwrap();
        assert_eq!(ensured(Some(&alone), &command).unwrap(), alone);
        let options = ["--socket".to_owned(), "x y".to_owned()];
        let other = super::command(Path::new("/opt/persist"), "claude", &options).unwrap();
        let theirs = ensured(None, &other).unwrap();
        assert_eq!(ensured(Some(&theirs), &command).unwrap(), theirs);
        let mixed = ensured(Some("{\n  \"env\": {}\n}\n"), &command).unwrap();
        assert!(mixed.contains("\"env\": {}") && mixed.contains(&command), "{mixed}");
        assert!(ensured(Some("{"), &command).is_err());
    }
}
