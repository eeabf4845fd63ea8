//! The launcher's size: on disk, while the agent runs, and while it waits for Enter.

use crate::table::Table;
use crate::world::{ID, World};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Goals in MiB.
const RUNNING: f64 = 5.0;
const WAITING: f64 = 2.0;
const BINARY: f64 = 3.0;

pub(crate) fn measure(world: &World) -> Table {
    let mut table = Table::new("size of the launcher, MiB".to_owned());
    let mut goal = |what: &str, mib: f64, limit: f64| {
        table.judge(mib <= limit, &format!("{what}: {mib:.2}, goal {limit:.0}"));
    };
    #[allow(clippy::cast_precision_loss, reason = "a few megabytes")]
    let bytes = world.alone().metadata().unwrap().len() as f64;
    goal("program on disk, stripped", bytes / f64::from(1 << 20), BINARY);
    let [peak, pss] = while_agent_runs(world, world.command(world.alone()));
    goal("peak while the agent runs, resident", peak, RUNNING);
    goal("  its proportional share then", pss, RUNNING);
    let [peak, pss] = while_agent_runs(world, world.in_pane(world.beside_persist()));
    goal("the same in tmux, resident", peak, RUNNING);
    goal("  its proportional share then", pss, RUNNING);
    for (what, command) in [
        ("--wait", world.command(world.alone())),
        ("--wait in tmux, beside persist", world.in_pane(world.beside_persist())),
    ] {
        let [rss, pss, own] = while_it_waits(command);
        goal(&format!("{what}, proportional share"), pss, WAITING);
        goal("  resident, with the libraries that all programs share", rss, WAITING);
        goal("  not of any file, and so its own alone", own, WAITING);
    }
    table
}

/// Peak resident and proportional memory while an agent runs that stays.
fn while_agent_runs(world: &World, mut command: Command) -> [f64; 2] {
    command.env("HOME", world.home_of_stayer()).args(["--session", ID]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut launcher = command.spawn().unwrap();
    let mut said = BufReader::new(launcher.stdout.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "running");
    let pid = launcher.id();
    let figures = [mib(pid, "status", "VmHWM:"), mib(pid, "smaps_rollup", "Pss:")];
    // The agent fails, and the launcher becomes a shell that has nothing to read either.
    drop(launcher.stdin.take());
    let _ = launcher.wait().unwrap();
    figures
}

/// Resident, proportional and anonymous memory while the launcher waits for Enter.
fn while_it_waits(mut command: Command) -> [f64; 3] {
    command.args(["--wait", "--session", ID]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut launcher = command.spawn().unwrap();
    let mut said = BufReader::new(launcher.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("Enter")));
    let pid = launcher.id();
    let figures = ["Rss:", "Pss:", "Anonymous:"].map(|key| mib(pid, "smaps_rollup", key));
    drop(launcher.stdin.take());
    let _ = launcher.wait().unwrap();
    figures
}

/// One figure that the kernel gives in KiB.
fn mib(pid: u32, file: &str, key: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
