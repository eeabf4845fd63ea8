//! The tmux server, killed and closed.

use super::support::{Watching, kill9};
use crate::support::wait_until;

fn two_agents(user: &Watching) -> [String; 2] {
    let one = user.agent_in_a_shell("one", 0);
    user.t("split-window -t one");
    user.t("new-window -d -t one");
    user.t("new-session -d -s shell");
    let two = user.agent_in("new-session -d -s two -x 100 -y 30", "claude");
    user.save();
    [one, two]
}

fn assert_all_is_back(user: &Watching, [one, two]: &[String; 2]) {
    user.wait_for_starts(4);
    let expected = ["one:0.0", "one:0.1", "one:1.0", "shell:0.0", "two:0.0"];
    wait_until("all panes are back under their names", || {
        let mut panes = user.panes("#{session_name}:#{window_index}.#{pane_index}");
        panes.sort();
        panes == expected
    });
    for (session, conversation) in [("one:0.0", one), ("two", two)] {
        user.wait_for_text(session, "the tmux server was killed at ");
        assert_eq!(user.conversation_shown(session), *conversation);
    }
    user.wait_until_settled();
}

#[test]
fn everything_is_back_after_the_server_was_killed() {
    let mut user = Watching::new("");
    let conversations = two_agents(&user);
    user.watch();
    user.wait_for_watched(2);
    kill9(user.server());
    assert_all_is_back(&user, &conversations);
    assert_eq!(user.events(), ["server-death signal", "restored signal"]);
    user.wait_for_watched(2);
}

#[test]
fn an_agent_that_dies_at_once_after_its_server_came_back_is_given_up_like_any_other() {
    let mut user = Watching::new("interval_minutes = 0\ncomebacks = 2");
    user.agent_in_a_shell("one", 0);
    let two = user.agent_in_a_shell("two", 0);
    user.watch();
    user.wait_for_watched(2);
    // From now on it dies as it starts on one of the conversations.
    let program = user.bin().join("claude");
    std::fs::create_dir(user.bin().join("lives")).unwrap();
    std::fs::rename(&program, user.bin().join("lives/claude")).unwrap();
    let dies = format!("case $* in *{two}*) kill -9 $$ ;; esac");
    let script = format!("#!/bin/sh\n{dies}\nexec \"${{0%/*}}/lives/claude\" \"$@\"\n");
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    kill9(user.server());
    wait_until("it is given up", || {
        user.events().last().is_some_and(|last| last == "gave-up signal")
    });
    user.wait_for_text("two", "it came back 2 times");
    assert_eq!(
        user.events(),
        [
            "server-death signal",
            "restored signal",
            "not-resumed signal",
            "resumed signal",
            "not-resumed signal",
            "gave-up signal"
        ]
    );
    // The other one is back, and watched.
    assert_eq!(user.started().len(), 3);
    user.wait_for_watched(1);
}

#[test]
fn a_watch_that_was_started_in_a_pane_survives_the_server_and_brings_it_back() {
    let mut user = Watching::new("");
    let conversations = two_agents(&user);
    user.watch_in_a_pane("shell");
    user.wait_for_watched(2);
    kill9(user.server());
    assert_all_is_back(&user, &conversations);
}

#[test]
fn a_server_that_was_killed_while_no_watch_ran_is_back_with_the_next_watch() {
    let mut user = Watching::new("");
    let conversations = two_agents(&user);
    user.watch();
    user.wait_for_watched(2);
    user.end_watch();
    kill9(user.server());
    user.watch();
    assert_all_is_back(&user, &conversations);
}

#[test]
fn an_agent_that_was_killed_while_no_watch_ran_is_back_with_the_next_watch() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    let command = user.launched();
    let conversation = user.agent_in("new-session -d -s work -x 100 -y 30", &command);
    user.save();
    user.watch();
    user.wait_for_watched(1);
    user.end_watch();
    kill9(user.last_agent());
    user.wait_for_text("work", "was killed by signal 9");
    user.watch();
    user.wait_for_starts(2);
    user.wait_for_text("work", "resumed by 'persist watch'");
    assert_eq!(user.conversation_shown("work"), conversation);
}

#[test]
fn the_units_watch_starts_no_server_but_exits_so_that_the_sessions_unit_does() {
    let mut user = Watching::new("");
    let conversations = two_agents(&user);
    user.watch_with("watch --by-unit");
    user.wait_for_watched(2);
    kill9(user.server());
    assert_eq!(user.wait_for_end(), Some(6));
    assert!(!user.persist("status --json").ok().out().contains("\"server\":\"running\""));
    // As the keeper does in that unit.
    user.restore();
    assert_eq!(user.started().len(), 4);
    user.watch_with("watch --by-unit");
    assert_all_is_back(&user, &conversations);
    assert_eq!(user.events(), ["server-death signal", "restored signal"]);
}

#[test]
fn a_new_server_at_the_same_socket_is_watched_like_the_one_before() {
    let mut user = Watching::new("");
    user.agent_in_a_shell("work", 0);
    user.watch();
    user.wait_for_watched(1);
    user.t("kill-server");
    user.wait_for_watched(0);
    let conversation = user.agent_in_a_shell("again", 1);
    kill9(user.last_agent());
    user.wait_for_starts(3);
    user.wait_for_text("again", "resumed by 'persist watch'");
    assert_eq!(user.conversation_shown("again"), conversation);
}
