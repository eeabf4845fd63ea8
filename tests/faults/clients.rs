//! What the clients of `persist` may do to a tmux server: a client in control mode that is killed while it connects
//! crashes the server, and with it every session of the user (tmux 3.3a, 3.5a).

use super::points::{argv, has_strace, persist};
use super::state::State;
use crate::support::{Sandbox, run};
use std::process::Stdio;
use std::time::Instant;

fn with_sessions() -> Sandbox {
    let sandbox = Sandbox::new();
    for session in ["one", "two"] {
        sandbox.tmux(["new-session", "-d", "-s", session, "--", "sleep", "100000"]).ok();
        sandbox.tmux(["set-option", "-t", &format!("={session}:"), "@role", "builder"]).ok();
    }
    sandbox
}

#[test]
fn what_only_asks_connects_no_client_in_control_mode() {
    if !has_strace("what_only_asks_connects_no_client_in_control_mode") {
        return;
    }
    let sandbox = with_sessions();
    let state = State(sandbox.state());
    let trace = sandbox.root().join("trace");
    for args in [&["save"][..], &["save"], &["show"], &["status"], &["doctor"], &["restore"]] {
        let mut command = sandbox.command("strace");
        command.args(["-f", "-qq", "-s", "300", "-e", "trace=execve", "-o"]).arg(&trace);
        run(command.args(argv(&sandbox, args, &state.0)));
        let text = String::from_utf8_lossy(&std::fs::read(&trace).unwrap()).into_owned();
        let clients: Vec<&str> = text.lines().filter(|line| line.contains("\"tmux\"")).collect();
        if args != ["status"] {
            assert!(!clients.is_empty(), "{args:?} asks tmux:\n{text}");
        }
        let in_control = clients.iter().filter(|line| line.contains("\"-C\"")).count();
        assert_eq!(in_control, 0, "{args:?}:\n{text}");
    }
}

/// Its client in control mode is asked to end when the restore is killed, and so tells the server whatever it began to
/// tell. `TL_RESTORE_KILLS` is how many kills.
#[test]
fn a_restore_that_is_killed_at_any_moment_leaves_the_server_and_what_runs_in_it() {
    let kills: u32 = std::env::var("TL_RESTORE_KILLS").map_or(60, |text| text.parse().unwrap());
    let sandbox = Sandbox::new();
    let names = ["keep", "one", "two", "three", "four"];
    for session in names {
        sandbox.tmux(["new-session", "-d", "-s", session, "--", "sleep", "100000"]).ok();
    }
    let state = State(sandbox.state());
    persist(&sandbox, &["save"], &state.0).ok();
    let server = sandbox.server_pid().unwrap();
    let close_others = || {
        let listed = sandbox.tmux(["list-sessions", "-F", "#{session_id} #{session_name}"]).out();
        for (id, _) in listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, name)| *name != "keep")
        {
            sandbox.tmux(["kill-session", "-t", id]); // one of a killed restore ends by itself
        }
    };
    close_others();
    let begin = Instant::now();
    persist(&sandbox, &["restore"], &state.0).ok();
    let whole = begin.elapsed();
    for kill in 0..kills {
        close_others();
        let mut command = sandbox.command("env");
        command.args(argv(&sandbox, &["restore"], &state.0));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut restore = command.spawn().unwrap();
        std::thread::sleep(whole * kill / kills); // when it is killed
        restore.kill().unwrap();
        restore.wait().unwrap();
        let list = sandbox.tmux(["list-sessions", "-F", "#{session_name}"]);
        let is_there = list.out().lines().any(|name| name == "keep");
        assert!(is_there, "kill {kill} of {kills}: {}{}", list.out(), list.err());
        assert_eq!(sandbox.server_pid(), Some(server), "kill {kill} of {kills}");
    }
    close_others();
    persist(&sandbox, &["restore"], &state.0).ok();
    let listed = sandbox.tmux(["list-sessions", "-F", "#{session_name}"]).out();
    assert!(names.iter().all(|name| listed.lines().any(|line| line == *name)), "{listed}");
}
