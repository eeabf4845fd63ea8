//! The user's own git: without a terminal, hooks, or protocols that nobody asked for.

use super::inspect::Home;
use crate::provision::settings::repository;
use crate::sys::process::exec::{ExecError, Output, Program};
use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// No answer is larger (bytes).
const MAX_OUTPUT: usize = 256 << 10;
/// What of the environment git needs; nothing that ties it to another repository.
const KEPT: [&str; 7] = ["HOME", "USER", "LOGNAME", "PATH", "SHELL", "XDG_RUNTIME_DIR", "LANG"];
/// What a repository or a template could make git start, and nobody waits for. A helper for
/// credentials and an ssh command stay: without them there is no login.
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "credential.interactive=false",
    "maintenance.auto=false",
    "gc.auto=0",
    "submodule.recurse=false",
];

/// What git said, when it did what it was asked.
///
/// # Errors
/// Its words, in one line.
pub(super) fn git(
    home: &Home,
    args: &[impl AsRef<OsStr>],
    allow_file: bool,
    deadline: Duration,
) -> Result<Vec<u8>, String> {
    let output = run(home, args, allow_file, deadline).map_err(|error| error.to_string())?;
    if output.status.success() { Ok(output.stdout) } else { Err(gist(&output.stderr)) }
}

/// Runs git in the home.
pub(super) fn run(
    home: &Home,
    args: &[impl AsRef<OsStr>],
    allow_file: bool,
    deadline: Duration,
) -> Result<Output, ExecError> {
    let mut environment: Vec<(OsString, OsString)> = KEPT
        .iter()
        .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)))
        .collect();
    for (name, value) in [
        ("GIT_ALLOW_PROTOCOL", repository::protocols(allow_file)),
        ("GIT_ASKPASS", ""), // also overrides core.askPass
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GCM_INTERACTIVE", "never"),
        ("SSH_ASKPASS_REQUIRE", "never"),
        ("LC_ALL", "C"),
        ("GIT_OPTIONAL_LOCKS", "0"),
    ] {
        environment.push((name.into(), value.into()));
    }
    // A clone that is broken must not make git find the repository around it.
    environment.push(("GIT_CEILING_DIRECTORIES".into(), home.path().into()));
    let settings = SETTINGS.iter().flat_map(|setting| ["-c", setting]);
    Program::new("git")
        .args([OsStr::new("-C"), home.path().as_os_str()])
        .args(settings)
        .args(args)
        .environment(environment)
        .deadline(deadline)
        .max_output(MAX_OUTPUT)
        .run()
}

/// The line that tells an error.
fn gist(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(words);
    let told = ["fatal: ", "error: ", "ERROR: "];
    let error = words.lines().find(|line| told.iter().any(|sign| line.starts_with(sign)));
    let line = error.or_else(|| words.lines().last()).unwrap_or("failed without a word");
    format!("git: {}", line.chars().take(300).collect::<String>())
}
