//! Conversations that Claude runs in the background, and the views of them.

use super::stray::Strays;
use super::{Place, pane_at};
use crate::support::agents::Agent;
use crate::support::sandbox::{ended, tree};
use crate::support::{AgentLab, wait_until};

/// The rows of the newest snapshot: session, conversation, evidence.
fn saved(lab: &AgentLab) -> Vec<(String, String)> {
    lab.persist(["save"]).ok();
    let snapshot = terminal_lobby::snapshot::decode(&lab.sandbox.latest()).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let row = |row: &terminal_lobby::snapshot::Row| {
        (text(&row.session), text(row.conversation.as_deref().unwrap_or_default()))
    };
    snapshot.rows.iter().map(row).collect()
}

/// Whether a program with these words runs in a pane.
fn runs(lab: &AgentLab, pane: &str, words: &[&str]) -> bool {
    let root = lab.pane(pane, "#{pane_pid}").parse().unwrap();
    tree(root).into_iter().any(|pid| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        text.split('\0').skip(1).take(words.len()).eq(words.iter().copied())
    })
}

/// Types to a Claude without a record of its own.
fn prompt(lab: &AgentLab, pane: &str, text: &str) -> crate::support::mock_api::Turn {
    let agent = Agent { pane: pane.to_owned(), pid: 0, conversation: String::new() };
    lab.prompt(&agent, text)
}

#[test]
fn the_conversation_that_a_pane_shows_after_the_view_of_all_is_the_one_that_comes_back() {
    let Some(lab) = AgentLab::new() else { return };
    let strays = Strays(&lab);
    let first = lab.start_claude("web", &lab.sandbox.work(), &[]);
    lab.prompt(&first, "hello first");
    // To the view of all conversations and back, one key each: the conversation goes to the background.
    lab.tmux(["send-keys", "-t", &first.pane, "Left"]).ok();
    let screen = || lab.screen(&first.pane);
    let task = "describe a task for a new session";
    wait_until("the view lists it", || {
        let shown = screen();
        shown.contains(task) && shown.contains("hello first")
    });
    lab.tmux(["send-keys", "-t", &first.pane, "Enter"]).ok();
    wait_until("the pane shows the copy in the background", || {
        let shown = screen();
        shown.contains("ack: hello first") && shown.contains('❯') && !shown.contains(task)
    });
    let turn = prompt(&lab, &first.pane, "hello again");
    assert_eq!(turn.user_texts, ["hello first", "hello again"]);
    let now = turn.session.unwrap();
    assert_eq!(saved(&lab), [("web".to_owned(), now.clone())], "not {}", first.conversation);
    strays.crash();
    lab.persist(["restore"]).ok();
    let again = lab.claude_in(&pane_at(&lab, Place("web", 0, 0)));
    assert_eq!(again.conversation, now);
    let turn = lab.prompt(&again, "recall");
    assert_eq!(turn.user_texts, ["hello first", "hello again", "recall"]);
}

#[test]
fn views_get_no_conversation_of_others_and_come_back_as_themselves() {
    let Some(lab) = AgentLab::new() else { return };
    let strays = Strays(&lab);
    let work = lab.sandbox.work();
    let left = lab.start(&["new-session", "-s", "left"], &work, &["sh"]);
    lab.enter(&left, "claude");
    let agent = lab.claude_in(&left);
    lab.prompt(&agent, "left behind");
    let view = lab.start(&["new-session", "-s", "view"], &work, &["claude", "agents"]);
    wait_until("the view is shown", || runs(&lab, &view, &["agents"]));
    lab.enter(&left, "/background");
    wait_until("the conversation has left its pane", || ended(agent.pid));
    let none = |name: &str| (name.to_owned(), String::new());
    assert_eq!(saved(&lab), [none("left"), none("view")]);
    strays.crash();
    lab.persist(["restore"]).ok();
    let view = pane_at(&lab, Place("view", 0, 0));
    wait_until("the view is back", || runs(&lab, &view, &["agents"]));
    assert_eq!(saved(&lab), [none("left"), none("view")]);
    // What was in the background can be resumed.
    let pane = lab.start(
        &["new-session", "-s", "again"],
        &work,
        &["claude", "--resume", &agent.conversation],
    );
    let again = lab.claude_in(&pane);
    assert_eq!(lab.prompt(&again, "recall").user_texts, ["left behind", "recall"]);
}

#[test]
fn a_fork_that_was_not_prompted_since_comes_back_with_its_history() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let stem = lab.start_claude("stem", &work, &[]);
    lab.prompt(&stem, "from the stem");
    let fork = lab.start_claude("fork", &work, &["--resume", &stem.conversation, "--fork-session"]);
    assert_ne!(fork.conversation, stem.conversation);
    for _ in 0..2 {
        lab.persist(["save"]).ok();
        lab.sandbox.crash();
        lab.persist(["restore"]).ok();
        let again = lab.claude_in(&pane_at(&lab, Place("fork", 0, 0)));
        assert_eq!(again.conversation, fork.conversation);
    }
    let again = lab.claude_in(&pane_at(&lab, Place("fork", 0, 0)));
    let turn = lab.prompt(&again, "recall");
    assert_eq!(turn.user_texts, ["from the stem", "recall"]);
    assert_eq!(turn.session.as_ref(), Some(&fork.conversation));
    let stem_again = lab.claude_in(&pane_at(&lab, Place("stem", 0, 0)));
    assert_eq!(stem_again.conversation, stem.conversation);
}
