//! The real agents. `facts_*` check what the code believes of them: when a new version breaks such
//! a test, the agent's file in `src/agent/` is to be changed with it.

mod accounts;
mod as_started;
mod background;
mod browser_tool;
mod budget;
mod endings;
mod facts_claude;
mod facts_codex;
mod hooked;
mod launched;
mod others;
mod proof;
mod shared_daemon;
mod stray;
mod suspended;

use crate::support::{AgentLab, wait_for};

/// A pane by its session's name, window index and pane index; both indexes begin with 0 here.
#[derive(Debug, Clone, Copy)]
struct Place(&'static str, u32, u32);

/// The pane at a place. Found by comparing whole names: tmux's targets would match parts of them.
#[track_caller]
fn pane_at(lab: &AgentLab, Place(session, window, pane): Place) -> String {
    let wanted = format!("{session}:{window}.{pane}");
    let panes = lab.sandbox.panes("#{pane_id} #{session_name}:#{window_index}.#{pane_index}");
    let found = panes.iter().filter_map(|line| line.split_once(' ')).find(|each| each.1 == wanted);
    found.unwrap_or_else(|| panic!("no {wanted} in {panes:?}")).0.to_owned()
}

/// A new conversation id, as a user's `--session-id $(uuidgen)`.
fn new_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap().trim().to_owned()
}

/// Field 22 of `/proc/<pid>/stat`: the start time. The second field may hold spaces and brackets.
fn start_time(pid: i32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(22 - 3).unwrap().to_owned()
}

/// Runs an agent that ends at once in a pane of its own; gives its exit code and the screen. The
/// code comes from a shell: tmux 3.3a sometimes never learns the status of a pane that died.
#[track_caller]
fn run_in_pane(lab: &AgentLab, argv: &[&str]) -> (i32, String) {
    let argv = [&["sh", "-c", r#""$@"; echo "ended: $?"; exec sleep 1000"#, "sh"], argv].concat();
    let pane = lab.start(&["new-session"], &lab.sandbox.work(), &argv);
    wait_for(&format!("{argv:?} ends"), || {
        let screen = lab.screen(&pane);
        let code = screen.split_once("ended: ")?.1.lines().next()?.parse().ok()?;
        Some((code, screen))
    })
}
