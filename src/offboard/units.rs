//! The units that run in the user's name: stopped, disabled and masked; and back as they were.

use super::record::{Kept, Unit};
use crate::sys::process::tool;
use std::collections::BTreeMap;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_mins(2);

/// Every unit that a user may have.
fn names(user: &str, uid: u32) -> [String; 6] {
    [
        format!("t3-serve@{user}.service"),
        format!("playwright-mcp@{user}.service"),
        format!("playwright-snapshot-refresh@{user}.timer"),
        format!("playwright-snapshot-refresh@{user}.service"),
        format!("tmux-persist-session@{uid}.service"),
        format!("user@{uid}.service"),
    ]
}

/// Those that the host knows, with their state.
pub(super) fn present(user: &str, uid: u32) -> Result<BTreeMap<String, Unit>, String> {
    let mut units = BTreeMap::new();
    if !tool::systemd_runs() {
        return Ok(units);
    }
    for name in names(user, uid) {
        let properties = "--property=LoadState,UnitFileState,ActiveState";
        let shown = systemctl(&["show", properties, &name])?;
        let value = |key: &str| {
            let line = shown.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().to_owned()
        };
        let active = matches!(value("ActiveState").as_str(), "active" | "activating" | "reloading");
        if value("LoadState") != "not-found" || active {
            units.insert(name, Unit { state: value("UnitFileState"), active });
        }
    }
    Ok(units)
}

/// Disables and masks them, then ends what runs in them.
pub(super) fn close(kept: &mut Kept) -> Result<Vec<String>, String> {
    if !tool::systemd_runs() {
        return Ok(vec!["units: systemd does not run here, so none is started".to_owned()]);
    }
    let (user, uid) = (kept.record.user.clone(), kept.record.uid);
    let now = present(&user, uid)?;
    for (name, unit) in &now {
        kept.record.units.entry(name.clone()).or_insert_with(|| unit.clone());
    }
    kept.save()?;
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    for (name, unit) in &now {
        match close_one(name, unit) {
            Ok(()) => lines.push(format!("{name}: stopped and masked")),
            Err(why) => failed.push(why),
        }
    }
    if failed.is_empty() { Ok(lines) } else { Err(failed.join("; ")) }
}

fn close_one(name: &str, unit: &Unit) -> Result<(), String> {
    if unit.state.starts_with("enabled") {
        systemctl(&["disable", name])?;
    }
    if unit.state != "masked" {
        systemctl(&["mask", name])?;
    }
    // A process may ignore TERM, and hold the stop up: none is asked twice.
    let _ = systemctl(&["kill", "--kill-whom=all", "--signal=KILL", name]);
    systemctl(&["stop", name])?;
    let _ = systemctl(&["reset-failed", name]); // killed, as was meant: nobody needs to look
    Ok(())
}

/// Unmasks and enables them as before.
pub(super) fn open(kept: &Kept) -> Result<Vec<String>, String> {
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    for (name, was) in &kept.record.units {
        match open_one(name, was) {
            Ok(()) => lines.push(format!("{name}: {} as before", shown(was))),
            Err(why) => failed.push(why),
        }
    }
    if failed.is_empty() { Ok(lines) } else { Err(failed.join("; ")) }
}

fn open_one(name: &str, was: &Unit) -> Result<(), String> {
    if !was.state.starts_with("masked") {
        systemctl(&["unmask", name])?;
    }
    match was.state.as_str() {
        "enabled" => systemctl(&["enable", name]).map(drop),
        "enabled-runtime" => systemctl(&["enable", "--runtime", name]).map(drop),
        _ => Ok(()),
    }
}

/// Takes the masks off, when the user is gone: somebody else may have the name one day.
pub(super) fn unmask(kept: &Kept) -> Result<Vec<String>, String> {
    let ours = kept.record.units.iter().filter(|(_, was)| !was.state.starts_with("masked"));
    for (name, _) in ours {
        systemctl(&["unmask", name])?;
    }
    Ok(Vec::new())
}

/// Starts what ran before; the user's own manager starts with the lingering, or the next session.
pub(super) fn start(kept: &Kept) -> Result<Vec<String>, String> {
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    let ran =
        kept.record.units.iter().filter(|(name, was)| was.active && !name.starts_with("user@"));
    for (name, _) in ran {
        match systemctl(&["start", name]) {
            Ok(_) => lines.push(format!("{name}: started")),
            Err(why) => failed.push(why),
        }
    }
    if failed.is_empty() { Ok(lines) } else { Err(failed.join("; ")) }
}

fn shown(unit: &Unit) -> &str {
    if unit.state.is_empty() { "unmasked" } else { &unit.state }
}

fn systemctl(args: &[&str]) -> Result<String, String> {
    let said = tool::run("systemctl", args, DEADLINE).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}
