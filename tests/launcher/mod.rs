//! `start-claude` in real panes, with a stub of the agent; `tests/agents` runs the real ones.

mod broken_agents;
mod dead_mounts;
mod endings;
mod keys;
mod login;
mod older_agents;
mod setup;
mod turns;
mod waiting;

use crate::support::{Sandbox, run, wait_until};
use std::path::PathBuf;
use std::process::Command;

/// The launcher lies beside `persist` (tests/support/run-tests.sh builds both).
fn start_claude() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_persist")).with_file_name("start-claude")
}

/// A stub agent that says how it was called, then runs a script.
fn install_agent(sandbox: &Sandbox, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    let bin = sandbox.home().join(".local/bin");
    std::fs::create_dir_all(&bin).unwrap();
    let called = sandbox.root().join("called");
    let text = format!(
        "#!/bin/sh\n{{ pwd; for word; do printf '%s\\n' \"$word\"; done; }} >'{0}.new'\nenv >'{0}.env'\nmv '{0}.new' '{0}'\n{script}\n",
        called.display()
    );
    std::fs::write(bin.join("claude"), text).unwrap();
    std::fs::set_permissions(bin.join("claude"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Writes the user's own configuration.
fn configure(sandbox: &Sandbox, text: &str) {
    let dir = sandbox.home().join(".config/terminal-lobby");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("launcher.toml"), text).unwrap();
}

/// Where the agent was started and with which arguments; waits until it was.
fn called(sandbox: &Sandbox) -> Vec<String> {
    let file = sandbox.root().join("called");
    wait_until("the agent was started", || file.exists());
    std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

/// Runs the launcher in a new session called `pane`, with the given arguments.
fn in_pane(sandbox: &Sandbox, args: &[&str]) {
    let program = start_claude();
    let mut words = vec!["new-session", "-d", "-s", "pane", "-x", "100", "-y", "30", "--"];
    // Two words at least, so that tmux runs no shell.
    words.extend(["env", program.to_str().unwrap()]);
    words.extend(args);
    state_dir_for_persist(sandbox);
    sandbox.tmux(words).ok();
}

/// `persist`, which the launcher asks, goes by the caller's own state directory.
fn state_dir_for_persist(sandbox: &Sandbox) -> PathBuf {
    sandbox.root().join("xdg-state/tmux-persist")
}

/// What was recorded of endings, without the header.
fn endings(sandbox: &Sandbox) -> Vec<String> {
    let user = crate::support::sandbox::user();
    let file = state_dir_for_persist(sandbox).join(user).join("endings.tsv");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().skip(1).map(str::to_owned).collect()
}

fn screen(sandbox: &Sandbox) -> String {
    sandbox.tmux(["capture-pane", "-p", "-J", "-t", "pane"]).out()
}

fn waits_for(sandbox: &Sandbox, text: &str) {
    wait_until(&format!("the pane shows: {text}"), || screen(sandbox).contains(text));
}

fn command(sandbox: &Sandbox, args: &[&str]) -> Command {
    let mut command = sandbox.command(start_claude());
    command.args(args);
    command
}

#[test]
fn help_and_version_are_printed() {
    let sandbox = Sandbox::new();
    let help = run(&mut command(&sandbox, &["--help"])).ok();
    assert!(help.out().contains("--no-freshen"));
    let version = run(&mut command(&sandbox, &["--version"])).ok();
    assert_eq!(version.out(), concat!("start-claude ", env!("CARGO_PKG_VERSION"), "\n"));
}
