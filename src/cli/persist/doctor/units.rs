//! Checks of the units: they save every few minutes and before a shutdown, and restore at boot.

use crate::persist::report::Check;
use crate::sys::clock::{self, Epoch};
use crate::sys::process::exec::Program;
use crate::text::time::ago;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

const TIMER: &str = "tmux-persist-save.timer";
const SAVE: &str = "tmux-persist-save.service";
const SOCKETS: &str = "tmux-persist-sockets.service";
const RESTORE: &str = "tmux-persist-restore.service";
const SHUTDOWN: &str = "tmux-persist-shutdown.service";
const LOGIND: &str = "systemd-logind.service";
const PROPERTIES: &str = "Id,LoadState,ActiveState,Result,WantedBy,LastTriggerUSec,\
                         ExecMainStartTimestampMonotonic";

/// The properties of a unit, by name.
pub(super) type Unit = BTreeMap<String, String>;

/// Asks systemd, if it runs and the caller is root.
pub(crate) fn checks(root: &Path, is_root: bool, max_age: Duration) -> Vec<Check> {
    const NAME: &str = "units";
    if !is_root {
        return vec![Check::skipped(NAME, "not root: the timers belong to root")];
    }
    if !root.join("run/systemd/system").is_dir() {
        return vec![Check::skipped(NAME, "systemd is not running")];
    }
    match show(PROPERTIES, &[TIMER, SAVE, SOCKETS, RESTORE, SHUTDOWN, LOGIND]) {
        Ok(units) => judge(&units, clock::now(), max_age),
        Err(why) => vec![Check::fault(NAME, why, "systemctl status")],
    }
}

/// The properties of units, or why systemd does not give them.
// A String: the text that the check shows.
pub(super) fn show(properties: &str, units: &[&str]) -> Result<Vec<Unit>, String> {
    let ask = Program::new("systemctl").args(["show", "--timestamp=unix"]);
    let ask = ask.args([&format!("--property={properties}"), "--"]).args(units);
    let ask = ask.environment(plain()).deadline(Duration::from_secs(5)).max_output(64 << 10);
    match ask.run() {
        Ok(output) if output.status.success() => {
            Ok(parse(&String::from_utf8_lossy(&output.stdout)))
        }
        Ok(output) => {
            Err(format!("systemctl: {}", crate::text::escape(output.stderr.trim_ascii())))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// systemd 252 gives the time of the last trigger as text, in the local zone and language, whatever
/// `--timestamp` asks for.
fn plain() -> Vec<(OsString, OsString)> {
    let path = std::env::var_os("PATH").map(|path| ("PATH".into(), path));
    path.into_iter().chain([("TZ".into(), "UTC".into()), ("LC_ALL".into(), "C".into())]).collect()
}

/// A time as systemd prints it: `@SECONDS`, or `Fri 2026-11-20 21:19:22 UTC`.
fn time(text: &str) -> Option<Epoch> {
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok();
    }
    let time = chrono::NaiveDateTime::parse_from_str(text, "%a %Y-%m-%d %H:%M:%S UTC").ok()?;
    Epoch::try_from(time.and_utc().timestamp()).ok()
}

/// Reads the blocks of `systemctl show`.
fn parse(text: &str) -> Vec<Unit> {
    let pairs = |block: &str| {
        let pairs = block.lines().filter_map(|line| line.split_once('='));
        pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect()
    };
    text.split("\n\n").map(pairs).collect()
}

fn judge(units: &[Unit], now: Epoch, max_age: Duration) -> Vec<Check> {
    let none = Unit::new();
    let of = |id: &str| units.iter().find(|unit| get(unit, "Id") == id).unwrap_or(&none);
    vec![
        installed(TIMER, of(TIMER)).unwrap_or_else(|| timer(of(TIMER), now, max_age)),
        installed(SAVE, of(SAVE)).unwrap_or_else(|| save(of(SAVE))),
        installed(SOCKETS, of(SOCKETS)).unwrap_or_else(|| at_boot(SOCKETS, of(SOCKETS))),
        installed(RESTORE, of(RESTORE)).unwrap_or_else(|| at_boot(RESTORE, of(RESTORE))),
        installed(SHUTDOWN, of(SHUTDOWN)).unwrap_or_else(|| at_boot(SHUTDOWN, of(SHUTDOWN))),
        logind(of(LOGIND)),
    ]
}

fn get<'a>(unit: &'a Unit, property: &str) -> &'a str {
    unit.get(property).map_or("", String::as_str)
}

/// The check of a unit that is missing, broken or masked; `None` if it is loaded.
fn installed(name: &str, unit: &Unit) -> Option<Check> {
    match get(unit, "LoadState") {
        "loaded" => None,
        "masked" => Some(Check::skipped(name, "masked: off by choice")),
        "not-found" | "" => {
            Some(Check::fault(name, "not installed", "apt-get install --reinstall terminal-lobby"))
        }
        other => {
            let fix = format!("systemd-analyze verify {name}");
            Some(Check::fault(name, format!("not loaded: {other}"), fix))
        }
    }
}

fn timer(unit: &Unit, now: Epoch, max_age: Duration) -> Check {
    if get(unit, "ActiveState") != "active" {
        let what = "not armed: sessions are saved only after changes";
        return Check::fault(TIMER, what, format!("systemctl start {TIMER}"));
    }
    let last = time(get(unit, "LastTriggerUSec"));
    let age = last.filter(|last| *last > 0).map(|last| now.saturating_sub(last));
    let last = age.map_or("armed; has not fired yet".to_owned(), |age| {
        format!("armed; last fired {}", ago(age))
    });
    if age.is_some_and(|age| Duration::from_secs(age) > max_age) {
        return Check::fault(TIMER, last, format!("systemctl restart {TIMER}"));
    }
    if get(unit, "WantedBy").is_empty() {
        let what = format!("{last}; but not armed at boot");
        return Check::fault(TIMER, what, format!("systemctl enable {TIMER}"));
    }
    Check::ok(TIMER, last)
}

/// One user's failure makes it fail; the checks of the users show which.
fn save(unit: &Unit) -> Check {
    match (get(unit, "Result"), get(unit, "ExecMainStartTimestampMonotonic")) {
        // The result of a unit that never ran is "success", too.
        ("success" | "", "0") => Check::ok(SAVE, "has not run since the host came up"),
        ("success" | "", _) => Check::ok(SAVE, "the last run succeeded"),
        (result, _) => {
            let what = format!("the last run failed for some user: {result}");
            Check::warn(SAVE, what, format!("journalctl -n 50 -u {SAVE}"))
        }
    }
}

fn at_boot(name: &str, unit: &Unit) -> Check {
    if get(unit, "ActiveState") == "failed" {
        let what = format!("failed: {}", get(unit, "Result"));
        return Check::fault(name, what, format!("journalctl -b -u {name}"));
    }
    if get(unit, "WantedBy").is_empty() {
        return Check::fault(name, "not started at boot", format!("systemctl enable {name}"));
    }
    match get(unit, "ActiveState") {
        "active" | "activating" => Check::ok(name, "enabled, and ran at this boot"),
        // Only while it is active is there something that a shutdown stops, and so saves.
        _ if name == SHUTDOWN => {
            let what = "enabled but not active: a shutdown would not save";
            Check::fault(name, what, format!("systemctl start {name}"))
        }
        _ => Check::ok(name, "enabled; has not run since it was installed"),
    }
}

fn logind(unit: &Unit) -> Check {
    const NAME: &str = "slices";
    if get(unit, "ActiveState") == "active" {
        return Check::ok(NAME, "logind is running: restored servers get the user's slice");
    }
    let what = "logind is not running: restored servers escape the user's limits";
    Check::fault(NAME, what, format!("systemctl start {LOGIND}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState::{self, Fault, Ok, Skipped, Warn};

    const SOUND: &str = "\
Id=tmux-persist-save.timer\nLoadState=loaded\nActiveState=active\nResult=success\n\
WantedBy=timers.target\nLastTriggerUSec=@9900\n
Id=tmux-persist-save.service\nLoadState=loaded\nActiveState=inactive\nResult=success\nWantedBy=\n
Id=tmux-persist-sockets.service\nLoadState=loaded\nActiveState=active\nResult=success\n\
WantedBy=basic.target\n
Id=tmux-persist-restore.service\nLoadState=loaded\nActiveState=active\nResult=success\n\
WantedBy=multi-user.target\n
Id=tmux-persist-shutdown.service\nLoadState=loaded\nActiveState=active\nResult=success\n\
WantedBy=multi-user.target\n
Id=systemd-logind.service\nLoadState=loaded\nActiveState=active\n";

    fn judged(text: &str) -> Vec<Check> {
        judge(&parse(text), 10_000, Duration::from_mins(15))
    }

    /// The states after one unit's property was changed.
    #[track_caller]
    fn changed(unit: &str, from: &str, to: &str) -> (CheckState, Option<String>) {
        let mut blocks: Vec<String> = SOUND.split("\n\n").map(str::to_owned).collect();
        let block = blocks.iter_mut().find(|block| block.contains(unit)).unwrap();
        assert!(block.contains(from), "{block}");
        *block = block.replace(from, to);
        let checks = judged(&blocks.join("\n\n"));
        let name = if unit == LOGIND { "slices" } else { unit };
        let check = checks.iter().find(|check| check.name == name).unwrap();
        let others = checks.iter().filter(|other| other.name != name);
        assert!(others.clone().all(|other| other.state == Ok), "{checks:?}");
        (check.state, check.fix.clone())
    }

    #[test]
    fn sound_units_are_sound_and_none_at_all_are_faults() {
        assert!(judged(SOUND).iter().all(|check| check.state == Ok), "{:?}", judged(SOUND));
        assert_eq!(judged(SOUND)[0].what, "armed; last fired 100 s ago");
        assert!(judged("").iter().all(|check| check.state == Fault && check.fix.is_some()));
    }

    #[test]
    fn each_fault_of_a_unit_is_found_with_the_command_that_mends_it() {
        let active = "ActiveState=active";
        for (unit, from, to, state, fix) in [
            (
                TIMER,
                active,
                "ActiveState=inactive",
                Fault,
                "systemctl start tmux-persist-save.timer",
            ),
            (TIMER, "@9900", "@1000", Fault, "systemctl restart tmux-persist-save.timer"),
            (TIMER, "timers.target", "", Fault, "systemctl enable tmux-persist-save.timer"),
            (
                TIMER,
                "loaded",
                "bad-setting",
                Fault,
                "systemd-analyze verify tmux-persist-save.timer",
            ),
            (SAVE, "success", "exit-code", Warn, "journalctl -n 50 -u tmux-persist-save.service"),
            (
                SOCKETS,
                active,
                "ActiveState=failed",
                Fault,
                "journalctl -b -u tmux-persist-sockets.service",
            ),
            (
                RESTORE,
                "multi-user.target",
                "",
                Fault,
                "systemctl enable tmux-persist-restore.service",
            ),
            (
                RESTORE,
                active,
                "ActiveState=failed",
                Fault,
                "journalctl -b -u tmux-persist-restore.service",
            ),
            (
                SHUTDOWN,
                active,
                "ActiveState=inactive",
                Fault,
                "systemctl start tmux-persist-shutdown.service",
            ),
            (LOGIND, active, "ActiveState=failed", Fault, "systemctl start systemd-logind.service"),
        ] {
            assert_eq!(changed(unit, from, to), (state, Some(fix.to_owned())), "{unit} {to}");
        }
    }

    #[test]
    fn a_time_is_read_in_each_form_that_systemd_has_for_it() {
        assert_eq!(time("@1795209671"), Some(1_795_209_671));
        assert_eq!(time("Fri 2026-11-20 21:21:11 UTC"), Some(1_795_209_671));
        for none in ["", "n/a", "@", "Fri 2026-11-20 21:21:11 JST"] {
            assert_eq!(time(none), None, "{none}");
        }
        let stalled = "LastTriggerUSec=Thu 1970-01-01 00:16:40 UTC";
        assert_eq!(changed(TIMER, "LastTriggerUSec=@9900", stalled).0, Fault);
    }

    #[test]
    fn a_save_unit_that_never_ran_is_not_said_to_have_succeeded() {
        let what = |started: &str| {
            let unit = parse(&format!(
                "Id={SAVE}\nLoadState=loaded\nResult=success\n\
                 ExecMainStartTimestampMonotonic={started}\n"
            ));
            save(&unit[0]).what
        };
        assert_eq!(what("0"), "has not run since the host came up");
        assert_eq!(what("1234567"), "the last run succeeded");
    }

    #[test]
    fn a_masked_unit_is_off_by_choice_and_a_timer_may_not_have_fired_yet() {
        for unit in [TIMER, SAVE, SOCKETS, RESTORE, SHUTDOWN] {
            assert_eq!(changed(unit, "LoadState=loaded", "LoadState=masked"), (Skipped, None));
        }
        assert_eq!(changed(TIMER, "LastTriggerUSec=@9900", "LastTriggerUSec=").0, Ok);
        assert_eq!(changed(RESTORE, "ActiveState=active", "ActiveState=inactive").0, Ok);
    }
}
