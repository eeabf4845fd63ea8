//! What must make no difference to a save: other processes of the host, transcripts of other days;
//! and agents of which nothing is known but that they run in one directory (lessons 11 and 15).

use crate::support::Sandbox;
use crate::table::Table;
use crate::world::{self, finish};
use std::process::Child;

const ALONE: &str = "persist save, alone";
const OLD: &str = "beside 100,000 old transcripts";
const BOTH: &str = "and 2,000 processes of others";
const UNKNOWN: &str = "of agents without ids, in one directory";

const SESSIONS: usize = 50;
const TRANSCRIPTS: u32 = 100_000;
const PROCESSES: usize = 2_000;
/// What a crowd may add, and noise with it.
const NO_DIFFERENCE: f64 = 1.15;

/// Measures saves of 50 sessions `runs` times in each company.
pub(crate) fn measure(runs: usize) -> Table {
    let mut table = Table::new(format!("save in company, {SESSIONS} sessions, an agent in each"));
    let (alone, crowded, unknown) = (Sandbox::new(), Sandbox::new(), Sandbox::new());
    for sandbox in [&alone, &crowded] {
        world::agents(sandbox, SESSIONS);
    }
    world::agents_without_ids(&unknown, SESSIONS);
    let project = crowded.prompt(&crate::support::stub_agent::id(0));
    for n in 0..TRANSCRIPTS {
        let id = crate::support::stub_agent::id(1_000_000 + n);
        std::fs::write(project.with_file_name(format!("{id}.jsonl")), "{}\n").unwrap();
    }
    let save = |sandbox: &Sandbox| {
        let said = finish(&mut sandbox.persist_command(["save", "--json"])).stdout;
        assert!(String::from_utf8_lossy(&said).contains("unchanged"));
    };
    let all = [&alone, &crowded, &unknown];
    for sandbox in all {
        finish(&mut sandbox.persist_command(["save"]));
    }
    for _ in 0..runs {
        table.time(ALONE, || save(&alone));
        table.time(OLD, || save(&crowded));
        table.time(UNKNOWN, || save(&unknown));
    }
    let others = Others::start();
    for _ in 0..runs {
        table.time(BOTH, || save(&crowded));
    }
    drop(others);
    for what in [OLD, BOTH, UNKNOWN] {
        table.ratio(what, table.median(what), table.median(ALONE), NO_DIFFERENCE);
    }
    for sandbox in all {
        world::end(sandbox, &sandbox.root().join("tmux"));
    }
    table
}

/// Processes that are none of ours.
struct Others(Vec<Child>);

impl Others {
    fn start() -> Self {
        let sleep = || std::process::Command::new("sleep").arg("100000").spawn().unwrap();
        Self(std::iter::repeat_with(sleep).take(PROCESSES).collect())
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
