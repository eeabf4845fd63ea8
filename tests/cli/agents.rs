//! Agents in panes, with a stub of Claude Code: who owns a conversation, and how it comes back.

use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};
use serde_json::{Value, json};

fn work(sandbox: &Sandbox) -> String {
    sandbox.work().to_str().unwrap().to_owned()
}

fn row<'a>(json: &'a Value, session: &str) -> &'a Value {
    json["rows"].as_array().unwrap().iter().find(|row| row["session"] == session).unwrap()
}

#[test]
fn lesson_07_an_agent_in_the_second_pane_of_the_second_window_comes_back_on_its_conversation() {
    let sandbox = Sandbox::new();
    let work = work(&sandbox);
    sandbox.stub_in(&["new-session", "-d", "-s", "one", "-c", &work], &id(1));
    sandbox.tmux(["new-window", "-t", "one:1", "-c", &work]).ok();
    sandbox.stub_in(&["split-window", "-t", "one:1", "-c", &work], &id(2));
    sandbox.stub_in(&["new-session", "-d", "-s", "two", "-c", &work], &id(3));
    (1..=3).for_each(|n| drop(sandbox.prompt(&id(n))));
    sandbox.persist(["save"]).ok();
    let saved = terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap();
    let evidence: Vec<_> = saved.rows.iter().filter_map(|row| row.evidence.clone()).collect();
    assert_eq!(evidence, vec![b"record".to_vec(); 3]);
    sandbox.crash();
    sandbox.persist(["restore"]).ok();
    (1..=3).for_each(|n| sandbox.wait_for_agent(&id(n)));
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    assert!(json["rows"].as_array().unwrap().iter().all(|row| row["action"] == "skip"), "{json}");
    (1..=3).for_each(|n| assert_eq!(sandbox.agents_on(&id(n)).len(), 1));
}

#[test]
fn lesson_13_a_conversation_that_runs_under_another_name_is_not_started_again() {
    let sandbox = Sandbox::new();
    let work = work(&sandbox);
    sandbox.stub_in(&["new-session", "-d", "-s", "before", "-c", &work], &id(1));
    sandbox.prompt(&id(1));
    sandbox.persist(["save"]).ok();
    sandbox.tmux(["rename-session", "-t", "before", "after"]).ok();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    let row = row(&json, "before");
    assert_eq!((&row["action"], &row["target"]), (&json!("skip"), &json!("after:0.0")));
    assert_eq!(sandbox.panes("#{session_name}"), ["after"]);
    assert_eq!(sandbox.agents_on(&id(1)).len(), 1);
}

#[test]
fn a_conversation_that_runs_outside_tmux_is_not_started_again() {
    let sandbox = Sandbox::new();
    let work = work(&sandbox);
    sandbox.stub_in(&["new-session", "-d", "-s", "one", "-c", &work], &id(1));
    sandbox.prompt(&id(1));
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let stub = sandbox.install_stub_agent();
    let mut outside = sandbox.command("/bin/sh");
    outside.arg(stub).args(["--resume", &id(1)]).current_dir(sandbox.work());
    let mut outside = outside.spawn().unwrap();
    sandbox.wait_for_agent(&id(1));
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    let why = row(&json, "one")["reason"].as_str().unwrap();
    assert!(why.starts_with("its conversation is live in process "), "{why}");
    crate::support::sandbox::kill_tree(i32::try_from(outside.id()).unwrap());
    outside.wait().unwrap();
}

#[test]
fn lesson_14_a_conversation_that_was_never_prompted_starts_under_its_id() {
    let sandbox = Sandbox::new();
    sandbox.stub_in(&["new-session", "-d", "-s", "one", "-c", &work(&sandbox)], &id(1));
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    assert_eq!(row(&json, "one")["reason"], "never prompted: starts with the same id");
    sandbox.wait_for_agent(&id(1));
}

#[test]
fn a_conversation_without_its_transcript_becomes_a_shell_that_says_why() {
    let sandbox = Sandbox::new();
    sandbox.stub_in(&["new-session", "-d", "-s", "one", "-c", &work(&sandbox)], &id(1));
    let transcript = sandbox.prompt(&id(1));
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    std::fs::remove_file(transcript).unwrap();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    let why = format!("the transcript of {} is gone", id(1));
    assert_eq!(row(&json, "one")["reason"], why.as_str());
    wait_until("the pane says why and has a shell", || {
        let screen = sandbox.tmux(["capture-pane", "-p", "-J", "-t", "one"]).ok().out();
        screen.contains(&why) && sandbox.panes("#{pane_current_command}") == ["sh"]
    });
}

#[test]
fn a_resumed_agent_that_ends_leaves_a_shell_in_the_pane() {
    let sandbox = Sandbox::new();
    sandbox.stub_in(&["new-session", "-d", "-s", "one", "-c", &work(&sandbox)], &id(1));
    sandbox.prompt(&id(1));
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    sandbox.persist(["restore"]).ok();
    sandbox.wait_for_agent(&id(1));
    sandbox.agents_on(&id(1)).into_iter().for_each(crate::support::sandbox::kill_tree);
    wait_until("a shell is left", || sandbox.panes("#{pane_current_command}") == ["sh"]);
    let screen = sandbox.tmux(["capture-pane", "-p", "-J", "-t", "one"]).ok().out();
    assert!(screen.contains("claude was killed by signal 9"), "{screen}");
}

#[test]
fn lesson_11_one_conversation_belongs_to_one_pane() {
    let sandbox = Sandbox::new();
    let work = work(&sandbox);
    sandbox.stub_in(&["new-session", "-d", "-s", "one", "-c", &work], &id(1));
    sandbox.stub_in(&["new-session", "-d", "-s", "two", "-c", &work], &id(1));
    wait_until("both run", || sandbox.agents_on(&id(1)).len() == 2);
    let saved = sandbox.persist(["save", "--json"]).ok().json();
    let note = saved["users"][0]["notes"][0].as_str().unwrap();
    assert!(
        note.starts_with("two:0.0: conversation") && note.contains("belongs to one:0.0"),
        "{note}"
    );
    let rows = terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap().rows;
    assert_eq!(rows.iter().filter(|row| row.conversation.is_some()).count(), 1);
}

#[test]
fn a_conversation_whose_directory_is_gone_is_resumed_by_its_transcript() {
    let sandbox = Sandbox::new();
    let dir = sandbox.work();
    sandbox.stub_in(&["new-session", "-d", "-s", "one", "-c", dir.to_str().unwrap()], &id(1));
    let transcript = sandbox.prompt(&id(1));
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    std::fs::rename(&dir, sandbox.root().join("moved")).unwrap();
    let mut show = sandbox.persist_command(["show", "--json"]);
    let json = crate::support::run(show.current_dir("/")).ok().json();
    let reason = row(&json, "one")["reason"].as_str().unwrap();
    let transcript = transcript.canonicalize().unwrap();
    assert!(reason.starts_with(&format!("resumed from {}", transcript.display())), "{reason}");
    std::fs::rename(sandbox.root().join("moved"), &dir).unwrap();
}

#[test]
fn a_session_of_a_group_that_is_restored_alone_gets_the_groups_agents() {
    let sandbox = Sandbox::new();
    let work = work(&sandbox);
    sandbox.stub_in(&["new-session", "-d", "-s", "lead", "-c", &work], &id(1));
    sandbox.prompt(&id(1));
    sandbox.tmux(["new-session", "-d", "-s", "also", "-t", "lead"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    sandbox.persist(["restore", "also"]).ok();
    sandbox.wait_for_agent(&id(1));
    assert_eq!(sandbox.panes("#{session_name}"), ["also"]);
    let json = sandbox.persist(["restore", "lead", "--json"]).ok().json();
    assert_eq!(row(&json, "lead")["action"], "skip", "its conversation is live in the other");
    assert_eq!(sandbox.agents_on(&id(1)).len(), 1);
}
