//! The process of the watch: one for each user, small, idle, and lost without harm.

use super::support::{Watching, kill9};
use crate::support::wait_until;
use std::time::Duration;

/// Proportional set size in KiB, and how often a process has woken.
fn cost(pid: i32) -> (u64, u64) {
    let number = |file: &str, name: &str| -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_ascii_whitespace().next().unwrap().parse().unwrap()
    };
    (number("smaps_rollup", "Pss:"), number("status", "voluntary_ctxt_switches:"))
}

#[test]
fn a_second_watch_exits_with_a_clear_message() {
    let mut user = Watching::new("");
    user.watch();
    let second = user.persist("watch").code(1);
    let expected =
        format!("another 'persist watch' runs for this user (process {})", user.watch_pid());
    assert!(second.err().contains(&expected), "{}", second.err());
    user.end_watch();
    assert!(user.persist("status --json").ok().out().contains("\"watched\":false"));
}

#[test]
fn it_sleeps_while_nothing_happens_and_needs_little_memory() {
    let mut user = Watching::new("");
    user.agent_in_a_shell("work", 0);
    user.watch();
    user.wait_for_watched(1);
    assert!(user.persist("status --json").ok().out().contains("\"watched\":true"));
    let pid = user.watch_pid();
    // The list that follows the save of the first one.
    wait_until("it sleeps", || {
        let before = cost(pid).1;
        std::thread::sleep(Duration::from_millis(2500));
        cost(pid).1 == before
    });
    let (_, before) = cost(pid);
    // What agents write again and again, and what is typed, wakes it not once.
    user.type_line("work", "a prompt");
    std::thread::sleep(Duration::from_secs(3));
    let (pss, after) = cost(pid);
    assert_eq!(after, before, "it woke");
    println!("Pss of a watch: {pss} KiB");
    let limit = if cfg!(debug_assertions) { 10 << 10 } else { 4 << 10 };
    assert!(pss < limit, "{pss} KiB");
}

#[test]
fn one_of_forty_agents_in_twenty_sessions_costs_no_more_and_each_is_back_soon() {
    const AGENTS: usize = 40;
    let mut user = Watching::new("");
    for n in 0..AGENTS {
        let place = if n % 2 == 0 { "new-session -d -s" } else { "split-window -d -t" };
        user.t(&format!("{place} s{} claude", n / 2));
    }
    let agents: Vec<i32> = user.wait_for_starts(AGENTS).iter().map(|agent| agent.pid).collect();
    user.save();
    user.watch();
    user.wait_for_watched(AGENTS);
    let pid = user.watch_pid();
    wait_until("it sleeps", || {
        let before = cost(pid).1;
        std::thread::sleep(Duration::from_millis(2500));
        cost(pid).1 == before
    });
    let (_, before) = cost(pid);
    std::thread::sleep(Duration::from_secs(10));
    let (pss, after) = cost(pid);
    assert_eq!(after, before, "it woke");
    println!("Pss of a watch of {AGENTS} agents: {pss} KiB");
    let limit = if cfg!(debug_assertions) { 10 << 10 } else { 4 << 10 };
    assert!(pss < limit, "{pss} KiB");
    let begin = std::time::Instant::now();
    kill9(agents[7]);
    user.wait_for_starts(AGENTS + 1);
    println!("one of {AGENTS} agents was back after {:?}", begin.elapsed());
}

#[test]
fn a_watch_that_is_killed_at_any_moment_loses_nothing() {
    for milliseconds in [0, 150, 450, 600, 900] {
        let mut user = Watching::new("interval_minutes = 0\ncomebacks = 9");
        user.t("new-session -d -s other");
        let command = user.launched();
        let conversation = user.agent_in("new-session -d -s work -x 100 -y 30", &command);
        user.save();
        user.watch();
        user.wait_for_watched(1);
        kill9(user.last_agent());
        std::thread::sleep(Duration::from_millis(milliseconds));
        user.end_watch();
        user.wait_for_text("other", "");
        user.watch();
        user.wait_for_starts(2);
        user.wait_until_settled();
        assert_eq!(user.conversation_shown("work"), conversation);
        assert_eq!(user.started().len(), 2, "after {milliseconds} ms");
    }
}
