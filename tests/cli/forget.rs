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
fn a_name_that_nothing_has_is_an_error_with_the_name_that_was_meant() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    let run = sandbox.persist(["forget", "on"]).code(2);
    assert!(run.err().contains("no session 'on': neither live nor in any snapshot"), "{run:?}");
    assert!(run.err().contains("hint: did you mean 'one'?"), "{run:?}");
    sandbox.persist(["forget", "one", "other"]).code(2);
    assert!(!sandbox.user_state().join("forgotten.tsv").exists(), "nothing is recorded");
}

#[test]
fn a_name_that_is_only_live_or_only_in_an_older_snapshot_is_recorded() {
    let sandbox = Sandbox::new();
    for name in ["old", "kept"] {
        sandbox.tmux(["new-session", "-d", "-s", name]).ok();
    }
    sandbox.persist(["save"]).ok();
    sandbox.persist(["forget", "--kill", "old"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "new"]).ok();
    for name in ["old", "new"] {
        let json = sandbox.persist(["forget", name, "--json"]).ok().json();
        assert_eq!(json["sessions"], json!([name]));
    }
    std::fs::remove_file(sandbox.user_state().join("forgotten.tsv")).unwrap();
    let damaged = sandbox.user_state().join("snapshots/20200101T000000Z.tsv");
    std::fs::write(damaged, "not a snapshot").unwrap();
    let run = sandbox.persist(["forget", "unknown", "--json"]).ok();
    let note = run.json()["notes"][0].as_str().unwrap().to_owned();
    assert_eq!(note, "no valid snapshot has a session 'unknown'; recorded anyway");
}
