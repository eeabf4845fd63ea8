//! Hooks on what a save and a restore ask a server and set in it, of which none hears: they wait, fail, print or ask.

use crate::support::sandbox::{ended, kill};
use crate::support::set_up::SetUp;
use crate::support::wait_until;

const HOOKS: [&str; 12] = [
    "after-display-message",
    "after-list-clients",
    "after-list-keys",
    "after-list-panes",
    "after-list-sessions",
    "after-list-windows",
    "after-new-session",
    "after-set-environment",
    "after-set-hook",
    "after-set-option",
    "after-show-environment",
    "after-show-options",
];

/// The words that set these hooks. Neither they nor the question of [`heard`] run any.
fn set(hooks: &[&str], command: &str) -> Vec<String> {
    let set = |hook: &&str| {
        let heard = format!("set-window-option -gaF @heard '#{{hook}} ' ; {command}");
        ["set-window-option", "-g", hook, &heard, ";"].map(str::to_owned)
    };
    hooks.iter().flat_map(set).collect()
}

fn unset() -> Vec<String> {
    let unset = |hook: &&str| ["set-window-option", "-gu", hook, ";"].map(str::to_owned);
    HOOKS.iter().flat_map(unset).collect()
}

/// The hooks that have run.
fn heard(set_up: &SetUp) -> String {
    let heard = set_up.tmux(["list-commands", "-F", "#{@heard}", "display-message"]).out();
    heard.trim().to_owned()
}

/// Runs `persist WORDS` while a server has the hooks; it reports nothing unusual.
#[track_caller]
fn undisturbed(set_up: &SetUp, words: &str, hooks: &[&str], command: &str) {
    set_up.tmux(set(hooks, command));
    let run = set_up.persist(words).ok();
    assert_eq!(run.err(), "", "{words}: {command}");
    assert_eq!(heard(set_up), "", "{words}: {command}");
    set_up.tmux(unset());
}

/// What is saved of the options that users set.
fn options(set_up: &SetUp) -> Vec<String> {
    let rows = set_up.snapshot().rows.into_iter();
    let field = |field: Vec<u8>| String::from_utf8(field).unwrap().replace('\0', " ");
    rows.filter_map(|row| row.user_options.map(field)).collect()
}

/// Saves, restores in place, makes a session anew in a running server, and starts a server, all with hooks.
#[track_caller]
fn survives(command: &str) {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s web", "claude");
    set_up.t("new-session -d -s other");
    set_up.t("set-option -p -t other: @role one");
    set_up.t("set-option -t web: @title two");
    undisturbed(&set_up, "save", &HOOKS, command);
    let saved = ["p:@role=one ", "s:@title=two "];
    assert_eq!(options(&set_up), saved, "{command}");
    let agent = set_up.started()[0].pid;
    kill(agent);
    wait_until("the agent is gone", || ended(agent));
    undisturbed(&set_up, "restore", &HOOKS, command);
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("=web:"), id, "{command}");
    set_up.t("kill-session -t other");
    undisturbed(&set_up, "restore", &HOOKS, command);
    assert_eq!(set_up.panes("#{session_name} #{@role}"), ["other one", "web "], "{command}");
    set_up.crash();
    let line =
        |words: &[String]| ["set-window-option -g ", &words[2], " \"", &words[3], "\"\n"].concat();
    set_up.tmux_conf(&set(&HOOKS, command).chunks(5).map(line).collect::<String>());
    let run = set_up.persist("restore").ok();
    assert_eq!(run.err(), "", "{command}");
    assert_eq!(heard(&set_up), "", "{command}");
    set_up.wait_for_starts(3);
    let run = set_up.persist("save").ok();
    assert_eq!((run.err(), heard(&set_up)), (String::new(), String::new()), "{command}");
    set_up.tmux(unset());
    assert_eq!(options(&set_up), saved, "{command}");
}

#[test]
fn hooks_on_questions_that_wait_hold_no_save_and_no_restore_up() {
    survives("run-shell 'sleep 60'");
}

#[test]
fn hooks_on_questions_that_ask_hold_no_save_and_no_restore_up() {
    survives("confirm-before -p sure? kill-window");
}

#[test]
fn hooks_on_questions_that_fail_change_no_answer() {
    survives("kill-pane -t nowhere");
}

#[test]
fn hooks_on_questions_that_print_change_no_answer() {
    survives("run-shell 'echo printed'");
    survives("show-options -g");
}

#[test]
fn hooks_on_questions_that_save_do_not_run() {
    survives("run-shell -b 'persist save --coalesce'");
}
