//! What users do shortly before a crash.

use super::draw::{Crash, Story, often};
use super::observe::Running;
use crate::support::random::Random;
use crate::support::sandbox::ended;
use crate::support::set_up::SetUp;
use crate::support::wait_until;

/// Gives some of the agents a prompt that no save has seen, or begins a new conversation in them.
pub(super) fn prompt(set_up: &SetUp, random: &mut Random, agents: &[Running], story: &Story) {
    if story.late_prompts == 0 {
        return;
    }
    // What is written in the second of the save may be older than it.
    wait_for_next_second();
    for agent in agents.iter().filter(|agent| agent.conversation != "none") {
        if !often(random, story.late_prompts) {
            continue;
        }
        // What ends with its terminal removes the record that would say so.
        let may_clear = agent.keeps_record && story.crash != Some(Crash::Server);
        let words = if may_clear && often(random, 30) { "/clear" } else { "late words" };
        let before = set_up.conversations().len();
        set_up.type_line(&agent.pane, words);
        wait_until("it took late words", || set_up.conversations().len() > before);
    }
}

/// Starts an agent in a session that is not saved, which no save sees: it leaves a record.
pub(super) fn start_unsaved(set_up: &SetUp, session: &str) {
    wait_for_next_second();
    let pane = set_up.t(&format!("new-window -P -F #{{pane_id}} -t ={session}:")).out();
    let place = format!("{session}:@9.{}", pane.trim());
    let before = set_up.conversations().len();
    set_up.type_line(pane.trim(), &format!("STUB_PROMPTED=1 STUB_TMUX={place} claude"));
    wait_until("it runs", || set_up.conversations().len() > before);
}

pub(super) fn wait_for_next_second() {
    let now = terminal_lobby::sys::clock::now();
    wait_until("this second is over", || terminal_lobby::sys::clock::now() > now);
}

/// Leaves one of the agents that our launcher started, which sees it end: it stays closed.
pub(super) fn leave_one(set_up: &SetUp, random: &mut Random, agents: &[Running]) {
    // One session stays in any case.
    let panes = set_up.panes("#{pane_id} #{session_name}");
    let may_end = |agent: &Running| {
        let own = panes.iter().filter(|pane| pane.split(' ').next() == Some(&agent.pane));
        let own: Vec<&str> = own.map(|pane| pane.split(' ').nth(1).unwrap()).collect();
        let of_others = |pane: &&String| !own.contains(&pane.split(' ').nth(1).unwrap());
        is_launched(agent.pid) && panes.iter().any(|pane| of_others(&pane))
    };
    let candidates: Vec<&Running> = agents.iter().filter(|agent| may_end(agent)).collect();
    let Some(agent) = candidates.get(random.below(candidates.len())) else { return };
    let launcher = parent(agent.pid).unwrap();
    wait_until("it runs for long enough to have worked", || age(agent.pid) > 1.1);
    set_up.type_line(&agent.pane, "/exit");
    wait_until("it ended", || ended(agent.pid));
    // Its launcher becomes a shell or ends, after it has recorded the end.
    wait_until("its launcher is gone", || ended(launcher) || !is_called(launcher, "start-claude"));
}

fn is_launched(pid: i32) -> bool {
    parent(pid).is_some_and(|parent| is_called(parent, "start-claude"))
}

fn is_called(pid: i32, name: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
}

fn parent(pid: i32) -> Option<i32> {
    field(pid, 1)?.parse().ok()
}

/// How long a process has run (seconds).
fn age(pid: i32) -> f64 {
    let ticks = field(pid, 19).map_or(0.0, |ticks| ticks.parse().unwrap());
    let now = std::fs::read_to_string("/proc/uptime").unwrap();
    let now: f64 = now.split(' ').next().unwrap().parse().unwrap();
    now - ticks / 100.0
}

/// One of the fields of `/proc/<pid>/stat` after the name.
fn field(pid: i32, number: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(number).map(str::to_owned)
}
