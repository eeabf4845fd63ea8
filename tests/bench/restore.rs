//! `persist restore` of sessions with shells, each time from no server at all.

use crate::support::Sandbox;
use crate::table::Table;
use crate::world::{Control, end, finish, new_session, pane_pids};
use std::path::{Path, PathBuf};

const CONTROL: &str = "floor: control mode";
const COMMANDS: &str = "floor: new-session x N";
const RESTORE: &str = "persist restore";

/// Goals of docs/benchmarks.md, for the numbers of sessions that have one (ms).
const RESTORES: [(usize, f64); 3] = [(10, 45.0), (50, 200.0), (200, 500.0)];
const RESTORE_RATIO: f64 = 1.5;
/// Panes that wait are to cost no more than shells.
const LAZY: (usize, f64) = (200, 500.0);
/// The slow floor is there for comparison only.
const RUNS_OF_COMMANDS: usize = 3;

/// Measures `sessions` sessions `runs` times.
pub(crate) fn measure(sessions: usize, runs: usize) -> Table {
    let sandbox = Sandbox::new();
    let work = sandbox.work();
    let tmux = sandbox.root().join("tmux");
    let lines: Vec<_> = (0..sessions).map(|n| new_session(n, &work, "")).collect();
    let mut control = Control::start(&sandbox, &tmux);
    control.send(&lines);
    control.send(&["kill-session -t =boot".to_owned()]);
    drop(control);
    finish(&mut sandbox.persist_command(["save"]));
    end(&sandbox, &tmux);

    let mut table = Table::new(format!("restore, {sessions} sessions, a shell in each"));
    for run in 0..runs {
        let dir = empty(&sandbox, "control", run);
        let control = table.time(CONTROL, || {
            let mut control = Control::start(&sandbox, &dir);
            control.send(&lines);
            control
        });
        check(&sandbox, &dir, sessions + 1);
        end(&sandbox, &dir);
        drop(control);
        if run < RUNS_OF_COMMANDS {
            let dir = empty(&sandbox, "commands", run);
            table.time(COMMANDS, || (0..sessions).for_each(|n| one(&sandbox, &dir, n, &work)));
            check(&sandbox, &dir, sessions);
            end(&sandbox, &dir);
        }
        let dir = empty(&sandbox, "restore", run);
        let mut restore = sandbox.persist_command(["restore"]);
        table.time(RESTORE, || finish(restore.env("TMUX_TMPDIR", &dir)));
        check(&sandbox, &dir, sessions);
        end(&sandbox, &dir);
    }
    let restore = table.median(RESTORE);
    table.ratio("restore", restore, table.median(CONTROL), RESTORE_RATIO);
    if let Some((_, goal)) = RESTORES.iter().find(|(size, _)| *size == sessions) {
        table.goal("restore", restore, *goal);
    }
    table
}

/// Measures the restore of as many agents, each of which waits for Enter.
pub(crate) fn measure_lazy(sessions: usize, runs: usize) -> Table {
    let sandbox = Sandbox::new();
    crate::world::agents(&sandbox, sessions);
    finish(&mut sandbox.persist_command(["save"]));
    end(&sandbox, &sandbox.root().join("tmux"));
    let mut table = Table::new(format!("restore, {sessions} sessions, a waiting agent in each"));
    for run in 0..runs {
        let dir = empty(&sandbox, "lazy", run);
        let mut restore = sandbox.persist_command(["restore", "--mode", "lazy"]);
        table.time("persist restore --mode lazy", || finish(restore.env("TMUX_TMPDIR", &dir)));
        let last = format!("=s{}:", sessions - 1);
        table.time("  until the last pane says what was there", || {
            crate::support::wait_until("the last pane says it", || {
                let mut look = sandbox.command("tmux");
                look.env("TMUX_TMPDIR", &dir).args(["capture-pane", "-p", "-t", &last]);
                let screen = look.output().unwrap().stdout;
                String::from_utf8_lossy(&screen).contains("Enter resumes it")
            });
        });
        check(&sandbox, &dir, sessions);
        if run == 0 {
            let pss: Vec<f64> = pane_pids(&sandbox, &dir).into_iter().map(pss).collect();
            #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
            let mean = pss.iter().sum::<f64>() / pss.len() as f64;
            table.judge(mean <= 2.0, &format!("a waiting pane: {mean:.2} MiB (Pss), goal 2.0"));
        }
        end(&sandbox, &dir);
    }
    let restore = table.median("persist restore --mode lazy");
    if sessions == LAZY.0 {
        table.goal("restore, lazy", restore, LAZY.1);
    }
    table
}

/// A process's proportional share of memory in MiB.
fn pss(pid: i32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

fn one(sandbox: &Sandbox, dir: &Path, n: usize, cwd: &Path) {
    let mut command = sandbox.command("tmux");
    command.env("TMUX_TMPDIR", dir).args(["-u", "-f", "/dev/null", "new-session", "-d", "-s"]);
    finish(command.arg(format!("s{n}")).args(["-x", "80", "-y", "24", "-c"]).arg(cwd));
}

/// A place for a server's socket where none ever was.
fn empty(sandbox: &Sandbox, what: &str, run: usize) -> PathBuf {
    let dir = sandbox.root().join(format!("{what}{run}"));
    std::fs::create_dir(&dir).unwrap();
    dir
}

fn check(sandbox: &Sandbox, dir: &Path, panes: usize) {
    assert_eq!(pane_pids(sandbox, dir).len(), panes);
}
