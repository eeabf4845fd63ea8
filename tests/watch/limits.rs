//! How often something comes back, and when it has to wait.

use super::support::{Watching, kill9, signal};
use crate::support::lacks::lacks;
use crate::support::wait_until;
use nix::sys::signal::Signal;

#[test]
fn an_agent_that_dies_again_within_the_hour_waits() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.watch();
    user.agent_in_a_shell("work", 1);
    let first = user.last_agent();
    kill9(first);
    user.wait_for_starts(2);
    user.wait_until_settled();
    user.wait_for_another_watched(first);
    kill9(user.last_agent());
    user.wait_for_pending("l");
    user.wait_for_watched(0);
    assert_eq!(user.started().len(), 2);
    assert_eq!(user.events(), ["death signal", "resumed signal", "death signal"]);
}

#[test]
fn what_dies_again_and_again_is_left_after_three_times_until_a_person_has_looked() {
    let mut user = Watching::new("interval_minutes = 0\ncomebacks = 3");
    user.t("new-session -d -s other");
    user.watch();
    user.agent_in_a_shell("work", 1);
    for times in 1..=3 {
        let agent = user.last_agent();
        kill9(agent);
        user.wait_for_starts(times + 1);
        user.wait_for_another_watched(agent);
    }
    let agent = user.last_agent();
    kill9(agent);
    user.wait_for_text("work", "it came back 3 times");
    user.wait_until_looked_into(agent);
    assert_eq!(user.started().len(), 4);
    assert_eq!(user.events().last().unwrap(), "gave-up signal");
    // A person attaches and resumes it; then it is watched as before.
    user.look_at("work");
    user.restore();
    user.wait_for_starts(5);
    user.wait_for_another_watched(agent);
    kill9(user.last_agent());
    user.wait_for_starts(6);
}

#[test]
fn one_that_dies_before_it_is_watched_again_has_come_back_all_the_same() {
    let mut user = Watching::new("interval_minutes = 0\ncomebacks = 1");
    user.t("new-session -d -s other");
    user.watch();
    user.agent_in_a_shell("work", 1);
    let first = user.last_agent();
    kill9(first);
    user.wait_for_starts(2);
    kill9(user.last_agent());
    user.wait_for_text("work", "it came back once");
    user.wait_until_looked_into(first);
    assert_eq!(user.started().len(), 2);
    let events = user.events();
    assert_eq!(events, ["death signal", "resumed signal", "not-resumed signal", "gave-up signal"]);
}

#[test]
fn nothing_comes_back_where_the_site_wants_that() {
    let mut user = Watching::new("comebacks = 0\ninterval_minutes = 0");
    user.t("new-session -d -s other");
    user.watch();
    user.agent_in_a_shell("work", 1);
    let agent = user.last_agent();
    kill9(agent);
    user.wait_until_looked_into(agent);
    assert_eq!(user.started().len(), 1);
}

#[test]
fn nothing_is_started_while_the_host_is_short_of_memory_and_it_comes_back_after_that() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    user.memory(500_000);
    user.watch();
    let conversation = user.agent_in_a_shell("work", 1);
    kill9(user.last_agent());
    user.wait_for_pending("l");
    user.wait_for_watched(0);
    assert_eq!(user.started().len(), 1);
    assert_eq!(user.events(), ["death host-memory"]);
    user.memory(8_000_000);
    user.wait_for_starts(2);
    user.wait_for_text("work", "the host had no memory left");
    assert_eq!(user.conversation_shown("work"), conversation);
}

#[test]
fn what_earlyoom_ended_comes_back_once_there_is_memory_again() {
    let mut user = Watching::new("");
    user.t("new-session -d -s other");
    let earlyoom = user.root().join("sys/fs/cgroup/system.slice/earlyoom.service");
    std::fs::create_dir_all(earlyoom).unwrap();
    user.memory(500_000);
    user.watch();
    user.agent_in_a_shell("work", 1);
    signal(user.last_agent(), Signal::SIGTERM);
    wait_until("the death is announced", || user.events() == ["death earlyoom"]);
    user.memory(8_000_000);
    user.wait_for_starts(2);
    user.wait_for_text("work", "claude was ended to make room");
}

/// Has the agents of these sessions use 95 % of the soft limit of a control group.
fn near_the_limit(user: &Watching, agents: &[i32]) -> std::path::PathBuf {
    let root = user.root();
    let group = root.join("sys/fs/cgroup/user.slice/pane");
    std::fs::create_dir_all(&group).unwrap();
    for agent in agents {
        let agent = root.join("proc").join(agent.to_string());
        std::fs::create_dir_all(&agent).unwrap();
        std::fs::write(agent.join("cgroup"), "0::/user.slice/pane\n").unwrap();
    }
    for (file, text) in [
        ("memory.max", "max\n"),
        ("memory.high", "1048576000\n"),
        ("memory.stat", "inactive_file 1048576\n"),
        ("memory.current", "996147200\n"),
    ] {
        std::fs::write(group.join(file), text).unwrap();
    }
    group
}

#[test]
fn events_that_find_no_place_on_the_disk_are_reported_once_and_all_else_is_done() {
    let name = "events_that_find_no_place_on_the_disk_are_reported_once_and_all_else_is_done";
    let mountable = std::process::Command::new("unshare").args(["--mount", "true"]).output();
    if !nix::unistd::geteuid().is_root() || !mountable.is_ok_and(|run| run.status.success()) {
        lacks(name, "needs root and mount namespaces");
        return;
    }
    let user = Watching::new("");
    user.agent_in_a_shell("one", 0);
    user.agent_in_a_shell("two", 0);
    near_the_limit(&user, &user.started().iter().map(|one| one.pid).collect::<Vec<_>>());
    let script = "state=$1; shift\n\
        mount -t tmpfs -o size=64k,mode=700 none $state\n\
        cat /dev/zero >$state/fill 2>/dev/null || :\n\
        \"$@\"; ls -A $state\n";
    let mut command = user.command("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-euc", script, "sh"]);
    command.arg(user.sandbox.user_state());
    let root = user.root().display().to_string();
    let persist = user.sandbox.persist_command(["watch", "--step", "warn", "--root", &root]);
    command.arg(persist.get_program()).args(persist.get_args());
    let run = crate::support::run(&mut command).ok();
    let said = run.err();
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("not recorded")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("No space left"), "{said}");
    assert!(!run.out().contains(".new-"), "{}", run.out());
    assert_eq!(user.panes("#{@persist_warning}"), ["memory 94 % of 1000 MiB"; 2]);
}

#[test]
fn a_pane_says_that_its_agent_nears_its_limit_and_no_longer_once_it_does_not() {
    let mut user = Watching::new("");
    user.agent_in_a_shell("work", 0);
    let group = near_the_limit(&user, &[user.last_agent()]);
    let events = |high: u64| {
        let text = format!("low 0\nhigh {high}\nmax 0\noom 0\noom_kill 0\n");
        std::fs::write(group.join("memory.events"), text).unwrap();
    };
    events(0);
    user.watch();
    user.wait_for_watched(1);
    events(1);
    let warning = || user.panes("#{@persist_warning}").concat();
    wait_until("a warning", || warning() == "memory 94 % of 1000 MiB");
    wait_until("the event", || user.events() == ["memory-warning -"]);
    std::fs::write(group.join("memory.current"), "52428800\n").unwrap();
    let said = user.persist(&format!("watch --step warn --root {}", user.root().display()));
    said.ok();
    assert_eq!(warning(), "");
}
