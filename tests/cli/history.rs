//! `persist history`: every conversation that was ever seen.

use crate::support::planted::{DAY, agent, now};
use crate::support::sandbox::user;
use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

fn history(sandbox: &Sandbox) -> Value {
    sandbox.persist(["history", "--json"]).ok().json()
}

/// What the history says of a conversation.
fn one<'a>(history: &'a Value, id: &str) -> &'a Value {
    let all = history["conversations"].as_array().unwrap();
    all.iter().find(|one| one["conversation"] == id).unwrap_or_else(|| panic!("{id}: {history}"))
}

fn index(sandbox: &Sandbox) -> PathBuf {
    sandbox.user_state().join("conversations.tsv")
}

/// Three sessions with an agent each, saved.
fn three() -> Sandbox {
    let sandbox = Sandbox::new();
    let work = sandbox.work().to_str().unwrap().to_owned();
    for (n, name) in [(1, "one"), (2, "two"), (3, "three")] {
        sandbox.stub_in(&["new-session", "-d", "-s", name, "-c", &work], &id(n));
    }
    sandbox.persist(["save"]).ok();
    sandbox
}

#[test]
fn it_tells_what_became_of_each_conversation_and_why_sessions_were_closed() {
    let sandbox = three();
    sandbox.persist(["ended", &id(2), "--how", "closed", "--reason", "exited with 0"]).ok();
    sandbox.persist(["forget", "three", "--reason", "done\twith it"]).ok();
    for name in ["two", "three"] {
        sandbox.tmux(["kill-session", "-t", name]).ok();
    }
    let gone = |n| sandbox.agents_on(&id(n)).is_empty();
    wait_until("both agents are gone", || gone(2) && gone(3));
    sandbox.persist(["save"]).ok();
    let history = history(&sandbox);
    let states: Vec<_> = (1..4).map(|n| one(&history, &id(n))["state"].clone()).collect();
    assert_eq!(states, ["live", "closed", "closed"], "{history}");
    assert_eq!(one(&history, &id(2))["reason"], "exited with 0");
    let three = one(&history, &id(3));
    assert_eq!((&three["agent"], &three["session"]), (&json!("claude"), &json!("three")));
    assert_eq!(three["reason"], "done\twith it");
    assert_eq!(three["cwd"], sandbox.work().canonicalize().unwrap().to_str().unwrap());
    let seen = |key: &str| three[key].as_u64().unwrap();
    assert!(now() - seen("first_seen") < 60 && seen("last_seen") >= seen("first_seen"));
    let closed = &history["closed"];
    assert_eq!(closed[0]["session"], "three");
    assert_eq!(
        (&closed[0]["reason"], &closed[0]["closed"]),
        (&json!("done\twith it"), &three["ended"])
    );
}

#[test]
fn it_outlives_the_snapshots_and_is_made_anew_from_them_when_it_is_gone() {
    let sandbox = three();
    sandbox.plant(now() - 5 * DAY, &[agent("old", &id(9))]);
    assert_eq!(history(&sandbox)["conversations"].as_array().unwrap().len(), 3);
    std::fs::remove_file(index(&sandbox)).unwrap();
    let made = history(&sandbox);
    assert_eq!(made["conversations"].as_array().unwrap().len(), 4);
    assert!(!index(&sandbox).exists(), "whoever only looks writes nothing");
    let old = one(&made, &id(9));
    assert_eq!((&old["state"], &old["session"]), (&json!("gone"), &json!("old")));
    assert_eq!(old["first_seen"], old["last_seen"]);
    sandbox.persist(["save"]).ok();
    assert!(index(&sandbox).exists());
    std::fs::remove_dir_all(sandbox.snapshot_dir()).unwrap();
    let left = history(&sandbox);
    assert_eq!(left["conversations"].as_array().unwrap().len(), 4);
    assert_eq!(one(&left, &id(1))["state"], "gone", "no snapshot says that it lives");
}

#[test]
fn bad_lines_are_named_and_the_next_save_mends_them() {
    let sandbox = three();
    let text = std::fs::read_to_string(index(&sandbox)).unwrap();
    std::fs::write(index(&sandbox), text.replacen("claude", "claude\ttorn", 1)).unwrap();
    let told = history(&sandbox);
    assert!(
        told["notes"][0].as_str().unwrap().ends_with("conversations.tsv: invalid line 2"),
        "{told}"
    );
    assert_eq!(told["conversations"].as_array().unwrap().len(), 3, "from the snapshots");
    sandbox.tmux(["rename-session", "-t", "one", "uno"]).ok();
    sandbox.persist(["save"]).ok();
    let told = history(&sandbox);
    assert_eq!(told["notes"], json!([]));
    assert_eq!(one(&told, &id(1))["session"], "uno");
    assert_eq!(told["conversations"].as_array().unwrap().len(), 3);
}

#[test]
fn a_save_writes_the_index_only_when_a_conversation_is_new_or_elsewhere() {
    let sandbox = three();
    let inode = || index(&sandbox).metadata().unwrap().ino();
    let first = inode();
    sandbox.persist(["save"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "shell"]).ok();
    sandbox.persist(["save"]).ok();
    assert_eq!(sandbox.snapshots().len(), 2);
    assert_eq!(inode(), first, "nothing new about a conversation");
    sandbox.tmux(["rename-session", "-t", "two", "deux"]).ok();
    sandbox.persist(["save"]).ok();
    assert_ne!(inode(), first);
}

#[test]
fn an_index_that_cannot_be_written_is_a_note_and_the_save_succeeds() {
    let sandbox = three();
    std::fs::remove_file(index(&sandbox)).unwrap();
    std::fs::create_dir(index(&sandbox)).unwrap();
    sandbox.tmux(["rename-session", "-t", "one", "uno"]).ok();
    let saved = sandbox.persist(["save", "--json"]).ok().json();
    assert_eq!(saved["users"][0]["result"], "saved");
    let note = saved["users"][0]["notes"][0].as_str().unwrap();
    assert!(
        note.starts_with("not in the history: ") && note.contains("conversations.tsv"),
        "{note}"
    );
}

#[test]
fn the_last_fifty_are_listed_with_their_ages_and_all_of_them_on_request() {
    let sandbox = Sandbox::new();
    let rows: Vec<_> = (0..60).map(|n| agent(&format!("s{n}\u{1b}[31m"), &id(n))).collect();
    let planted = now() - 3 * 86_400 - 60;
    let id = sandbox.plant(planted, &rows);
    let run = sandbox.persist(["history"]).ok();
    let out = run.out();
    let first = format!("{}: conversations as of {id}", user());
    assert_eq!(out.lines().next(), Some(first.as_str()));
    assert!(out.contains("3 days ago  3 days ago  live   claude"), "{out}");
    assert!(out.contains("  and 10 older ones (--all)\n"), "{out}");
    assert!(!out.contains('\u{1b}'));
    assert_eq!(out.lines().count(), 53);
    let all = sandbox.persist(["history", "--all"]).ok().out();
    assert_eq!(all.lines().count(), 62);
    let json = sandbox.persist(["history", "--json"]).ok().json();
    assert_eq!((&json["more"], json["conversations"].as_array().unwrap().len()), (&json!(10), 50));
    assert_eq!(json["conversations"][0]["last_seen"], planted);
}

#[test]
fn without_a_store_there_is_no_history_and_none_is_made() {
    let sandbox = Sandbox::new();
    let out = sandbox.persist(["history"]).ok().out();
    assert_eq!(out, format!("{}: no conversations\n", user()));
    assert!(!sandbox.user_state().exists());
}
