//! The agent behaves as if it had been exec'd: keys, window size, job control, standard streams.

use super::{called, in_pane, install_agent, start_claude, waits_for};
use crate::support::stub_agent::id;
use crate::support::{Sandbox, run, wait_until};

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
    install_agent(&sandbox, "cat; sleep 1.2; echo done >&2; exit 0");
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

/// A program that leaves the signals it starts with as they are.
fn configure_plain_agent(sandbox: &Sandbox, command: &str) {
    super::configure(sandbox, &format!("agent = 'plain'\n[agents.plain]\ncommand = {command}\n"));
}

#[test]
fn an_agent_starts_with_no_signal_blocked() {
    let sandbox = Sandbox::new();
    configure_plain_agent(&sandbox, "['grep', 'SigBlk', '/proc/self/status']");
    let run = run(&mut super::command(&sandbox, &["--no-freshen"])).ok();
    assert_eq!(run.out(), "SigBlk:\t0000000000000000\n");
}

#[test]
fn a_program_that_does_nothing_about_signals_ends_by_them() {
    let sandbox = Sandbox::new();
    configure_plain_agent(&sandbox, "['sleep', '1000']");
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    in_pane(&sandbox, &["--no-freshen"]);
    wait_until("it runs", || {
        sandbox.panes("#{pane_current_command}").contains(&"sleep".to_owned())
            || sandbox.panes("#{pane_current_command}").contains(&"start-claude".to_owned())
    });
    let pid: i32 = sandbox
        .tmux(["display-message", "-p", "-t", "pane", "#{pane_pid}"])
        .out()
        .trim()
        .parse()
        .unwrap();
    let child = crate::support::wait_for("the agent", || {
        crate::support::sandbox::children(pid).first().copied()
    });
    sandbox.tmux(["kill-session", "-t", "pane"]).ok();
    wait_until("both have ended", || {
        [pid, child].iter().all(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists())
    });
}

#[test]
fn an_agent_killed_while_its_child_holds_the_terminal_leaves_a_shell_in_the_foreground() {
    let sandbox = Sandbox::new();
    let script = "#!/bin/bash\nset -m\necho ready\n(while [ -e $0 ]; do sleep 0.1; done; kill -9 $$) &\nsleep 1000\n";
    let agent = sandbox.root().join("agent");
    std::fs::write(&agent, script).unwrap();
    configure_plain_agent(&sandbox, &format!("['bash', '{}']", agent.display()));
    in_pane(&sandbox, &["--no-freshen"]);
    waits_for(&sandbox, "ready");
    std::fs::remove_file(&agent).unwrap();
    waits_for(&sandbox, "plain was killed by signal 9");
    wait_until("a login shell runs", || sandbox.panes("#{pane_current_command}") == ["sh"]);
    sandbox.tmux(["send-keys", "-t", "pane", "echo shell-$((40 + 2))", "Enter"]).ok();
    waits_for(&sandbox, "shell-42");
}

#[test]
fn a_parent_that_ignores_its_childrens_ends_does_not_hang_the_launcher() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    let mut command = sandbox.command("env");
    command.arg("--ignore-signal=CHLD").arg(start_claude()).args(["--session", &id(1)]);
    run(&mut command).ok();
}

#[test]
fn ctrl_c_while_persist_or_tmux_is_slow_never_takes_the_pane() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 3");
    let bin = sandbox.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::copy(start_claude(), bin.join("start-claude")).unwrap();
    let slow =
        format!("#!/bin/sh\ntouch {}\nexec sleep 1000\n", sandbox.root().join("asked").display());
    std::fs::write(bin.join("persist"), slow).unwrap();
    for program in ["persist", "start-claude"] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(bin.join(program), mode).unwrap();
    }
    let launcher = bin.join("start-claude");
    let (launcher, id) = (launcher.to_str().unwrap(), id(1));
    sandbox.tmux(["new-session", "-d", "-s", "pane", "--", "env", launcher, "--resume", &id]).ok();
    wait_until("persist was asked", || sandbox.root().join("asked").exists());
    sandbox.tmux(["send-keys", "-t", "pane", "C-c", "C-c"]).ok();
    waits_for(&sandbox, "claude exited with 3");
    wait_until("a login shell runs", || sandbox.panes("#{pane_current_command}") == ["sh"]);
}
