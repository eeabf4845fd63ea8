//! `--wait`: what was here, for almost nothing, until Enter.

use super::{called, endings, in_pane, install_agent, waits_for};
use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};

/// A sandbox with a conversation that has a title, and a pane that waits for it.
fn waiting() -> Sandbox {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exec sleep 1000");
    let work = sandbox.work().canonicalize().unwrap();
    let line = format!(
        "{{\"type\":\"user\",\"cwd\":\"{}\",\"message\":{{\"content\":\"fix the \\u001b[31mlogin\"}}}}\n",
        work.display()
    );
    std::fs::write(sandbox.prompt(&id(1)), line).unwrap();
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    in_pane(&sandbox, &["--wait", "--resume", &id(1)]);
    waits_for(&sandbox, "Enter resumes it, q closes it.");
    sandbox
}

#[test]
fn a_waiting_pane_says_what_was_here_costs_little_and_resumes_on_enter() {
    let sandbox = waiting();
    waits_for(&sandbox, "claude was here: fix the \u{fffd}[31mlogin");
    waits_for(
        &sandbox,
        &format!("in {}, last active", sandbox.work().canonicalize().unwrap().display()),
    );
    let pid = sandbox.tmux(["display-message", "-p", "-t", "pane", "#{pane_pid}"]).ok().out();
    let status = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", pid.trim())).unwrap();
    let kib = |what: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    // The pages of a debug build's file say nothing, and count as written to for as long as the
    // disk lacks them: the benchmark measures the release's.
    let own = kib("Anonymous:");
    assert!(own < 1024, "{own} KiB of its own");
    assert!(!sandbox.root().join("called").exists());
    sandbox.tmux(["send-keys", "-t", "pane", "C-c"]).ok();
    sandbox.tmux(["send-keys", "-t", "pane", "x", "Enter"]).ok();
    waits_for(&sandbox, "x");
    assert_eq!(
        called(&sandbox)[1..],
        ["--resume", &id(1), "--name", "pane"],
        "{}",
        super::screen(&sandbox)
    );
}

#[test]
fn a_save_reads_the_conversation_of_a_waiting_launcher_from_its_arguments() {
    let sandbox = waiting();
    sandbox.persist(["save"]).ok();
    let rows = terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap().rows;
    let row = rows.iter().find(|row| row.session == b"pane").unwrap();
    assert_eq!(row.conversation.as_deref(), Some(id(1).as_bytes()));
    assert_eq!(
        (row.agent.as_deref(), row.evidence.as_deref()),
        (Some(&b"claude"[..]), Some(&b"argv"[..]))
    );
}

#[test]
fn q_closes_the_pane_for_good() {
    let sandbox = waiting();
    sandbox.tmux(["send-keys", "-t", "pane", "q"]).ok();
    wait_until("the pane is gone", || sandbox.panes("#{session_name}") == ["keep"]);
    assert!(endings(&sandbox)[0].contains("\tclosed\t"), "{:?}", endings(&sandbox));
}
