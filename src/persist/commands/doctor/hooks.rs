//! Checks whether agents call our hook.

use crate::agent::settings::terminal_title;
use crate::persist::commands::hook_install::place::{self, What};
use crate::persist::context::Context;
use crate::persist::report::Check;
use crate::sys::FileError;
use crate::sys::fs;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Our file among the machine's settings.
const MACHINE: &str = "etc/claude-code/managed-settings.d/50-terminal-lobby.json";
/// The user's own settings.
const USER: &str = ".claude/settings.json";
/// Maximum size of a settings file, in bytes.
const MAX: u64 = 4 << 20;

/// Searches our hook in the machine's settings, then in the user's.
pub(crate) fn agents(root: &Path, home: &Path) -> Check {
    let read = |path: &Path| match fs::read(path, MAX) {
        Ok(text) => Some(Ok(text)),
        Err(error) if error.is_not_found() => None,
        Err(error) => Some(Err(SettingsError::File(error))),
    };
    judge(read(&root.join(MACHINE)), read(&home.join(USER)))
}

/// The bytes of a settings file; `None` if there is none.
type File = Option<Result<Vec<u8>, SettingsError>>;

/// Why settings cannot be checked.
#[derive(Debug, thiserror::Error)]
enum SettingsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the settings are not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Checks whether Codex shows its thread in its pane's title.
pub(crate) fn codex_title(home: &Path) -> Check {
    const NAME: &str = "codex title";
    let file = std::env::var_os("CODEX_HOME").map_or_else(|| home.join(".codex"), Into::into);
    let config = fs::read(&file.join("config.toml"), MAX).unwrap_or_default();
    if terminal_title::shows_thread(&String::from_utf8_lossy(&config)) {
        return Check::ok(NAME, "shows the thread of each pane");
    }
    let what = "Codex does not show its thread in the title of its pane: with its shared daemon \
                nothing else says which pane runs which thread";
    Check::warn(NAME, what, "persist hook --install --agent codex")
}

/// Checks the hooks of the other agents: of those that are installed, and of those that the newest snapshot
/// has.
pub(crate) fn others(context: &Context, found: &[PathBuf]) -> Vec<Check> {
    let saved: BTreeSet<Vec<u8>> = saved(context).into_iter().collect();
    let is_seen = |agent: &&str| {
        found.iter().any(|program| program.ends_with(agent)) || saved.contains(agent.as_bytes())
    };
    let others = place::AGENTS.into_iter().filter(|agent| !["claude", "codex"].contains(agent));
    others.filter(is_seen).filter_map(|agent| other(agent, &context.account.home)).collect()
}

/// The agents in the newest snapshot.
fn saved(context: &Context) -> Vec<Vec<u8>> {
    let newest =
        context.store().ok().flatten().and_then(|store| store.newest(&mut Vec::new()).ok()?);
    let rows = newest.map(|(_, stored)| stored.snapshot.rows).unwrap_or_default();
    rows.into_iter().filter_map(|row| row.agent).collect()
}

fn other(agent: &str, home: &Path) -> Option<Check> {
    let place = place::of(agent)?;
    let (variables, default) = place.dir;
    let named = variables.iter().find_map(|(name, below)| {
        Some(PathBuf::from(std::env::var_os(name)?).join(below)).filter(|dir| dir.is_absolute())
    });
    let file = named.unwrap_or_else(|| home.join(default)).join(place.file);
    let text = fs::read(&file, MAX).ok();
    let name = format!("{agent} hook");
    let is_there = text.is_some_and(|text| match place.what {
        What::Entries { .. } => is_installed(&text).unwrap_or(false),
        What::OwnFile(kind) => kind.is_ours(&String::from_utf8_lossy(&text)),
    });
    if is_there {
        return Some(Check::ok(&name, "installed for this user"));
    }
    let what = match agent {
        "copilot" => "a change of its conversation is saved only by the timer",
        "gemini" | "qwen" => "which conversation it runs is known from its arguments only",
        _ => "which conversation it runs is not known if several run in a directory",
    };
    Some(Check::warn(&name, what, format!("persist hook --install --agent {agent}")))
}

fn judge(machine: File, user: File) -> Check {
    const NAME: &str = "agent hooks";
    let mut why = String::new();
    for (file, place) in [(machine, "for the whole machine"), (user, "for this user")] {
        match file.map(|text| text.and_then(|text| Ok(is_installed(&text)?))) {
            Some(Ok(true)) => return Check::ok(NAME, format!("installed {place}")),
            Some(Err(error)) => why = format!("; {error}"),
            Some(Ok(false)) | None => {}
        }
    }
    let what = format!("agents do not report when their conversation changes{why}");
    Check::warn(NAME, what, "persist hook --install")
}

/// Whether a command of ours is among the hooks of these settings.
fn is_installed(settings: &[u8]) -> Result<bool, serde_json::Error> {
    let settings: Value = serde_json::from_slice(settings)?;
    Ok(settings.get("hooks").is_some_and(runs_ours))
}

fn runs_ours(value: &Value) -> bool {
    let is_ours = |command: &str| command.contains("persist") && command.contains(" hook");
    match value {
        Value::Array(items) => items.iter().any(runs_ours),
        Value::Object(members) => members.iter().any(|(key, value)| match value {
            Value::String(command) if key == "command" => is_ours(command),
            value => runs_ours(value),
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;

    #[test]
    fn a_hook_of_ours_counts_wherever_it_is_installed_and_no_other_does() {
        let installed = |command: &str| {
            let hook = serde_json::json!({"hooks": {"SessionStart": [{"hooks": [
                {"type": "command", "command": command}]}]}});
            Some(Ok(hook.to_string().into_bytes()))
        };
        let ours = || installed("/usr/bin/persist hook");
        let unreadable = FileError::refused("reading", "/settings.json", "unreadable");
        assert_eq!(judge(ours(), None).state, CheckState::Ok);
        assert_eq!(judge(installed("date"), ours()).state, CheckState::Ok);
        assert_eq!(judge(Some(Err(unreadable.into())), ours()).state, CheckState::Ok);
        assert_eq!(judge(None, installed("date")).state, CheckState::Warn);
        let broken = judge(None, Some(Ok(b"{".to_vec())));
        assert!(broken.what.contains("not valid JSON"), "{broken:?}");
        assert_eq!(broken.fix.as_deref(), Some("persist hook --install"));
    }
}
