//! Memory becomes short: how long until idle agents have given back theirs.

use crate::support::memory_group::{MemoryGroup, NEEDS};
use crate::support::set_up::SetUp;
use crate::support::{sandbox, wait_for, wait_until};
use crate::table::Table;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const AGENTS: usize = 10;
/// The memory of one, in MiB.
const MEMORY: &str = "50";
/// The goal of docs/benchmarks.md, in milliseconds.
const GIVEN_BACK: f64 = 10_000.0;
const FIRST: &str = "tasks wait for memory, until one agent has ended";
const ALL: &str = "until all 10 idle agents have";
/// Memory for processes that read a file, and the size of that (bytes).
const LIMIT: u64 = 24 << 20;
const FILE: u64 = 64 << 20;

/// A set-up with idle agents and a watch, for which little memory is available while the kernel's pressure is real.
struct World {
    set_up: SetUp,
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
        let mut set_up = SetUp::new();
        set_up.sandbox.configure("[suspend]\nafter = \"72h\"\nunder_pressure = \"0s\"\n");
        set_up.set("STUB_SCREEN", "1");
        set_up.set("STUB_MEMORY", MEMORY);
        for n in 0..AGENTS {
            set_up.agent_in(&format!("new-session -d -s a{n}"), "claude");
        }
        set_up.persist("save").ok();
        let root = set_up.sandbox.root().join("root");
        std::fs::create_dir_all(root.join("proc/pressure")).unwrap();
        let meminfo = "MemTotal: 16000000 kB\nMemAvailable: 800000 kB\n";
        std::fs::write(root.join("proc/meminfo"), meminfo).unwrap();
        let pressure = root.join("proc/pressure/memory");
        std::os::unix::fs::symlink("/proc/pressure/memory", pressure).unwrap();
        let mut command = set_up.persist_command("watch --quiet");
        command.arg("--root").arg(&root);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let watch = command.spawn().unwrap();
        let watched = set_up.sandbox.user_state().join("watched.tsv");
        wait_until("all agents are watched", || {
            let text = std::fs::read_to_string(&watched).unwrap_or_default();
            text.lines().filter(|line| line.starts_with("agent\t")).count() == AGENTS
        });
        Self { set_up, watch }
    }
}

/// Measures it `runs` times; a note if this host cannot.
pub(crate) fn measure(runs: usize) -> Table {
    let mut table = Table::new(format!("{AGENTS} idle agents of {MEMORY} MiB, and little memory"));
    for _ in 0..runs {
        let world = World::new();
        let dir = world.set_up.sandbox.work();
        let Some(group) = MemoryGroup::new() else {
            table.note(&format!("not measured: it needs {NEEDS}"));
            return table;
        };
        group.limit(LIMIT);
        group.make_file(&dir, FILE);
        let agents: Vec<i32> = world.set_up.started().iter().map(|one| one.pid).collect();
        let ended = || agents.iter().filter(|pid| sandbox::ended(**pid)).count();
        let begin = Instant::now();
        let _readers = group.read(&dir);
        let first = wait_for("one has ended", || (ended() > 0).then(|| begin.elapsed()));
        table.add(FIRST, first);
        let all: Duration =
            wait_for("all have ended", || (ended() == AGENTS).then(|| begin.elapsed()));
        table.add(ALL, all);
    }
    table.goal("memory given back", table.median(ALL), GIVEN_BACK);
    table
}
