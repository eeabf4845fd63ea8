//! A server of one version of tmux and a client of another: what every upgrade leaves behind.

use crate::support::run;
use crate::support::tmux_versions::{Upgraded, tmux_of};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The machine's own tmux, and that of a Debian suite.
fn pair(test: &str, suite: &str) -> Option<(PathBuf, PathBuf)> {
    let path = std::env::var_os("PATH").unwrap();
    let mut own = std::env::split_paths(&path).map(|dir| dir.join("tmux"));
    Some((own.find(|file| file.is_file()).unwrap(), tmux_of(test, suite)?))
}

fn check(json: &Value, name: &str) -> Option<Value> {
    json["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).cloned()
}

/// Saves, shows, ends a session, restores it beside the live one, and asks status and doctor.
#[track_caller]
fn everything_works(started: &Path, installed: &Path) {
    let work = "/usr/share";
    let made = Upgraded::new(
        started,
        installed,
        &[
            &["new-session", "-d", "-s", "live", "-x", "120", "-y", "40", "-c", "/usr"],
            &["new-session", "-d", "-s", "gone", "-x", "120", "-y", "40", "-c", work],
            &["split-window", "-h", "-t", "=gone:", "-c", "/etc"],
            &["rename-window", "-t", "=gone:", "a $HOME window"],
        ],
    );
    let panes = || {
        let format = "#{session_name}|#{window_name}|#{pane_index}|#{pane_width}x#{pane_height}|\
            #{pane_current_path}";
        made.tmux(&["list-panes", "-a", "-F", format]).ok().out()
    };
    let before = panes();
    let saved = made.persist(["save", "--json"]).ok().json();
    assert_eq!(saved["users"][0]["result"], "saved", "{saved}");
    assert_eq!(saved["users"][0]["panes"], 3, "{saved}");
    let shown = made.persist(["show"]).ok().out();
    assert!(shown.contains("gone:0.1"), "{shown}");
    made.tmux(&["kill-session", "-t", "=gone"]).ok();

    let restored = made.persist(["restore", "--json"]).ok().json();
    let results: Vec<String> = restored["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            format!("{} {}", row["session"].as_str().unwrap(), row["result"].as_str().unwrap())
        })
        .collect();
    assert_eq!(results, ["gone restored", "gone restored", "live skipped"], "{restored}");
    crate::support::wait_until("the same panes are there", || panes() == before);

    let again = made.persist(["save", "--json"]).ok().json();
    assert_eq!(again["users"][0]["panes"], 3, "{again}");
    let status = made.persist(["status", "--json"]).ok().json();
    assert_eq!(status["server"], "running", "{status}");
    let doctor = made.persist(["doctor", "--json"]).json();
    let found = check(&doctor, "tmux upgrade").unwrap_or_else(|| panic!("{doctor}"));
    let version = |program: &Path| run(Command::new(program).arg("-V")).ok().out();
    let differ = version(started) != version(installed);
    assert_eq!(found["state"], if differ { "warn" } else { "ok" }, "{found}");
    assert_eq!(check(&doctor, "tmux server").unwrap()["state"], "ok", "{doctor}");
}

#[test]
fn a_server_whose_tmux_was_upgraded_to_the_next_debians_loses_nothing() {
    let Some((own, next)) = pair("an upgraded server", "trixie") else { return };
    everything_works(&own, &next);
}

#[test]
fn a_server_whose_tmux_was_upgraded_to_one_that_it_cannot_talk_to_loses_nothing() {
    let Some((own, newest)) = pair("an upgraded server", "trixie-backports") else { return };
    everything_works(&own, &newest);
}

#[test]
fn a_server_newer_than_the_tmux_on_path_loses_nothing() {
    let Some((own, newest)) = pair("a newer server", "trixie-backports") else { return };
    everything_works(&newest, &own);
}

#[test]
fn names_that_a_newer_tmux_refuses_come_back_printable() {
    let Some((own, newest)) = pair("names under a newer tmux", "trixie-backports") else { return };
    let refuses = |program: &Path| {
        let said = run(Command::new(program).arg("-V")).ok().out();
        ["3.7", "3.8"].iter().any(|version| said.contains(version))
    };
    if refuses(&own) {
        return; // such a session cannot be made
    }
    let mut made = Upgraded::new(
        &own,
        &newest,
        &[
            &["new-session", "-d", "-s", "tab\tand \u{1}", "-x", "80", "-y", "24"],
            &["rename-window", "-t", ":", "line\nfeed"],
            &["new-session", "-d", "-s", "plain", "-x", "80", "-y", "24"],
        ],
    );
    made.persist(["save"]).ok();
    made.crash();
    let restored = made.restore_all().ok().json();
    let rows = restored["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["result"] == "restored"), "{restored}");
    let names =
        made.tmux(&["list-windows", "-a", "-F", "#{session_name}|#{window_name}"]).ok().out();
    assert!(names.contains("tab_and _|line_feed\n") && names.contains("plain|"), "{names}");
}

#[test]
fn a_server_of_the_same_tmux_is_no_upgrade() {
    let sandbox = crate::support::Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "a"]).ok();
    let doctor = sandbox.persist(["doctor", "--json"]).json();
    assert_eq!(check(&doctor, "tmux upgrade"), None, "{doctor}");
}
