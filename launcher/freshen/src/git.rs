//! The command line and environment in which git runs in a clone.
#![allow(clippy::disallowed_methods, reason = "git is run by `shared::child` under a deadline")]

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// Variables with which git neither asks for anything nor translates its messages.
pub const QUIET_ENVIRONMENT: [(&str, &str); 5] = [
    ("GIT_ASKPASS", ""), // set and empty, it also overrides core.askPass
    ("SSH_ASKPASS_REQUIRE", "never"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GCM_INTERACTIVE", "never"),
    ("LC_ALL", "C"),
];
/// Switches off what a repository or a template could make git start. Hooks: one that installs packages
/// must not be started behind the user's back, nor be killed half-way. fsmonitor: a program that a
/// repository names. Maintenance: not now. A credential helper and an ssh command stay: without them
/// there is no login.
pub const QUIET_SETTINGS: [&str; 5] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "credential.interactive=false",
    "maintenance.auto=false",
    "gc.auto=0",
];

/// The line of git's output that gives the error, without its prefix; the last line if none is marked.
pub fn error_line(output: &str) -> String {
    let marks = ["fatal: ", "error: ", "ERROR: "];
    let error =
        output.lines().find_map(|line| marks.iter().find_map(|mark| line.strip_prefix(mark)));
    let line = error.or_else(|| output.lines().last()).unwrap_or("failed without a message");
    line.chars().take(160).collect()
}

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
    command.envs(QUIET_ENVIRONMENT).env("GIT_REFLOG_ACTION", "freshen");
    // A broken clone must not make git find the repository around it.
    command.env("GIT_CEILING_DIRECTORIES", clone.parent().unwrap_or(clone));
    command.current_dir(clone);
    for setting in QUIET_SETTINGS {
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
