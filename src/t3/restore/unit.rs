//! The unit of an instance, stopped and started through systemctl(1).

use crate::sys::process::tool::{self, ToolError};
use std::time::Duration;

/// How long a start or a stop may take: the service manager kills after 30 s.
const DEADLINE: Duration = Duration::from_mins(2);

/// Whether it runs, or is about to.
pub(super) fn is_active(user: &str) -> Result<bool, ToolError> {
    match run(&["show", "--value", "--property=ActiveState", "--", &name(user)]) {
        Ok(state) => Ok(matches!(state.trim_ascii(), b"active" | b"activating" | b"reloading")),
        // Nothing is started where there is no service manager.
        Err(_) if !tool::systemd_runs() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Stops it, and waits until it has ended.
pub(super) fn stop(user: &str) -> Result<(), ToolError> {
    match run(&["stop", "--", &name(user)]) {
        Err(_) if !tool::systemd_runs() => Ok(()),
        stopped => stopped.map(drop),
    }
}

/// Starts it.
pub(super) fn start(user: &str) -> Result<(), ToolError> {
    let unit = name(user);
    let _ = run(&["reset-failed", "--", &unit]); // fails unless it failed too often
    run(&["start", "--", &unit]).map(drop)
}

fn name(user: &str) -> String {
    format!("t3-serve@{user}.service")
}

fn run(args: &[&str]) -> Result<Vec<u8>, ToolError> {
    tool::run("systemctl", args, DEADLINE)
}
