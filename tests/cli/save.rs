//! `persist save`.

use crate::support::{Sandbox, wait_until};
use serde_json::json;

/// The report on the one user of a save.
fn report(sandbox: &Sandbox) -> serde_json::Value {
    let json = sandbox.persist(["save", "--json"]).ok().json();
    json["users"][0].clone()
}

#[test]
fn a_save_says_where_and_what_and_the_documented_link_leads_to_it() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.tmux(["split-window", "-t", "one"]).ok();
    let report = report(&sandbox);
    assert_eq!(report["result"], "saved");
    assert_eq!((&report["sessions"], &report["panes"]), (&json!(1), &json!(2)));
    assert_eq!(report["notes"], json!([]));
    assert_eq!(report["error"], json!(null));
    let id = report["snapshot"].as_str().unwrap();
    let file = sandbox.user_state().join("snapshots").join(format!("{id}.tsv"));
    assert_eq!(std::fs::read(file).unwrap(), sandbox.latest());
    assert!(sandbox.latest().ends_with(b"# end 2\n"));
}

#[test]
fn saving_twice_with_nothing_changed_writes_one_snapshot() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    assert_eq!(report(&sandbox)["result"], "saved");
    assert_eq!(report(&sandbox)["result"], "unchanged");
    assert_eq!(sandbox.snapshots().len(), 1);
    sandbox.tmux(["rename-session", "-t", "one", "two"]).ok();
    assert_eq!(report(&sandbox)["result"], "saved");
    assert_eq!(sandbox.snapshots().len(), 2);
}

#[test]
fn without_a_server_nothing_is_written_not_even_a_directory() {
    let sandbox = Sandbox::new();
    let report = report(&sandbox);
    assert_eq!(report["result"], "nothing");
    assert!(report["notes"][0].as_str().unwrap().starts_with("no tmux server is running at /"));
    assert!(!sandbox.user_state().exists());
}

#[test]
fn lesson_04_a_stale_socket_leaves_history_alone() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    report(&sandbox);
    let before = sandbox.latest();
    sandbox.crash();
    assert_eq!(report(&sandbox)["result"], "nothing");
    assert_eq!(sandbox.latest(), before);
    assert_eq!(sandbox.snapshots().len(), 1);
}

#[test]
fn a_server_without_sessions_leaves_history_alone() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    report(&sandbox);
    sandbox.tmux(["set-option", "-s", "exit-empty", "off", ";", "kill-session", "-t", "one"]).ok();
    let report = report(&sandbox);
    assert_eq!(
        (&report["result"], &report["notes"][0]),
        (&json!("nothing"), &json!("the tmux server has no sessions"))
    );
    assert_eq!(sandbox.snapshots().len(), 1);
}

#[test]
fn lesson_03_a_damaged_newest_snapshot_is_passed_over_and_named() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    report(&sandbox);
    let damaged = sandbox.user_state().join("snapshots/20990101T000000Z.tsv");
    std::fs::write(&damaged, "").unwrap();
    let shown = sandbox.persist(["show", "--json"]).ok();
    assert_eq!(shown.json()["rows"][0]["session"], "one");
    assert!(
        shown.json()["notes"][0]
            .as_str()
            .unwrap()
            .contains("20990101T000000Z.tsv: line 1: the file is empty")
    );
    let listed = sandbox.persist(["list", "--json"]).ok().json();
    let sound: Vec<_> = listed["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (&s["newest"], &s["sound"]))
        .collect();
    assert_eq!(sound, [(&json!(false), &json!(false)), (&json!(true), &json!(true))]);
    sandbox.tmux(["rename-session", "-t", "one", "two"]).ok();
    assert_eq!(report(&sandbox)["result"], "saved");
    let shown = sandbox.persist(["show", "--json"]).ok().json();
    assert_eq!(shown["rows"][0]["session"], "two", "a new snapshot comes after the damaged one");
}

#[test]
fn lesson_07_every_pane_of_every_window_is_in_the_snapshot() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.tmux(["new-window", "-t", "one:4"]).ok();
    sandbox.tmux(["split-window", "-t", "one:4"]).ok();
    report(&sandbox);
    let shown = sandbox.persist(["show", "--json"]).ok().json();
    let places: Vec<_> = shown["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["window"].as_u64(), row["pane"].as_u64()))
        .collect();
    assert_eq!(places, [(Some(0), Some(0)), (Some(4), Some(0)), (Some(4), Some(1))]);
}

#[test]
fn lesson_08_the_cwd_of_a_shell_is_saved_byte_for_byte() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    let names = [
        &b"tab\there"[..],
        b"line\nfeed",
        b"\xff\xfe",
        b"sp ace",
        b"#(touch ran)",
        b"a (deleted)",
        b"-",
        b"\\n",
    ];
    for (n, name) in names.iter().enumerate() {
        let dir = sandbox.work().join(std::ffi::OsStr::from_bytes(name));
        std::fs::create_dir(&dir).unwrap();
        let mut new = sandbox.command("tmux");
        new.args(["-u", "-f", "/dev/null", "new-session", "-d", "-s", &n.to_string()]);
        crate::support::run(new.current_dir(&dir)).ok();
    }
    let shells =
        |sandbox: &Sandbox| sandbox.panes("#{pane_current_command}") == vec!["sh"; names.len()];
    wait_until("every shell runs", || shells(&sandbox));
    report(&sandbox);
    let snapshot = terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap();
    for (n, name) in names.iter().enumerate() {
        let row = snapshot.rows.iter().find(|row| row.session == n.to_string().as_bytes()).unwrap();
        let dir = sandbox.work().canonicalize().unwrap().join(std::ffi::OsStr::from_bytes(name));
        assert_eq!(row.cwd, dir.as_os_str().as_bytes());
    }
    sandbox.crash();
    sandbox.persist(["restore"]).ok();
    wait_until("every shell runs", || shells(&sandbox));
    let saved = sandbox.latest_without_ids();
    report(&sandbox);
    assert_eq!(sandbox.latest_without_ids(), saved, "every pane is in its directory");
    assert!(!sandbox.work().join("ran").exists());
}

#[test]
fn a_removed_directory_is_saved_by_its_last_name_and_restored_in_the_home() {
    let sandbox = Sandbox::new();
    let dir = sandbox.work().join("gone");
    std::fs::create_dir(&dir).unwrap();
    sandbox.tmux(["new-session", "-d", "-s", "one", "-c", dir.to_str().unwrap()]).ok();
    wait_until("the pane is in its directory", || {
        sandbox.panes("#{pane_current_path}")[0].ends_with("/gone")
    });
    std::fs::remove_dir(&dir).unwrap();
    report(&sandbox);
    sandbox.crash();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    let row = &json["rows"][0];
    assert!(row["cwd"].as_str().unwrap().ends_with("/gone"), "{row}");
    assert!(
        row["reason"].as_str().unwrap().ends_with("cannot be entered: starts in the home"),
        "{row}"
    );
    let home = sandbox.home().canonicalize().unwrap();
    wait_until("the pane is in the home", || {
        sandbox.panes("#{pane_current_path}") == [home.to_str().unwrap()]
    });
}
