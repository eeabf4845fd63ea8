//! What every user of the host can read of our processes.

use crate::support::{Sandbox, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::Stdio;

#[test]
fn a_command_takes_the_names_of_sessions_out_of_its_arguments_while_it_runs() {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "takeover-of-acme"]).ok();
    sandbox.persist(["save"]).ok();
    let server = Pid::from_raw(sandbox.server_pid().unwrap());
    for command in ["forget", "restore", "suspend", "resume"] {
        // So that it has to wait for an answer.
        kill(server, Signal::SIGSTOP).unwrap();
        let mut persist = sandbox.persist_command([command, "takeover-of-acme"]);
        let mut child = persist.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let file = format!("/proc/{}/cmdline", child.id());
        let arguments = || String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        // A child shows no argument while it is being executed, nor once it has ended.
        wait_until(&format!("{command} runs without the name"), || {
            let shown = arguments();
            shown.contains("persist") && !shown.contains("takeover-of-acme")
        });
        kill(server, Signal::SIGCONT).unwrap();
        child.wait().unwrap();
    }
}
