//! `persist suspend` and `persist resume`, with stubs of the agents that draw an input line.

mod by_name;
mod idle;
mod interrupted;
mod many;
mod refused;
mod small_host;
mod waiting;

use crate::support::set_up::SetUp;
use crate::support::{Run, sandbox, wait_until};
use std::process::{Child, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Agents with input lines, prompted once.
fn set_up() -> SetUp {
    let mut set_up = SetUp::new();
    set_up.set("STUB_SCREEN", "1");
    set_up
}

impl SetUp {
    /// Waits until the launcher waits in a pane.
    #[track_caller]
    fn wait_until_suspended(&self, pane: &str) -> String {
        self.wait_for_text(pane, "Enter resumes it")
    }

    /// Runs `persist suspend --idle --json` for all that were ever idle.
    #[track_caller]
    fn suspend_idle(&self, more: &str) -> Run {
        self.persist(format!("suspend --json --idle --older-than 0s {more}").trim())
    }

    /// Runs `persist suspend --json NAME`, which is refused; gives the reason.
    #[track_caller]
    fn refusal(&self, name: &str, pane: &str) -> String {
        let run = self.persist(&format!("suspend --json {name}")).code(1);
        let (result, reason) = outcome(&run, pane);
        assert_eq!(result, "refused", "{}", run.out());
        reason
    }

    /// Types a line to a stub; waits until it has taken it.
    #[track_caller]
    fn tell(&self, pane: &str, line: &str) {
        let before = self.conversations().len();
        self.type_line(pane, line);
        wait_until(&format!("{line} is taken"), || self.conversations().len() > before);
    }

    /// A client that is attached to a session until it is dropped.
    #[track_caller]
    fn attach(&self, session: &str) -> Client {
        let mut attach = self.command("tmux");
        attach.args(["-C", "attach-session", "-t", session]);
        let client = attach.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        wait_until("a client is attached", || {
            self.panes("#{session_name} #{session_attached}").contains(&format!("{session} 1"))
        });
        Client(client)
    }

    /// The arguments of the first process of a pane.
    #[track_caller]
    fn first_process(&self, pane: &str) -> String {
        let pid = self.t(&format!("display-message -p -t {pane} #{{pane_pid}}")).out();
        let line = std::fs::read_to_string(format!("/proc/{}/cmdline", pid.trim()));
        line.unwrap_or_default().replace('\0', " ")
    }
}

struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// What became of an agent, and why, by its pane: from `--json`.
#[track_caller]
fn outcome(run: &Run, pane: &str) -> (String, String) {
    let report = run.json();
    let agents = report["agents"].as_array().unwrap();
    let place = |agent: &serde_json::Value| {
        format!("{}:{}.{}", agent["session"].as_str().unwrap(), agent["window"], agent["pane"])
    };
    let agent = agents.iter().find(|agent| place(agent) == pane);
    let agent = agent.unwrap_or_else(|| panic!("no {pane} in {report}"));
    let text = |name: &str| agent[name].as_str().unwrap().to_owned();
    (text("result"), text("reason"))
}

/// The sessions whose agents were suspended, or would be, in their order.
#[track_caller]
fn chosen(run: &Run) -> Vec<String> {
    let report = run.json();
    let agents = report["agents"].as_array().unwrap().iter();
    let chosen =
        agents.filter(|agent| agent["result"] == "suspended" || agent["result"] == "chosen");
    chosen.map(|agent| agent["session"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn wait_until_ended(pid: i32) {
    wait_until(&format!("process {pid} has ended"), || sandbox::ended(pid));
}

/// Waits until the clock shows another second: times of tmux and of agents are whole ones.
fn next_second() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let begin = now();
    wait_until("the next second", || now() > begin);
}
