//! The user's own git: without a terminal, without hooks, and only over the protocols that the site
//! allows.

use super::home::Home;
use crate::provision::home::HomeError;
use crate::provision::settings::repository;
use crate::sys::process::exec::Program;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// Maximum size of what git prints, in bytes.
const MAX_OUTPUT: usize = 256 << 10;
/// Variables that git needs; none of them ties it to another repository.
const KEPT: [&str; 7] = ["HOME", "USER", "LOGNAME", "PATH", "SHELL", "XDG_RUNTIME_DIR", "LANG"];
/// Switches off what a repository or a template could make git start in the background. A credential
/// helper and an ssh command stay: without them there is no login.
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "credential.interactive=false",
    "maintenance.auto=false",
    "gc.auto=0",
    "submodule.recurse=false",
];

/// Runs git in the home and returns its standard output.
///
/// # Errors
/// It did not end within `deadline`, or failed: the line of its output that gives the error.
pub(super) fn git(
    home: &Home,
    args: &[impl AsRef<OsStr>],
    allow_file: bool,
    deadline: Duration,
) -> Result<Vec<u8>, HomeError> {
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
    // A broken clone must not make git find the repository around it.
    environment.push(("GIT_CEILING_DIRECTORIES".into(), home.path().into()));
    let settings = SETTINGS.iter().flat_map(|setting| ["-c", setting]);
    let output = Program::new("git")
        .args([OsStr::new("-C"), home.path().as_os_str()])
        .args(settings)
        .args(args)
        .environment(environment)
        .deadline(deadline)
        .max_output(MAX_OUTPUT)
        .run()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(HomeError::Command { command: "git".to_owned(), text: error_line(&output.stderr) })
    }
}

/// The line of git's output that gives the error, else the last one.
fn error_line(output: &[u8]) -> String {
    let output = String::from_utf8_lossy(output);
    let marks = ["fatal: ", "error: ", "ERROR: "];
    let error = output.lines().find(|line| marks.iter().any(|mark| line.starts_with(mark)));
    let line = error.or_else(|| output.lines().last()).unwrap_or("failed without a message");
    line.chars().take(300).collect()
}
