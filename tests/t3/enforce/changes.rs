//! Changes that succeed: who is changed when, and what is left as it was.

use super::{NEW, NEWEST, OLD, T3Host};

#[test]
fn idle_instances_are_changed_one_after_the_other_and_busy_ones_later() {
    let Some(t3) = T3Host::new("changes::idle", &["ann", "bob", "eve"], OLD) else { return };
    t3.agent("ann", 1000, "");
    t3.agent("bob", 100, "");
    t3.agent("eve", 100_000, "turn");
    t3.pin(NEW);
    let report = t3.enforce(&[]).ok().json();
    assert_eq!(report["outcome"], "done", "{report}");
    assert_eq!(report["changed"], serde_json::json!(["ann"]));
    let why = |user: &str| report["deferred"][user].as_str().unwrap_or_default().to_owned();
    assert!(why("bob").contains("a session was changed 10"), "{report}");
    assert!(why("eve").contains("active"), "{report}");
    t3.assert_works("ann", NEW);
    for user in ["bob", "eve"] {
        t3.assert_works(user, OLD);
    }
    assert_eq!(t3.current(), NEW);
    t3.assert_no_trial();
    // A crash or a reboot leaves each on its version.
    for user in ["bob", "ann"] {
        t3.systemctl("restart", user);
    }
    t3.assert_works("bob", OLD);
    t3.assert_works("ann", NEW);
    assert_eq!(t3.enforce(&["--drain"]).ok().json()["changed"], serde_json::json!([]));
    t3.agent("bob", 1000, "");
    let report = t3.enforce(&["--drain"]).ok().json();
    assert_eq!(report["changed"], serde_json::json!(["bob"]), "{report}");
    t3.assert_works("bob", NEW);
    assert_eq!(t3.state()["deferred"].as_object().unwrap().keys().collect::<Vec<_>>(), ["eve"]);
    assert_eq!((&t3.state()["last_good"], &t3.state()["change"]), (&NEW.into(), &().into()));
}

#[test]
fn sessions_go_on_where_the_migration_keeps_them() {
    let Some(t3) = T3Host::new("changes::sessions", &["ann"], NEW) else { return };
    let cookie = t3.log_in("ann");
    t3.host.root(["/opt/tl/provision", "t3", "backup", "ann"]).ok();
    // The name of the cookie changes with this version on a loopback address, so browsers must log in again.
    t3.settings(&format!("version = \"{NEWEST}\""));
    let report = t3.enforce(&[]).code(3).json();
    assert!(report["message"].as_str().unwrap().contains("ends all sessions"), "{report}");
    assert!(t3.is_session("ann", &cookie));
    t3.assert_works("ann", NEW);
    t3.pin(NEWEST);
    t3.enforce(&[]).ok();
    t3.assert_works("ann", NEWEST);
}

#[test]
fn a_dry_run_tries_the_version_and_changes_nothing() {
    let Some(t3) = T3Host::new("changes::dry", &["ann"], OLD) else { return };
    t3.host.root(["/opt/tl/provision", "t3", "backup", "ann"]).ok();
    t3.pin(NEW);
    t3.enforce(&["--resume"]).ok(); // the locks are there afterwards
    let tree = || {
        t3.host.sh(
            "cd / && find opt/t3 etc/t3-serve var/lib/t3 var/backups home/ann/.t3 var/lib/t3-trial \
             ! -name 'state.sqlite*' -printf '%p %y %m %U %s %T@ %l\\n' | sort",
        )
    };
    t3.host.sh("mkdir -p -m 711 /var/lib/t3-trial");
    let before = tree();
    let report = t3.enforce(&["--dry-run"]).ok().json();
    assert!(report["message"].as_str().unwrap().contains("nothing was changed"), "{report}");
    let without_times = |tree: &str| {
        let lines = tree.lines().filter(|line| !line.starts_with("var/lib/t3-trial "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_times(&before), without_times(&tree()));
    t3.assert_works("ann", OLD);
    t3.assert_no_trial();
}

#[test]
fn versions_that_were_laid_by_hand_need_no_command() {
    let Some(t3) = T3Host::new("changes::by_hand", &["ann"], OLD) else { return };
    t3.host.sh(&format!(
        "printf '[enforce]\\ninstall = []\\nresolve = []\\ntrack = \"latest\"\\nallow_ended_sessions = true\\n' \
         >/etc/terminal-lobby/t3.toml\n/opt/tl/lay /opt/t3/versions/{NEW} {NEW}"
    ));
    // Without its mark it is none.
    assert_eq!(t3.enforce(&[]).ok().json()["changed"], serde_json::json!([]));
    t3.host.sh(&format!("echo {NEW} >/opt/t3/versions/{NEW}/.install-complete"));
    assert_eq!(t3.enforce(&[]).ok().json()["changed"], serde_json::json!(["ann"]));
    t3.assert_works("ann", NEW);
}

#[test]
fn only_versions_that_are_needed_are_kept() {
    let Some(t3) = T3Host::new("changes::kept", &["ann"], OLD) else { return };
    for version in [NEW, NEWEST] {
        t3.pin(version);
        t3.enforce(&[]).ok();
    }
    assert_eq!(t3.host.sh("ls -A /opt/t3/versions"), format!("{NEW}\n{NEWEST}\n"));
    assert_eq!(t3.state()["previous"], NEW);
}
