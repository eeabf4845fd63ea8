//! Instances of units, through systemctl(1).

use super::ChangeError;
use crate::sys::process::tool;
use crate::sys::timers;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_mins(2);

/// Enables and starts an instance, or stops and disables it; with a socket, also the service that it starts. If systemd does not run, the instance is only
/// enabled or disabled.
pub(super) fn set(unit: &str, enabled: bool) -> Result<Vec<String>, ChangeError> {
    let run = |args: &[&str]| tool::run("systemctl", args, DEADLINE).map(drop);
    let runs = tool::systemd_runs();
    if !enabled {
        let now: &[&str] = if runs { &["--now"] } else { &[] };
        run(&[&["disable"], now, &["--", unit]].concat())?;
        // What a socket started runs on without it.
        if let (Some(name), true) = (unit.strip_suffix(".socket"), runs) {
            run(&["stop", "--", &format!("{name}.service")])?;
        }
        return Ok(Vec::new());
    }
    run(&["enable", "--", unit])?;
    if !runs {
        return Ok(vec!["not started: systemd does not run".to_owned()]);
    }
    if unit.strip_suffix(".timer").is_some() {
        // A persistent timer would make up for runs that it missed before it existed. The stamp says that
        // there are none (systemd.timer(5); an incident of the predecessor).
        timers::touch_stamp(unit)?;
    }
    run(&["start", "--", unit])?;
    Ok(Vec::new())
}
