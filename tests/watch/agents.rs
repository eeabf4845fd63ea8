//! Agents that are killed in their panes.

use super::support::{Watching, kill9, signal};
use nix::sys::signal::Signal;

#[test]
fn an_agent_that_is_killed_in_a_shell_is_back_in_its_pane_on_its_own_conversation() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.watch();
    let conversation = user.agent_in_a_shell("work", 1);
    let pane = user.panes("#{session_name} #{pane_id}");
    kill9(user.last_agent());
    let started = user.wait_for_starts(2);
    assert!(started[1].arguments().starts_with(&format!("--resume {conversation}")));
    let shown = user.wait_for_text("work", "resumed by 'persist watch'");
    assert!(shown.contains("claude was killed at "), "{shown}");
    assert!(shown.contains("(signal 9)"), "{shown}");
    assert_eq!(user.panes("#{session_name} #{pane_id}"), pane);
    user.wait_until_settled();
    let events = user.events();
    assert_eq!(events, ["death signal", "resumed signal"]);
}

#[test]
fn two_agents_of_one_directory_that_die_together_get_their_own_conversations() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.watch();
    let one = user.agent_in_a_shell("one", 1);
    let first = user.last_agent();
    let two = user.agent_in_a_shell("two", 2);
    kill9(first);
    kill9(user.last_agent());
    user.wait_for_starts(4);
    for (session, conversation) in [("one", one), ("two", two)] {
        user.wait_for_text(session, "resumed by 'persist watch'");
        assert_eq!(user.conversation_shown(session), conversation);
    }
}

#[test]
fn an_agent_below_the_launcher_comes_back_in_its_pane() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.watch();
    let command = user.launched();
    let conversation = user.agent_in("new-session -d -s work -x 100 -y 30", &command);
    user.save();
    user.wait_for_watched(1);
    let pane = user.panes("#{session_name} #{pane_id}");
    kill9(user.last_agent());
    user.wait_for_starts(2);
    user.wait_for_text("work", "resumed by 'persist watch'");
    assert_eq!(user.conversation_shown("work"), conversation);
    assert_eq!(user.panes("#{session_name} #{pane_id}"), pane);
}

#[test]
fn a_session_that_ended_with_its_agent_comes_back_under_its_name() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.watch();
    let conversation = user.agent_in("new-session -d -s work -x 100 -y 30", "claude");
    user.save();
    user.wait_for_watched(1);
    kill9(user.last_agent());
    user.wait_for_starts(2);
    user.wait_for_text("work", "resumed by 'persist watch'");
    assert_eq!(user.conversation_shown("work"), conversation);
}

#[test]
fn a_server_that_ended_with_its_last_agent_is_started_again() {
    let mut user = Watching::new("");
    let conversation = user.agent_in("new-session -d -s work -x 100 -y 30", "claude");
    user.save();
    user.watch();
    user.wait_for_watched(1);
    kill9(user.last_agent());
    user.wait_for_starts(2);
    user.wait_for_text("work", "resumed by 'persist watch'");
    assert_eq!(user.conversation_shown("work"), conversation);
}

#[test]
fn an_agent_that_crashes_comes_back_and_the_pane_says_that_it_crashed() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.watch();
    let conversation = user.agent_in_a_shell("work", 1);
    signal(user.last_agent(), Signal::SIGABRT);
    user.wait_for_starts(2);
    user.wait_for_text("work", "claude crashed at ");
    assert_eq!(user.conversation_shown("work"), conversation);
}

#[test]
fn codex_comes_back_on_its_thread() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.watch();
    user.t("new-session -d -s work -x 100 -y 30");
    user.sandbox.wait_for_prompt("work");
    user.type_line("work", "codex");
    user.wait_for_starts(1);
    let thread = user.conversation_shown("work");
    user.save();
    user.wait_for_watched(1);
    kill9(user.last_agent());
    let started = user.wait_for_starts(2);
    assert!(started[1].arguments().contains(&format!("resume {thread}")), "{started:?}");
    user.wait_for_text("work", "codex was killed at ");
}

#[test]
fn the_conversation_that_it_was_on_last_is_resumed() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.watch();
    let first = user.agent_in_a_shell("work", 1);
    user.type_line("work", "/clear");
    user.wait_for_text("work", "AGENT claude");
    let second = crate::support::wait_for("the new conversation", || {
        let on = user.conversations().last().unwrap().conversation.clone();
        (on != first).then_some(on)
    });
    user.save();
    kill9(user.last_agent());
    let started = user.wait_for_starts(2);
    assert!(started[1].arguments().starts_with(&format!("--resume {second}")));
}

#[test]
fn an_agent_that_was_hung_up_on_since_the_first_process_of_its_pane_was_killed_comes_back() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.watch();
    let conversation = user.agent_in_a_shell("work", 1);
    let shell = user.tmux(["display-message", "-p", "-t", "work", "#{pane_pid}"]).out();
    kill9(shell.trim().parse().unwrap());
    user.wait_for_starts(2);
    user.wait_for_text("work", "resumed by 'persist watch'");
    assert_eq!(user.conversation_shown("work"), conversation);
}

#[test]
fn an_agent_that_no_snapshot_had_is_saved_as_soon_as_it_is_seen() {
    let mut user = Watching::new("");
    user.t("new-session -d -s work -x 100 -y 30");
    user.sandbox.wait_for_prompt("work");
    user.type_line("work", "claude");
    user.wait_for_starts(1);
    let conversation = user.conversation_shown("work");
    assert!(user.sandbox.snapshots().is_empty());
    user.watch();
    user.wait_for_watched(1);
    assert_eq!(user.conversation("work:0.0"), Some(conversation.clone()));
    kill9(user.last_agent());
    user.wait_for_starts(2);
    user.wait_for_text("work", "resumed by 'persist watch'");
    assert_eq!(user.conversation_shown("work"), conversation);
}

#[test]
fn a_new_agent_is_watched_by_its_own_record_although_nothing_is_saved() {
    let mut user = Watching::new("");
    let first = user.agent_in_a_shell("first", 0);
    user.watch();
    user.wait_for_watched(1);
    user.t("new-session -d -s work -x 100 -y 30");
    user.sandbox.wait_for_prompt("work");
    user.type_line("work", "claude");
    user.wait_for_starts(2);
    user.wait_for_watched(2);
    assert_ne!(user.conversation("work:0.0"), Some(first));
}

#[test]
fn a_site_may_tell_an_agent_first_that_it_came_back() {
    let mut user = Watching::new("first_message = \"You were killed. Go on.\"");
    user.t("new-session -d -s other");
    user.watch();
    let conversation = user.agent_in_a_shell("work", 1);
    kill9(user.last_agent());
    let started = user.wait_for_starts(2);
    let expected = format!("--resume {conversation} You were killed. Go on.");
    assert_eq!(started[1].arguments(), expected);
}
