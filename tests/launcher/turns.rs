//! Agents that start by themselves do so a few at a time, and only while there is memory.

use super::{called, install_agent, start_claude};
use crate::support::sandbox::{children, ended, kill};
use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};
use std::time::Duration;
use terminal_lobby::snapshot::State;

/// A launcher that starts conversation `n` in a session of that name, in its turn.
fn start(sandbox: &Sandbox, n: u32, more: &[&str]) {
    let (launcher, turns) = (start_claude(), sandbox.root().join("turns"));
    let (id, session) = (id(n), n.to_string());
    let mut words = vec!["new-session", "-d", "-s", &session, "-x", "100", "-y", "30", "--"];
    words.extend([launcher.to_str().unwrap(), "--session", &id, "--name", &session]);
    words.extend(["--restored", turns.to_str().unwrap()]);
    words.extend(more);
    sandbox.tmux(words).ok();
}

fn shows(sandbox: &Sandbox, session: &str, text: &str) {
    let target = format!("={session}:");
    wait_until(&format!("{session} shows: {text}"), || {
        sandbox.tmux(["capture-pane", "-p", "-J", "-t", &target]).out().contains(text)
    });
}

/// The process that the launcher of a session runs, once it does.
fn agent(sandbox: &Sandbox, session: &str) -> Option<i32> {
    let panes = sandbox.panes("#{session_name} #{pane_pid}");
    let pid = panes.iter().find_map(|pane| pane.strip_prefix(&format!("{session} ")))?.parse();
    children(pid.unwrap()).into_iter().find(|child| {
        let argv = std::fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        argv.contains("bin/claude")
    })
}

fn sandbox(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.root().join("turns")).unwrap();
    install_agent(&sandbox, script);
    sandbox
}

/// A turn that is held for as long as the file is open.
fn hold(sandbox: &Sandbox, number: usize) -> std::fs::File {
    let file = std::fs::File::create(sandbox.root().join(format!("turns/turn-{number}"))).unwrap();
    file.lock().unwrap();
    file
}

#[test]
fn one_that_has_to_wait_says_so_and_starts_when_a_turn_is_free_or_on_enter() {
    let sandbox = sandbox("sleep 1000; :");
    let (first, second) = (hold(&sandbox, 0), hold(&sandbox, 1));
    start(&sandbox, 1, &["--at-once", "2"]);
    shows(&sandbox, "1", "waits for its turn: 2 start at once; Enter starts it now");
    sandbox.persist(["save"]).ok();
    let rows = terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap().rows;
    assert_eq!(
        (rows[0].state, rows[0].conversation.as_deref()),
        (State::Live, Some(id(1).as_bytes()))
    );
    assert!(!sandbox.root().join("called").exists());
    drop(second);
    assert_eq!(called(&sandbox)[1..3], ["--session-id", &id(1)]);
    // The one that starts holds the turn until it is ready.
    start(&sandbox, 2, &["--at-once", "2"]);
    shows(&sandbox, "2", "waits for its turn");
    sandbox.tmux(["send-keys", "-t", "=2:", "x", "Enter"]).ok();
    wait_until("Enter starts it", || agent(&sandbox, "2").is_some());
    drop(first);
}

#[test]
fn an_agent_that_is_ready_passes_its_turn_on() {
    let sandbox =
        sandbox("mkdir -p ~/.claude/sessions; : >~/.claude/sessions/$$.json; sleep 1000; :");
    let begin = std::time::Instant::now();
    (1..=4).for_each(|n| start(&sandbox, n, &["--at-once", "1"]));
    for session in ["1", "2", "3", "4"] {
        wait_until(&format!("{session} had its turn"), || agent(&sandbox, session).is_some());
    }
    // Without that record three would have held their turns for five seconds each.
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[test]
fn a_launcher_that_was_killed_holds_no_turn() {
    let sandbox = sandbox("sleep 1000; :");
    let begin = std::time::Instant::now();
    start(&sandbox, 1, &["--at-once", "1"]);
    wait_until("the first starts", || agent(&sandbox, "1").is_some());
    start(&sandbox, 2, &["--at-once", "1"]);
    shows(&sandbox, "2", "waits for its turn");
    let launcher = sandbox.panes("#{session_name} #{pane_pid}")[0][2..].parse().unwrap();
    let agent_of_it = agent(&sandbox, "1").unwrap();
    kill(launcher);
    wait_until("the second starts", || agent(&sandbox, "2").is_some());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    wait_until("the pane's end ended the first", || ended(agent_of_it));
}

#[test]
fn without_a_place_for_turns_or_with_a_hostile_one_it_starts() {
    let sandbox = sandbox("sleep 1000; :");
    std::fs::remove_dir(sandbox.root().join("turns")).unwrap();
    start(&sandbox, 1, &["--at-once", "1"]);
    wait_until("it starts", || agent(&sandbox, "1").is_some());
    std::os::unix::fs::symlink("/etc", sandbox.root().join("turns")).unwrap();
    start(&sandbox, 2, &["--at-once", "1"]);
    wait_until("it starts", || agent(&sandbox, "2").is_some());
}

#[test]
fn with_too_little_memory_it_waits_for_enter_and_says_so() {
    let sandbox = sandbox("sleep 1000; :");
    start(&sandbox, 1, &["--at-once", "1", "--memory-floor", &u64::MAX.to_string()]);
    shows(&sandbox, "1", "MiB of memory are free");
    shows(&sandbox, "1", "Enter starts it, q closes it.");
    sandbox.persist(["save"]).ok();
    let rows = terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap().rows;
    assert_eq!(rows[0].state, State::Suspended);
    sandbox.tmux(["send-keys", "-t", "=1:", "Enter"]).ok();
    assert_eq!(called(&sandbox)[1..3], ["--session-id", &id(1)]);
}
