//! The real agents. `facts_*` check what the code believes of them: when a new version breaks such
//! a test, the agent's file in `src/agent/` is to be changed with it.

mod endings;
mod facts_claude;
mod facts_codex;
mod proof;

use crate::support::{AgentLab, wait_for};

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
