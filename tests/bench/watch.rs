//! `persist watch`: what it costs while nothing happens, and how long what was killed is away.

use crate::support::memory_group::waited;
use crate::support::stub_agent::id;
use crate::support::{Sandbox, sandbox, wait_for, wait_until};
use crate::table::Table;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// The goals of docs/benchmarks.md.
const BACK: f64 = 10_000.0;
const PSS: f64 = 4.0;
const WAKEUPS: u64 = 1;

/// How many minutes are tried until no task waits for memory.
const MINUTES: usize = 3;
const AGENTS: u32 = 40;
/// Each with two of them.
const SESSIONS: u32 = AGENTS / 2;
const AGENT: &str = "an agent is killed, until it runs again";
const SERVER: &str = "the server is killed, until its 20 sessions are back";
const ALL: &str = "the server is killed, until all 40 agents run again";

/// A server with agents below shells, and its watch.
struct World {
    sandbox: Sandbox,
    watch: Child,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.configure(
            "[watch]\ninterval_minutes = 0\ncomebacks = 1000000\n\
             [restore]\nmode = \"eager\"\nat_once = 40\n",
        );
        let stub = sandbox.install_stub_agent();
        let work = sandbox.work().to_str().unwrap().to_owned();
        for n in 1..=AGENTS {
            let name = format!("a{}", n.div_ceil(2));
            if n % 2 == 1 {
                sandbox.tmux(["new-session", "-d", "-s", &name, "-c", &work]).ok();
            } else {
                sandbox.tmux(["split-window", "-t", &name, "-c", &work]).ok();
            }
            let line = format!("{} --session-id {}", stub.display(), id(n));
            sandbox.tmux(["send-keys", "-t", &name, &line, "Enter"]).ok();
            sandbox.wait_for_agent(&id(n));
            sandbox.prompt(&id(n));
        }
        sandbox.persist(["save"]).ok();
        let mut command = sandbox.persist_command(["watch", "--quiet"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let watch = command.spawn().unwrap();
        let world = Self { sandbox, watch };
        world.wait_until_watched();
        world
    }

    fn agent(&self, n: u32) -> Option<i32> {
        let pids = self.sandbox.agents_on(&id(n)).into_iter();
        let runs = |pid: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        pids.filter(runs).max()
    }

    /// Waits until the watch waits for the agents that run now.
    fn wait_until_watched(&self) {
        wait_until("all agents are watched", || {
            let file = self.sandbox.user_state().join("watched.tsv");
            let text = std::fs::read_to_string(file).unwrap_or_default();
            (1..=AGENTS)
                .all(|n| self.agent(n).is_some_and(|pid| text.contains(&format!("agent\t{pid}\t"))))
        });
    }

    fn kill_agent(&self) -> Duration {
        let old = self.agent(1).unwrap();
        let begin = Instant::now();
        sandbox::kill(old);
        wait_until("the agent is back", || self.agent(1).is_some_and(|pid| pid != old));
        begin.elapsed()
    }

    /// Times until all sessions are back, and until all agents are.
    fn kill_server(&self) -> (Duration, Duration) {
        let old: Vec<i32> = (1..=AGENTS).map(|n| self.agent(n).unwrap()).collect();
        let server = self.sandbox.tmux(["display-message", "-p", "#{pid}"]).ok().out();
        let begin = Instant::now();
        sandbox::kill(server.trim().parse().unwrap());
        let count = || {
            let list = self.sandbox.tmux(["list-sessions", "-F", "#{session_name}"]);
            list.out().lines().filter(|name| name.starts_with('a')).count()
        };
        let sessions = wait_for("the sessions are back", || {
            (count() == SESSIONS as usize).then(|| begin.elapsed())
        });
        let is_new = |n: u32| self.agent(n).is_some_and(|pid| !old.contains(&pid));
        wait_until("the agents are back", || (1..=AGENTS).all(is_new));
        (sessions, begin.elapsed())
    }

    /// How often the watch has been given a processor.
    fn wakeups(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.watch.id())).unwrap();
        let counts = status.lines().filter_map(|line| line.split_once("voluntary_ctxt_switches:"));
        counts
            .filter(|(before, _)| before.is_empty())
            .map(|(_, n)| n.trim().parse::<u64>().unwrap())
            .sum()
    }

    fn pss(&self) -> f64 {
        let path = format!("/proc/{}/smaps_rollup", self.watch.id());
        let text = std::fs::read_to_string(path).unwrap();
        let kib = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
        kib.trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
    }
}

/// Measures a watch of 40 agents; the server is killed a fifth as often as an agent.
pub(crate) fn measure(runs: usize) -> Table {
    let world = World::new();
    let mut table = Table::new(format!("a watch of {AGENTS} agents in {SESSIONS} sessions"));
    // What was just listed is over; then a minute in which nothing happens. If tasks of this machine wait for memory
    // meanwhile, the kernel wakes the watch: then another one.
    std::thread::sleep(Duration::from_secs(5));
    let (mut wakeups, mut waits) = (0, 0);
    for _ in 0..MINUTES {
        let before = (world.wakeups(), waited());
        std::thread::sleep(Duration::from_mins(1));
        (wakeups, waits) = (world.wakeups() - before.0, (waited() - before.1) / 1000);
        if waits < 100 {
            break;
        }
    }
    let pss = world.pss();
    for _ in 0..runs {
        table.add(AGENT, world.kill_agent());
        world.wait_until_watched();
    }
    for _ in 0..runs.div_ceil(5) {
        let (sessions, all) = world.kill_server();
        table.add(SERVER, sessions);
        table.add(ALL, all);
        world.wait_until_watched();
    }
    table.judge(
        wakeups <= WAKEUPS,
        &format!(
            "{wakeups} wake-ups in an idle minute, goal {WAKEUPS} (tasks waited {waits} ms for memory)"
        ),
    );
    table.judge(pss <= PSS, &format!("memory (Pss): {pss:.1} MiB, goal {PSS:.0} MiB"));
    table.goal("an agent back", table.median(AGENT), BACK);
    table.goal("a server back", table.median(ALL), BACK);
    table
}
