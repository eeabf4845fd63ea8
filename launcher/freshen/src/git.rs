//! The command line and environment in which git runs in a clone.
#![allow(clippy::disallowed_methods, reason = "git is run by `shared::child` under a deadline")]

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// git in a clone, with an environment in which it cannot ask, nor leave the clone.
pub(crate) fn git(clone: &Path, environment: &[(OsString, OsString)]) -> Command {
    let mut command = Command::new("git");
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    for (name, _) in std::env::vars_os() {
        if is_about_another_repository(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    // A helper that asks through gpg would take over the pane's terminal.
    for name in ["SSH_ASKPASS", "GPG_TTY", "LANGUAGE"] {
        command.env_remove(name);
    }
    // Set and empty: this also overrides core.askPass.
    command.env("GIT_ASKPASS", "").env("SSH_ASKPASS_REQUIRE", "never");
    command.env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never");
    command.env("LC_ALL", "C").env("GIT_REFLOG_ACTION", "freshen");
    // A broken clone must not make git find the repository around it.
    command.env("GIT_CEILING_DIRECTORIES", clone.parent().unwrap_or(clone));
    command.current_dir(clone);
    // Hooks: one that installs packages must not be started behind the user's back, nor be
    // killed half-way. fsmonitor: a program that a repository names. Maintenance: not now.
    for setting in [
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "credential.interactive=false",
        "maintenance.auto=false",
        "gc.auto=0",
    ] {
        command.args(["-c", setting]);
    }
    command
}

/// The variables that tie git to one repository (`git rev-parse --local-env-vars`) or make it
/// talk; a git alias or hook that starts a pane would hand them down. What carries configuration
/// stays.
fn is_about_another_repository(name: &str) -> bool {
    const NAMES: &str = "GIT_DIR GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE \
        GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_QUARANTINE_PATH GIT_NAMESPACE \
        GIT_PREFIX GIT_SHALLOW_FILE GIT_GRAFT_FILE GIT_CONFIG GIT_ATTR_SOURCE GIT_CURL_VERBOSE";
    name.starts_with("GIT_TRACE") || NAMES.split_whitespace().any(|known| known == name)
}
