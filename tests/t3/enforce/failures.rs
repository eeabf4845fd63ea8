//! Instances that fail after the change: rolled back, program and data, and versions are frozen.

use super::{NEW, NEWEST, OLD, T3Host};

#[test]
fn an_instance_that_fails_after_its_change_is_rolled_back_and_its_sessions_are_valid_again() {
    let Some(t3) = T3Host::new("failures::rolled_back", &["ann", "bob"], OLD) else { return };
    t3.pin(NEW);
    // Each passes the trial, whose base directory has no such file.
    for (fault, why) in [
        (r#""no_websocket": true"#, "WebSocket"),
        (r#""crash": true"#, "start: it has ended"),
        (r#""hang": true"#, "start"),
        (r#""no_cookie": true"#, "exchange"),
        (r#""broken_auth": true"#, "start"),
        (r#""claims": "0.0.34""#, "it is 0.0.34, not 0.0.26"),
    ] {
        let cookie = t3.log_in("ann");
        t3.faults("ann", &format!("{{\"only\": \"{NEW}\", {fault}}}"));
        let report = t3.enforce(&[]).code(1).json();
        let message = report["message"].as_str().unwrap();
        assert!(
            message.contains(why) && message.contains("rolled back to 0.0.24"),
            "{fault}: {message}"
        );
        t3.assert_works("ann", OLD);
        assert!(t3.is_session("ann", &cookie), "{fault}");
        t3.assert_works("bob", OLD);
        assert_eq!((t3.current().as_str(), t3.is_frozen()), (OLD, true));
        assert_eq!(t3.state()["change"], serde_json::Value::Null);
        // Nothing more, until a person has looked at it.
        t3.enforce(&[]).code(3);
        t3.host.root(["/opt/tl/provision", "t3", "unfreeze"]).ok();
    }
    t3.faults("ann", r#"{"start_seconds": 4}"#);
    t3.enforce(&[]).ok();
    t3.assert_works("ann", NEW);
    t3.assert_works("bob", NEW);
}

#[test]
fn a_later_failure_takes_the_program_back_and_leaves_what_works() {
    let Some(t3) = T3Host::new("failures::later", &["ann", "bob", "eve"], OLD) else { return };
    t3.pin(NEW);
    t3.faults("bob", &format!("{{\"only\": \"{NEW}\", \"no_websocket\": true}}"));
    t3.enforce(&[]).code(1);
    t3.assert_works("ann", NEW);
    t3.assert_works("bob", OLD);
    t3.assert_works("eve", OLD);
    assert_eq!((t3.current().as_str(), t3.is_frozen()), (OLD, true));
    assert_eq!(t3.state()["last_good"], serde_json::Value::Null);
}

#[test]
fn a_user_without_a_backup_is_not_changed_and_the_others_are() {
    let Some(t3) = T3Host::new("failures::no_backup", &["ann", "bob"], OLD) else { return };
    t3.pin(NEW);
    // The user's directory of backups is another's.
    t3.host.sh("mkdir -p -m 711 /var/backups/t3/ann");
    let report = t3.enforce(&[]).code(1).json();
    assert!(report["failed"]["ann"].is_string(), "{report}");
    t3.assert_works("ann", OLD);
    t3.assert_works("bob", NEW);
    assert!(!t3.is_frozen());
}

#[test]
fn a_locked_database_counts_as_busy() {
    let Some(t3) = T3Host::new("failures::locked", &["ann"], OLD) else { return };
    t3.pin(NEW);
    // Another process of the user's writes, and is idle by what the database says.
    let hold = "import sqlite3, time; d = sqlite3.connect('/home/ann/.t3/userdata/state.sqlite', isolation_level=None); \
                d.execute('BEGIN IMMEDIATE'); open('/home/ann/locked', 'w'); time.sleep(25)";
    t3.host.start_as("ann", &["/usr/bin/python3", "-c", hold]);
    crate::support::wait_until("it is locked", || {
        t3.host.sh("test -e /home/ann/locked && echo yes || :") == "yes\n"
    });
    let report = t3.enforce(&[]).ok().json();
    let why = report["deferred"]["ann"].as_str().unwrap_or_default();
    assert!(why.contains("cannot be read"), "{report}");
    crate::support::wait_until("it is idle again", || {
        t3.enforce(&[]).ok().json()["changed"] == serde_json::json!(["ann"])
    });
    t3.assert_works("ann", NEW);
}

#[test]
fn a_full_disk_changes_nothing() {
    let Some(t3) = T3Host::new("failures::full", &["ann"], OLD) else { return };
    t3.pin(NEW);
    t3.host.sh("mount -t tmpfs -o mode=755,size=64k host /var/backups");
    let report = t3.enforce(&[]).code(1).json();
    assert!(report["failed"]["ann"].is_string(), "{report}");
    t3.assert_works("ann", OLD);
    // Nor is there room for a trial.
    t3.host.sh("umount /var/backups; mount -t tmpfs -o mode=711,size=64k host /var/lib/t3-trial");
    t3.host.root(["/opt/tl/provision", "t3", "backup", "ann"]).ok();
    let report = t3.enforce(&[]).code(1).json();
    assert!(report["message"].as_str().unwrap().contains("too little for a copy"), "{report}");
    t3.host.sh("umount /var/lib/t3-trial");
    t3.assert_works("ann", OLD);
    t3.assert_no_trial();
    t3.enforce(&[]).ok();
    t3.assert_works("ann", NEW);
}

#[test]
fn the_outage_of_june_is_not_repeated_and_would_be_undone() {
    let Some(t3) = T3Host::new("failures::june", &["ann"], OLD) else { return };
    let cookie = t3.log_in("ann");
    // The site has the newer program beside the old one, and the instance lives on the old one: its own program mints.
    t3.host.sh(&format!(
        "/opt/tl/lay /opt/t3/versions/{NEWEST} {NEWEST}; echo {NEWEST} >/opt/t3/versions/{NEWEST}/.install-complete\n\
         ln -sfn versions/{NEWEST} /opt/t3/current"
    ));
    t3.log_in("ann");
    t3.systemctl("restart", "ann");
    t3.assert_works("ann", OLD);
    assert!(t3.is_session("ann", &cookie));
    // The change itself ends all sessions; when it fails, each of them is valid again.
    t3.host.sh(&format!("ln -sfn versions/{OLD} /opt/t3/current"));
    t3.pin(NEW);
    t3.faults("ann", &format!("{{\"only\": \"{NEW}\", \"no_cookie\": true}}"));
    t3.enforce(&[]).code(1);
    assert!(t3.is_session("ann", &cookie));
    t3.assert_works("ann", OLD);
}

#[test]
fn a_database_that_a_newer_program_migrated_below_a_live_server_is_noticed_and_put_back() {
    let Some(t3) = T3Host::new("failures::migrated", &["ann"], OLD) else { return };
    let cookie = t3.log_in("ann");
    t3.host.root(["/opt/tl/provision", "t3", "backup", "ann"]).ok();
    t3.settings(&format!("version = \"{OLD}\""));
    t3.enforce(&[]).ok();
    // The guard is off: a newer version's command line mints on the live instance, as in June.
    t3.host.sh(&format!("/opt/tl/lay /opt/tl/newer {NEW}"));
    assert!(t3.log_in_by("ann", "/opt/tl/newer/bin/t3").is_err());
    assert!(!t3.is_session("ann", &cookie));
    assert_eq!(t3.level("ann"), 32);
    let report = t3.enforce(&[]).code(1).json();
    let message = report["message"].as_str().unwrap();
    assert!(
        message.contains("a newer program ran on it") && message.contains("put back"),
        "{message}"
    );
    assert!(t3.is_session("ann", &cookie));
    t3.assert_works("ann", OLD);
    assert!(t3.is_frozen());
}
