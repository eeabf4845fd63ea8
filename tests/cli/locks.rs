//! Save, restore, forget and what the launcher records exclude each other, and nobody waits
//! longer than the own deadline.

use crate::support::sandbox::{children, kill};
use crate::support::{Run, Sandbox, run, wait_until};
use nix::sys::signal::Signal;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A command that has its locks and waits for a tmux client that never answers; killed when dropped.
struct Holder {
    command: Child,
    clients: Vec<i32>,
}

impl Holder {
    /// Starts the command while the server is stopped, stops the client that it asks, and lets the server go on.
    fn start(sandbox: &Sandbox, mut command: Command) -> Self {
        let server = sandbox.server_pid().expect("a tmux server");
        signal(server, Signal::SIGSTOP);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut holder = Self { command: command.spawn().unwrap(), clients: Vec::new() };
        wait_until("the holder asks tmux", || !children(holder.pid()).is_empty());
        holder.clients = children(holder.pid());
        holder.clients.iter().for_each(|client| signal(*client, Signal::SIGSTOP));
        signal(server, Signal::SIGCONT);
        holder
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.command.id()).unwrap()
    }

    fn signal(&self, number: Signal) {
        signal(self.pid(), number);
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        kill(self.pid());
        let _ = self.command.wait();
        self.clients.iter().for_each(|client| kill(*client));
    }
}

fn signal(pid: i32, number: Signal) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), number).unwrap();
}

/// A world with a saved session and a configuration of short deadlines.
fn saved() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one", "--", "sleep", "100000"]).ok();
    sandbox.persist(["save"]).ok();
    let config = sandbox.root().join("config.toml");
    let text = "save_on_change = false\nsave_deadline_seconds = 0.6\n\
                restore_deadline_seconds = 0.6\n";
    std::fs::write(&config, text).unwrap();
    (sandbox, config)
}

fn with_config(sandbox: &Sandbox, config: &Path, args: &[&str]) -> Run {
    let config = ["--config", config.to_str().unwrap()];
    sandbox.persist([args, &config].concat())
}

#[test]
fn a_holder_that_is_killed_in_the_middle_of_a_save_leaves_no_lock() {
    let (sandbox, config) = saved();
    for args in [&["save"][..], &["restore"]] {
        let holder = Holder::start(&sandbox, sandbox.persist_command(args));
        with_config(&sandbox, &config, &["save"]).code(1);
        drop(holder);
        with_config(&sandbox, &config, &["save"]).ok();
        with_config(&sandbox, &config, &["restore"]).ok();
    }
}

#[test]
fn whoever_meets_a_stopped_holder_gives_up_in_time_and_names_it() {
    let (sandbox, config) = saved();
    let holder = Holder::start(&sandbox, sandbox.persist_command(["save"]));
    holder.signal(Signal::SIGSTOP);
    let lock = sandbox.user_state().join("lock");
    let who = format!(
        "{}: held by process {} (persist) for more than 0.3 s",
        lock.display(),
        holder.pid()
    );
    for args in [&["save"][..], &["restore"], &["forget", "one"]] {
        let run = with_config(&sandbox, &config, args).code(1);
        assert!(run.err().contains(&who), "{args:?}: {}", run.err());
        assert!(run.took < Duration::from_secs(3), "{args:?} took {:?}", run.took);
    }
    for args in [&["list"][..], &["show"], &["restore", "--dry-run"], &["status"]] {
        with_config(&sandbox, &config, args).ok();
    }
    let seen = with_config(&sandbox, &config, &["status", "--json"]).ok().json();
    assert!(seen["failure_reason"].as_str().unwrap().contains(&who), "{seen}");
    holder.signal(Signal::SIGCONT);
    drop(holder);
    with_config(&sandbox, &config, &["save"]).ok();
}

#[test]
fn restores_into_one_server_exclude_each_other_whatever_their_state_directories() {
    let (sandbox, config) = saved();
    let other = sandbox.root().join("other");
    run(sandbox.command("cp").arg("-a").args([&sandbox.state(), &other])).ok();
    let restore_other = || {
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_persist"));
        command.args(["restore", "--json", "--state-dir"]).arg(&other);
        command.arg("--user-map").arg(sandbox.root().join("no-user-map"));
        command
    };
    let holder = Holder::start(&sandbox, restore_other());
    let run_first = with_config(&sandbox, &config, &["restore"]).code(1);
    let who = format!("/.persist-default: held by process {} (persist)", holder.pid());
    assert!(run_first.err().contains(&who), "{}", run_first.err());
    with_config(&sandbox, &config, &["save"]).ok();
    drop(holder);

    for round in 0..5 {
        sandbox.crash();
        let (one, two) = std::thread::scope(|scope| {
            let other = scope.spawn(|| run(&mut restore_other()));
            (sandbox.persist(["restore", "--json"]), other.join().unwrap())
        });
        let results: Vec<_> = [one.ok(), two.ok()]
            .iter()
            .map(|run| run.json()["rows"][0]["result"].clone())
            .collect();
        assert!(results.contains(&"restored".into()), "{round}: {results:?}");
        assert!(results.contains(&"skipped".into()), "{round}: {results:?}");
        assert_eq!(sandbox.panes("#{session_name}"), ["one"], "{round}");
    }
}

#[test]
fn a_close_is_recorded_while_a_hung_server_holds_up_a_save() {
    let (sandbox, _) = saved();
    let holder = Holder::start(&sandbox, sandbox.persist_command(["save"]));
    let id = crate::support::stub_agent::id(1);
    let ended = sandbox.persist(["ended", &id, "--how", "closed"]).ok();
    assert!(ended.took < Duration::from_secs(1), "{:?}", ended.took);
    let endings = std::fs::read_to_string(sandbox.user_state().join("endings.tsv")).unwrap();
    assert!(endings.contains(&id), "{endings}");
    drop(holder);
    sandbox.persist(["save"]).ok();
    assert!(std::fs::read_to_string(sandbox.user_state().join("endings.tsv")).unwrap() == endings);
}
