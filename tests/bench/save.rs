//! `persist save` and `persist show` of sessions with agents.

use crate::support::{Sandbox, wait_until};
use crate::table::Table;
use crate::world::finish;
use crate::{cost, floor, world};

const LIST: &str = "floor: tmux list-panes -a -F";
const PROC: &str = "floor: 3 /proc files x 2 processes x N";
const UNCHANGED: &str = "persist save, nothing changed";
const CHANGED: &str = "persist save, a window renamed";
const CLIENT: &str = "floor: one more tmux client";
const TIMER: &str = "persist save, of the timer, nothing changed";
const OPTIONS: &str = "persist save, all options that users set";
const SHOW: &str = "persist show";

/// Goals of docs/benchmarks.md, for the numbers of sessions that have one (ms).
const SAVES: [(usize, f64); 3] = [(10, 6.0), (50, 12.0), (200, 25.0)];
const SHOW_GOAL: f64 = 25.0;
const SAVE_RATIO: f64 = 2.0;
const TIMER_RATIO: f64 = 1.05;
const MAX_CHILDREN: usize = 2;

/// Measures `sessions` sessions `runs` times.
pub(crate) fn measure(sessions: usize, runs: usize) -> Table {
    let sandbox = Sandbox::new();
    let pids = world::agents(&sandbox, sessions);
    let mut table = Table::new(format!("save and show, {sessions} sessions, an agent in each"));
    let save = || finish(&mut sandbox.persist_command(["save", "--json"])).stdout;
    let (children, memory) = cost_of_save(&sandbox);
    assert_rank_one(&sandbox, sessions);
    wait_until("all sessions have been quiet for a while", || {
        let used = sandbox.panes("#{window_activity}\n#{session_activity}");
        let last: u64 = used.iter().map(|time| time.parse().unwrap()).max().unwrap();
        last + 4 < std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
    });
    for run in 0..runs {
        table.time(LIST, || floor::list_panes(&sandbox));
        let ask = ["list-commands", "-F", "x", "display-message"];
        table.time(CLIENT, || finish(sandbox.command("tmux").args(ask)));
        table.time(PROC, || floor::proc_files(&pids));
        let said = table.time(UNCHANGED, save);
        assert!(String::from_utf8_lossy(&said).contains("unchanged"));
        age(&sandbox, &[("options_asked", 3), ("options_read", 300)]);
        let said = table.time(TIMER, save);
        assert!(String::from_utf8_lossy(&said).contains("unchanged"));
        age(&sandbox, &[("options_asked", 3600)]);
        table.time(OPTIONS, save);
        sandbox.tmux(["rename-window", "-t", "=s0:", &format!("run{run}")]).ok();
        let said = table.time(CHANGED, save);
        assert!(String::from_utf8_lossy(&said).contains("\"saved\""));
        table.time(SHOW, || finish(&mut sandbox.persist_command(["show", "--json"])));
    }
    let floor = table.median(LIST) + table.median(PROC);
    let save = table.median(UNCHANGED);
    table.ratio("save, unchanged", save, floor, SAVE_RATIO);
    let ratio = table.median(TIMER) / save;
    let client = table.median(CLIENT);
    let of_timer = format!(
        "save of the timer: {ratio:.2} of one that follows, goal {TIMER_RATIO}; by a further client it would be {client:.1} ms more"
    );
    table.judge(ratio <= TIMER_RATIO, &of_timer);
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

/// Makes the records say that something was done so many seconds earlier.
fn age(sandbox: &Sandbox, records: &[(&str, u64)]) {
    let file = sandbox.user_state().join("activity.tsv");
    let text = std::fs::read_to_string(&file).unwrap();
    let aged = text.lines().map(|line| {
        let aged = line.split_once('\t').and_then(|(name, time)| {
            let (_, seconds) = records.iter().find(|(record, _)| *record == name)?;
            Some(format!("{name}\t{}\n", time.parse::<u64>().unwrap() - seconds))
        });
        aged.unwrap_or_else(|| format!("{line}\n"))
    });
    std::fs::write(&file, aged.collect::<String>()).unwrap();
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
