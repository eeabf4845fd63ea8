//! `lobby agent` under a service manager that keeps descriptors: a stub, see tests/lobby/stub-service-manager.

use super::client::Client;
use crate::support::wait::{wait_for, wait_until};
use crate::support::{Sandbox, lobby_program};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

/// The headers that the gateway sends for the user's own pages.
pub(super) const OWN: [(&str, &str); 3] =
    [("x-lobby-actor", "alice"), ("x-lobby-access", "drive"), ("x-lobby-owner", "yes")];

/// An agent and its manager; both end when this is dropped.
pub(super) struct Managed {
    pub(super) sandbox: Sandbox,
    manager: Child,
    events: Arc<Mutex<Vec<String>>>,
    /// How often it was killed.
    killed: Cell<usize>,
}

impl Managed {
    pub(super) fn start(sandbox: Sandbox, more: &[&str]) -> Self {
        let stub = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lobby/stub-service-manager");
        let mut command = sandbox.command(stub);
        command.args([sandbox.root().join("agent.sock"), sandbox.root().join("notify.sock")]);
        command.arg(lobby_program()).args(["agent", "--gateway", &crate::support::sandbox::user()]);
        command.args(more).arg("--state-dir").arg(sandbox.state());
        command.arg("--config").arg(sandbox.config());
        let mut manager = command.stdout(Stdio::piped()).spawn().unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (lines, all) = (BufReader::new(manager.stdout.take().unwrap()), Arc::clone(&events));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                all.lock().unwrap().push(line);
            }
        });
        let started = Self { sandbox, manager, events, killed: Cell::new(0) };
        started.wait_for_starts(1);
        started
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.sandbox.root().join("agent.sock")
    }

    /// What the manager has said so far of one kind.
    pub(super) fn events(&self, kind: &str) -> Vec<String> {
        let all = self.events.lock().unwrap();
        all.iter()
            .filter_map(|line| line.strip_prefix(kind))
            .map(|rest| rest.trim().to_owned())
            .collect()
    }

    /// Waits until the agent was started so often, and serves.
    #[track_caller]
    pub(super) fn wait_for_starts(&self, count: usize) {
        wait_until(&format!("it serves for the {count}th time"), || {
            self.events("ready").len() >= count
        });
    }

    pub(super) fn pid(&self) -> Pid {
        let started = wait_for("it is started", || self.events("started").pop());
        Pid::from_raw(started.parse().unwrap())
    }

    /// Kills the agent, which is started again. For tests that end it in no other way.
    pub(super) fn kill(&self) {
        let begun = self.killed.get() + 1;
        wait_until("it is started", || self.events("started").len() >= begun);
        nix::sys::signal::kill(self.pid(), Signal::SIGKILL).unwrap();
        self.killed.set(begun);
    }

    /// Has it restarted, as an upgrade does.
    pub(super) fn restart(&self) {
        self.signal(Signal::SIGHUP);
    }

    /// Waits until it has ended by itself; returns its status.
    pub(super) fn ended(&self) -> String {
        wait_for("it ends", || self.events("ended").pop())
    }

    /// How many descriptors are kept.
    pub(super) fn stored(&self) -> usize {
        let all = self.events.lock().unwrap();
        all.iter().fold(0, |count, line| match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["stored", _] => count + 1,
            ["removed", _, now] => now.parse().unwrap(),
            _ => count,
        })
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.manager.id().try_into().unwrap());
        let _ = nix::sys::signal::kill(pid, signal);
    }

    /// A page of the user's own.
    pub(super) fn page(&self, path: &str) -> Client {
        self.page_of(path, &OWN)
    }

    /// A page of anybody, as the gateway says it; waits while none can connect.
    pub(super) fn page_of(&self, path: &str, headers: &[(&str, &str)]) -> Client {
        wait_for("a connection", || Client::over_unix(&self.socket(), path, headers))
    }

    /// A session's birth id, from the list.
    pub(super) fn birth_id(&self, session: &str) -> String {
        let list = self.page("/api/events").next_json();
        let all = list["sessions"].as_array().unwrap();
        let own = all.iter().find(|own| own["name"] == session).expect("it is listed");
        own["id"].as_str().unwrap().to_owned()
    }

    /// The sessions of all clients of the tmux server.
    pub(super) fn clients(&self) -> Vec<String> {
        let clients = self.sandbox.tmux(["list-clients", "-F", "#{session_name}"]).ok().out();
        clients.lines().map(str::to_owned).collect()
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        let _ = self.manager.wait();
    }
}
