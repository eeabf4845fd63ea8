//! Whether agents tell of their conversations, by hooks.

use crate::persist::report::Check;
use crate::sys::fs;
use serde_json::Value;
use std::path::Path;

/// The drop-in of the machine.
const MACHINE: &str = "etc/claude-code/managed-settings.d/50-terminal-lobby.json";
/// The user's own settings.
const USER: &str = ".claude/settings.json";
/// No settings are larger (bytes).
const MAX: u64 = 4 << 20;

/// Looks for our hook in the machine's settings, then in the user's.
pub(crate) fn agents(root: &Path, home: &Path) -> Check {
    let read = |path: &Path| match fs::read(path, MAX) {
        Ok(text) => Some(Ok(text)),
        Err(error) if error.is_not_found() => None,
        Err(error) => Some(Err(error.to_string())),
    };
    judge(read(&root.join(MACHINE)), read(&home.join(USER)))
}

type File = Option<Result<Vec<u8>, String>>;

fn judge(machine: File, user: File) -> Check {
    const NAME: &str = "agent hooks";
    let mut why = String::new();
    for (file, place) in [(machine, "for the whole machine"), (user, "for this user")] {
        match file.map(|text| text.and_then(|text| is_wired(&text))) {
            Some(Ok(true)) => return Check::ok(NAME, format!("wired {place}")),
            Some(Err(error)) => why = format!("; {error}"),
            Some(Ok(false)) | None => {}
        }
    }
    let what = format!("no agent tells when its conversation changes{why}");
    Check::warn(NAME, what, "persist hook --install")
}

/// Whether a command of ours is among the hooks of these settings.
fn is_wired(settings: &[u8]) -> Result<bool, String> {
    let settings: Value = serde_json::from_slice(settings)
        .map_err(|error| format!("settings do not parse: {error}"))?;
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
    fn a_hook_of_ours_counts_wherever_it_is_wired_and_no_other_does() {
        let wired = |command: &str| {
            let hook = serde_json::json!({"hooks": {"SessionStart": [{"hooks": [
                {"type": "command", "command": command}]}]}});
            Some(Ok(hook.to_string().into_bytes()))
        };
        let ours = || wired("/usr/bin/persist hook");
        assert_eq!(judge(ours(), None).state, CheckState::Ok);
        assert_eq!(judge(wired("date"), ours()).state, CheckState::Ok);
        assert_eq!(judge(Some(Err("unreadable".into())), ours()).state, CheckState::Ok);
        assert_eq!(judge(None, wired("date")).state, CheckState::Warn);
        let broken = judge(None, Some(Ok(b"{".to_vec())));
        assert!(broken.what.contains("settings do not parse"), "{broken:?}");
        assert_eq!(broken.mend.as_deref(), Some("persist hook --install"));
    }
}
