//! Instances of units, through systemctl(1).

use crate::sys::process::tool;
use crate::sys::timers;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_mins(2);

/// Enables and starts an instance, or stops and disables it. Where systemd does not run, it is only
/// enabled or disabled, for when it will.
pub(super) fn set(unit: &str, enabled: bool) -> Result<Vec<String>, String> {
    let run = |args: &[&str]| {
        tool::run("systemctl", args, DEADLINE).map(drop).map_err(|error| error.to_string())
    };
    let runs = tool::systemd_runs();
    if !enabled {
        let now: &[&str] = if runs { &["--now"] } else { &[] };
        run(&[&["disable"], now, &["--", unit]].concat())?;
        return Ok(Vec::new());
    }
    run(&["enable", "--", unit])?;
    if !runs {
        return Ok(vec!["not started: systemd does not run".to_owned()]);
    }
    if unit.strip_suffix(".timer").is_some() {
        // A persistent timer would make up for the runs it missed before it was there: its stamp
        // says that there are none (systemd.timer(5), an incident of the predecessor).
        timers::touch_stamp(unit).map_err(|error| error.to_string())?;
    }
    run(&["start", "--", unit])?;
    Ok(Vec::new())
}
