//! The gateway and the sockets before it.

use crate::cli::persist::doctor::units::show;
use crate::persist::report::Check;
use std::collections::BTreeMap;
use std::path::Path;

const SERVICE: &str = "lobby.service";
const SOCKETS: [&str; 2] = ["lobby.socket", "lobby-link.socket"];

/// Asks systemd, if it runs.
pub(super) fn checks(root: &Path) -> Vec<Check> {
    if !root.join("run/systemd/system").is_dir() {
        return Vec::new();
    }
    let names = [SERVICE, SOCKETS[0], SOCKETS[1]];
    match show("Id,LoadState,ActiveState,UnitFileState,Result", &names) {
        Ok(units) => names.map(|name| judge(name, &units)).into(),
        Err(why) => vec![Check::fault(SERVICE, why, "systemctl status")],
    }
}

fn judge(name: &str, units: &[BTreeMap<String, String>]) -> Check {
    let none = BTreeMap::new();
    let unit = units.iter().find(|unit| unit.get("Id").is_some_and(|id| id == name));
    let unit = unit.unwrap_or(&none);
    let get = |property: &str| unit.get(property).map_or("", String::as_str);
    match (get("LoadState"), get("ActiveState"), get("UnitFileState")) {
        ("masked", ..) => Check::skipped(name, "masked: off by choice"),
        ("loaded", "active", "enabled") => Check::ok(name, "running, and enabled"),
        ("loaded", "active", _) => {
            let what = "running, but not started when the host comes up";
            Check::fault(name, what, format!("systemctl enable {SERVICE}"))
        }
        ("loaded", "failed", _) => {
            let what = format!("failed: {}", get("Result"));
            Check::fault(name, what, format!("journalctl -n 50 -u {name}"))
        }
        ("loaded", ..) => {
            Check::fault(name, "not running", format!("systemctl enable --now {SERVICE}"))
        }
        _ => Check::fault(name, "not installed", "apt-get install --reinstall terminal-lobby"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState::{self, Fault, Ok, Skipped};

    fn judged(load: &str, active: &str, file: &str) -> (CheckState, Option<String>) {
        let pairs = [
            ("Id", SERVICE),
            ("LoadState", load),
            ("ActiveState", active),
            ("UnitFileState", file),
        ];
        let unit = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let check = judge(SERVICE, &[unit]);
        (check.state, check.fix)
    }

    #[test]
    fn a_gateway_that_does_not_run_or_would_not_at_boot_is_a_fault_with_its_command() {
        assert_eq!(judged("loaded", "active", "enabled").0, Ok);
        assert_eq!(judged("masked", "inactive", "masked").0, Skipped);
        for (load, active, file, fix) in [
            ("loaded", "active", "disabled", "systemctl enable lobby.service"),
            ("loaded", "inactive", "enabled", "systemctl enable --now lobby.service"),
            ("loaded", "failed", "enabled", "journalctl -n 50 -u lobby.service"),
            ("not-found", "inactive", "", "apt-get install --reinstall terminal-lobby"),
        ] {
            assert_eq!(judged(load, active, file), (Fault, Some(fix.to_owned())));
        }
    }
}
