//! Checks which agents the user can start.

use crate::persist::report::Check;
use crate::text::escape;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The programs of the known agents, each with the command that installs it.
const AGENTS: [(&str, &str); 7] = [
    ("claude", "npm install -g @anthropic-ai/claude-code"),
    ("codex", "npm install -g @openai/codex"),
    ("copilot", "npm install -g @github/copilot"),
    ("gemini", "npm install -g @google/gemini-cli"),
    ("opencode", "npm install -g opencode-ai"),
    ("pi", "npm install -g @mariozechner/pi-coding-agent"),
    ("qwen", "npm install -g @qwen-code/qwen-code"),
];

/// Finds them as the launcher does: in `~/.local/bin`, then on PATH.
pub(crate) fn find(home: &Path, path: Option<&OsStr>) -> Vec<PathBuf> {
    let own = home.join(".local/bin");
    let dirs: Vec<PathBuf> =
        std::iter::once(own).chain(path.iter().flat_map(std::env::split_paths)).collect();
    let find = |name| dirs.iter().map(|dir| dir.join(name)).find(|file| is_program(file));
    AGENTS.iter().filter_map(|(name, _)| find(name)).collect()
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// One agent is enough.
pub(crate) fn check(found: &[PathBuf]) -> Check {
    if found.is_empty() {
        let what = "no agent in ~/.local/bin or on PATH: restored panes would be shells";
        return Check::warn("agents", what, AGENTS[0].1);
    }
    let names: Vec<_> =
        found.iter().map(|file| escape(file.as_os_str().as_encoded_bytes())).collect();
    Check::ok("agents", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "sets up files")]
    fn an_agent_is_found_in_the_home_first_and_must_be_a_program() {
        let root = tempfile::tempdir().unwrap();
        let (home, usr) = (root.path().join("home"), root.path().join("usr"));
        std::fs::create_dir_all(home.join(".local/bin")).unwrap();
        std::fs::create_dir(&usr).unwrap();
        let found = || find(&home, Some(usr.as_os_str()));
        std::fs::write(usr.join("claude"), "").unwrap();
        assert_eq!(check(&found()).state, CheckState::Warn);
        let program = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(usr.join("claude"), program.clone()).unwrap();
        assert_eq!(found(), [usr.join("claude")]);
        let own = home.join(".local/bin/claude");
        std::fs::write(&own, "").unwrap();
        std::fs::set_permissions(&own, program).unwrap();
        assert_eq!(found(), [own]);
        assert_eq!(check(&found()).state, CheckState::Ok);
    }
}
