//! The user's own git: without a terminal, without hooks, and only over the protocols that the site
//! allows.

use super::home::Home;
use crate::provision::home::HomeError;
use crate::provision::settings::repository;
use crate::sys::process::exec::Program;
use freshen::{QUIET_ENVIRONMENT, QUIET_SETTINGS, error_line};
use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// Maximum size of what git prints, in bytes.
const MAX_OUTPUT: usize = 256 << 10;
/// Variables that git needs; none of them ties it to another repository.
const KEPT: [&str; 7] = ["HOME", "USER", "LOGNAME", "PATH", "SHELL", "XDG_RUNTIME_DIR", "LANG"];
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
    let protocols = ("GIT_ALLOW_PROTOCOL", repository::protocols(allow_file));
    let own = [protocols, ("GIT_OPTIONAL_LOCKS", "0")];
    for (name, value) in QUIET_ENVIRONMENT.into_iter().chain(own) {
        environment.push((name.into(), value.into()));
    }
    // A broken clone must not make git find the repository around it.
    environment.push(("GIT_CEILING_DIRECTORIES".into(), home.path().into()));
    let settings = QUIET_SETTINGS.into_iter().chain(["submodule.recurse=false"]);
    let settings = settings.flat_map(|setting| ["-c", setting]);
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
        let stderr = String::from_utf8_lossy(&output.stderr);
        let text = known_cause(&stderr).map_or_else(|| error_line(&stderr), str::to_owned);
        Err(HomeError::Command { command: "git".to_owned(), text })
    }
}

/// Causes that git prints before its last line, or after its first one, each with what helps.
fn known_cause(stderr: &str) -> Option<&'static str> {
    let has = |text: &str| stderr.contains(text);
    if has("Host key verification failed") || has("No ED25519 host key is known") {
        Some("ssh does not trust the remote's host key: add it to /etc/ssh/ssh_known_hosts")
    } else if has("detected dubious ownership") {
        Some(
            "the mirror belongs to another user, which git refuses: \
             git config --system --add safe.directory PATH-OF-THE-MIRROR",
        )
    } else {
        None
    }
}
