//! The agent behaves as if it had been exec'd: keys, window size, job control, standard streams.

use super::{called, in_pane, install_agent, start_claude, waits_for};
use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};

#[test]
fn ctrl_c_reaches_the_agent_and_the_launcher_survives_it() {
    let sandbox = Sandbox::new();
    install_agent(
        &sandbox,
        "trap 'echo heard the key' INT; echo ready; while :; do sleep 0.1; done",
    );
    in_pane(&sandbox, &["--session", &id(1)]);
    waits_for(&sandbox, "ready");
    for _ in 0..2 {
        sandbox
            .tmux(["clear-history", "-t", "pane", ";", "send-keys", "-t", "pane", "-R", "C-c"])
            .ok();
        waits_for(&sandbox, "heard the key");
    }
}

#[test]
fn an_agent_that_dies_of_ctrl_c_leaves_a_shell() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "echo ready; exec sleep 1000");
    in_pane(&sandbox, &["--session", &id(1)]);
    waits_for(&sandbox, "ready");
    sandbox.tmux(["send-keys", "-t", "pane", "C-c"]).ok();
    waits_for(&sandbox, "claude was killed by signal 2 (SIGINT)");
    wait_until("a login shell runs", || sandbox.panes("#{pane_current_command}") == ["sh"]);
}

#[test]
fn the_window_size_reaches_the_agent() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "trap 'stty size' WINCH; stty size; while :; do sleep 0.1; done");
    in_pane(&sandbox, &["--session", &id(1)]);
    waits_for(&sandbox, "30 100");
    sandbox.tmux(["resize-window", "-t", "pane", "-x", "90", "-y", "20"]).ok();
    waits_for(&sandbox, "20 90");
}

#[test]
fn under_a_shell_ctrl_z_stops_both_and_fg_goes_on() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "echo ready; while read line; do echo \"got $line\"; done");
    sandbox
        .tmux([
            "new-session",
            "-d",
            "-s",
            "pane",
            "-x",
            "100",
            "-y",
            "30",
            "--",
            "bash",
            "--norc",
            "-i",
        ])
        .ok();
    let start = format!("{} --session {}", start_claude().display(), id(1));
    sandbox.tmux(["send-keys", "-t", "pane", "-l", &start]).ok();
    sandbox.tmux(["send-keys", "-t", "pane", "Enter"]).ok();
    waits_for(&sandbox, "ready");
    sandbox.tmux(["send-keys", "-t", "pane", "C-z"]).ok();
    waits_for(&sandbox, "Stopped");
    sandbox.tmux(["send-keys", "-t", "pane", "fg", "Enter"]).ok();
    wait_until("the agent is in the foreground", || {
        sandbox.panes("#{pane_current_command}") != ["bash"]
    });
    sandbox.tmux(["send-keys", "-t", "pane", "hello", "Enter"]).ok();
    waits_for(&sandbox, "got hello");
}

#[test]
fn an_agent_that_stops_itself_where_nobody_could_wake_it_goes_on() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "kill -STOP $$; echo awake; exec sleep 1000");
    in_pane(&sandbox, &["--session", &id(1)]);
    waits_for(&sandbox, "awake");
}

#[test]
fn what_a_killed_agent_did_to_the_terminal_is_undone() {
    let sandbox = Sandbox::new();
    install_agent(
        &sandbox,
        "stty raw -echo; printf '\\033[?1049h\\033[?1000h\\033[?25l'; kill -9 $$",
    );
    in_pane(&sandbox, &["--session", &id(1)]);
    waits_for(&sandbox, "resume it with");
    wait_until("screen, mouse and cursor are as before", || {
        sandbox.panes("#{alternate_on}#{mouse_any_flag}#{cursor_flag}") == ["001"]
    });
    sandbox
        .tmux([
            "send-keys",
            "-t",
            "pane",
            "stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo",
            "Enter",
        ])
        .ok();
    waits_for(&sandbox, "icanon\necho");
}

#[test]
fn standard_streams_reach_the_agent_as_they_are() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "cat; echo done >&2; exit 0");
    let mut launcher = super::command(&sandbox, &["--session", &id(1)]);
    launcher.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = launcher.stderr(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"in\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout, output.stderr),
        (Some(0), b"in\n".to_vec(), b"done\n".to_vec())
    );
    assert_eq!(called(&sandbox).len(), 3);
}
