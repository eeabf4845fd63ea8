//! `persist forget`: what is closed on purpose stays closed.

use crate::support::Sandbox;
use serde_json::json;

#[test]
fn lesson_19_a_session_closed_on_purpose_is_not_restored_unless_it_is_named() {
    let sandbox = Sandbox::new();
    for name in ["kept", "closed"] {
        sandbox.tmux(["new-session", "-d", "-s", name]).ok();
    }
    sandbox.persist(["save"]).ok();
    sandbox.persist(["forget", "closed", "--reason", "done\twith it"]).ok();
    sandbox.crash();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    let row = &json["rows"][0];
    assert_eq!((&row["session"], &row["selected"]), (&json!("closed"), &json!(false)));
    assert_eq!(row["reason"], "closed on purpose: done\\twith it");
    assert_eq!(row["result"], "not selected");
    assert_eq!(sandbox.panes("#{session_name}"), ["kept"]);
    sandbox.persist(["restore", "closed"]).ok();
    assert_eq!(sandbox.panes("#{session_name}"), ["closed", "kept"]);
}

#[test]
fn a_session_that_is_there_again_after_it_was_closed_is_restored() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "again"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.persist(["forget", "again"]).ok();
    let saved = sandbox.persist(["save", "--json"]).ok().json();
    assert_eq!(saved["users"][0]["result"], "saved", "an equal state, but newer than the closing");
    sandbox.crash();
    sandbox.persist(["restore"]).ok();
    assert_eq!(sandbox.panes("#{session_name}"), ["again"]);
}

#[test]
fn a_name_that_no_snapshot_has_is_recorded_with_a_note() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    let run = sandbox.persist(["forget", "on", "--json"]).ok();
    assert_eq!(run.json()["sessions"], json!(["on"]));
    assert!(run.json()["notes"][0].as_str().unwrap().contains("no session 'on'"));
}
