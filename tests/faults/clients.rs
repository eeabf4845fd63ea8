//! What the clients of `persist` may do to a tmux server: a client in control mode that is killed while it connects
//! crashes the server, and with it every session of the user (tmux 3.3a, 3.5a).

use super::points::{argv, has_strace};
use super::state::State;
use crate::support::{Sandbox, run};

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
