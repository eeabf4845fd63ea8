//! The units that run in the user's name: stopped, disabled and masked; and restored.

use super::error::OffboardError;
use super::record::{CutRecordFile, Unit};
use super::step_runner::StepResult;
use crate::sys::process::tool::{self, ToolError};
use std::collections::BTreeMap;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_mins(2);

/// All units that a user may have.
fn names(user: &str, uid: u32) -> [String; 9] {
    let [socket, agent] = of_lobby(user);
    [
        socket,
        agent,
        format!("t3-serve@{user}.service"),
        format!("playwright-mcp@{user}.service"),
        format!("playwright-snapshot-refresh@{user}.timer"),
        format!("playwright-snapshot-refresh@{user}.service"),
        format!("tmux-persist-watch@{uid}.service"),
        format!("tmux-persist-session@{uid}.service"),
        format!("user@{uid}.service"),
    ]
}

/// The socket of the user's agent, and the agent.
fn of_lobby(user: &str) -> [String; 2] {
    ["socket", "service"].map(|kind| format!("lobby-agent@{user}.{kind}"))
}

/// The units that this host has, with their state.
pub(super) fn present(user: &str, uid: u32) -> Result<BTreeMap<String, Unit>, ToolError> {
    present_of(names(user, uid))
}

fn present_of(
    names: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, Unit>, ToolError> {
    let mut units = BTreeMap::new();
    if !tool::systemd_runs() {
        return Ok(units);
    }
    for name in names {
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

/// Disables and masks the units, then stops them.
pub(super) fn mask(file: &mut CutRecordFile) -> StepResult {
    if !tool::systemd_runs() {
        return Ok(vec!["units: skipped, as systemd does not run on this host".to_owned()]);
    }
    mask_all(file, &present(&file.record.user, file.record.uid)?)
}

/// Ends what the user has open in the lobby, at once: the rest of a cut takes seconds.
pub(super) fn close_lobby(file: &mut CutRecordFile) -> StepResult {
    let [socket, agent] = of_lobby(&file.record.user);
    let now = present_of([socket.clone(), agent.clone()])?;
    if now.values().any(|unit| unit.active) {
        // First what cannot be undone by the gateway's next request; masking takes longer.
        let _ = systemctl(&["stop", "--no-block", &socket]);
        let _ = systemctl(&["kill", "--kill-whom=all", "--signal=KILL", &agent]);
    }
    mask_all(file, &now)
}

fn mask_all(file: &mut CutRecordFile, now: &BTreeMap<String, Unit>) -> StepResult {
    for (name, unit) in now {
        file.record.units.entry(name.clone()).or_insert_with(|| unit.clone());
    }
    file.save()?;
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    for (name, unit) in now {
        match mask_one(name, unit) {
            Ok(()) => lines.push(format!("{name}: stopped and masked")),
            Err(error) => failed.push(error.into()),
        }
    }
    OffboardError::several(failed).map(|()| lines)
}

fn mask_one(name: &str, unit: &Unit) -> Result<(), ToolError> {
    if unit.state.starts_with("enabled") {
        systemctl(&["disable", name])?;
    }
    if unit.state != "masked" {
        systemctl(&["mask", name])?;
    }
    // A process that ignores TERM would hold up the stop: KILL comes first.
    let _ = systemctl(&["kill", "--kill-whom=all", "--signal=KILL", name]);
    systemctl(&["stop", name])?;
    let _ = systemctl(&["reset-failed", name]); // the kill was intended, so it is no failed unit
    Ok(())
}

/// Unmasks and enables the units as they were.
pub(super) fn restore(file: &CutRecordFile) -> StepResult {
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    for (name, was) in &file.record.units {
        match restore_one(name, was) {
            Ok(()) => lines.push(format!("{name}: {} as before", state_name(was))),
            Err(error) => failed.push(error.into()),
        }
    }
    OffboardError::several(failed).map(|()| lines)
}

fn restore_one(name: &str, was: &Unit) -> Result<(), ToolError> {
    if !was.state.starts_with("masked") {
        systemctl(&["unmask", name])?;
    }
    match was.state.as_str() {
        "enabled" => systemctl(&["enable", name]).map(drop),
        "enabled-runtime" => systemctl(&["enable", "--runtime", name]).map(drop),
        _ => Ok(()),
    }
}

/// Unmasks the units of a user who is removed: the name may be given to another user one day.
pub(super) fn unmask(file: &CutRecordFile) -> StepResult {
    let ours = file.record.units.iter().filter(|(_, was)| !was.state.starts_with("masked"));
    for (name, _) in ours {
        systemctl(&["unmask", name])?;
    }
    Ok(Vec::new())
}

/// Starts the units that were running; the user's own manager starts with lingering, or the next
/// session, and the agent of the lobby by its socket.
pub(super) fn start(file: &CutRecordFile) -> StepResult {
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    let [_, agent] = of_lobby(&file.record.user);
    let starts_by_itself = |name: &str| name.starts_with("user@") || name == agent;
    let ran = file.record.units.iter().filter(|(name, was)| was.active && !starts_by_itself(name));
    for (name, _) in ran {
        match systemctl(&["start", name]) {
            Ok(_) => lines.push(format!("{name}: started")),
            Err(error) => failed.push(error.into()),
        }
    }
    OffboardError::several(failed).map(|()| lines)
}

fn state_name(unit: &Unit) -> &str {
    if unit.state.is_empty() { "unmasked" } else { &unit.state }
}

fn systemctl(args: &[&str]) -> Result<String, ToolError> {
    let output = tool::run("systemctl", args, DEADLINE)?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}
