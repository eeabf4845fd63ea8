//! `persist save` and `persist show` of sessions with agents.

use crate::support::Sandbox;
use crate::table::Table;
use crate::world::finish;
use crate::{cost, floor, world};

const LIST: &str = "floor: tmux list-panes -a -F";
const PROC: &str = "floor: 3 /proc files x 2 processes x N";
const UNCHANGED: &str = "persist save, nothing changed";
const CHANGED: &str = "persist save, a window renamed";
const SHOW: &str = "persist show";

/// Goals of docs/benchmarks.md, for the numbers of sessions that have one (ms).
const SAVES: [(usize, f64); 3] = [(10, 6.0), (50, 12.0), (200, 25.0)];
const SHOW_GOAL: f64 = 25.0;
const SAVE_RATIO: f64 = 2.0;
const MAX_CHILDREN: usize = 2;

/// Measures `sessions` sessions `runs` times.
pub(crate) fn measure(sessions: usize, runs: usize) -> Table {
    let sandbox = Sandbox::new();
    let pids = world::agents(&sandbox, sessions);
    let mut table = Table::new(format!("save and show, {sessions} sessions, an agent in each"));
    let save = || finish(&mut sandbox.persist_command(["save", "--json"])).stdout;
    let (children, memory) = cost_of_save(&sandbox);
    assert_rank_one(&sandbox, sessions);
    for run in 0..runs {
        table.time(LIST, || floor::list_panes(&sandbox));
        table.time(PROC, || floor::proc_files(&pids));
        let said = table.time(UNCHANGED, save);
        assert!(String::from_utf8_lossy(&said).contains("unchanged"));
        sandbox.tmux(["rename-window", "-t", "=s0:", &format!("run{run}")]).ok();
        let said = table.time(CHANGED, save);
        assert!(String::from_utf8_lossy(&said).contains("\"saved\""));
        table.time(SHOW, || finish(&mut sandbox.persist_command(["show", "--json"])));
    }
    let floor = table.median(LIST) + table.median(PROC);
    let save = table.median(UNCHANGED);
    table.ratio("save, unchanged", save, floor, SAVE_RATIO);
    table.ratio("save, changed", table.median(CHANGED), floor, SAVE_RATIO);
    if let Some((_, goal)) = SAVES.iter().find(|(size, _)| *size == sessions) {
        table.goal("save, unchanged", save, *goal);
    }
    table.goal("show", table.median(SHOW), SHOW_GOAL);
    match children {
        Some(count) => {
            table.judge(count <= MAX_CHILDREN, &format!("save starts {count} process(es), goal 2"));
        }
        None => table.note("the processes of a save were not counted: no strace"),
    }
    table.note(&format!("peak memory of a save: {memory:.1} MiB"));
    world::end(&sandbox, &sandbox.root().join("tmux"));
    table
}

/// Processes and memory of the first save.
fn cost_of_save(sandbox: &Sandbox) -> (Option<usize>, f64) {
    let save = sandbox.persist_command(["save"]);
    (cost::children(&save), cost::peak_memory(&save))
}

/// The figures are worth nothing when the agents were not seen by their live records.
fn assert_rank_one(sandbox: &Sandbox, sessions: usize) {
    finish(&mut sandbox.persist_command(["save"]));
    let snapshot = String::from_utf8(sandbox.latest()).unwrap();
    let recorded = snapshot.lines().filter(|line| line.contains("\trecord\t")).count();
    assert_eq!(recorded, sessions, "{snapshot}");
}
