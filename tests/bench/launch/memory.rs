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
    let [peak, pss] = while_agent_runs(world.command(world.alone()));
    goal("peak while the agent runs, resident", peak, RUNNING);
    goal("  its proportional share then", pss, RUNNING);
    let [peak, pss] = while_agent_runs(world.in_pane(world.beside_persist()));
    goal("the same in tmux, resident", peak, RUNNING);
    goal("  its proportional share then", pss, RUNNING);
    for (what, command) in [
        ("--wait", world.command(world.alone())),
        ("--wait in tmux, beside persist", world.in_pane(world.beside_persist())),
    ] {
        let [rss, pss] = while_it_waits(command);
        goal(&format!("{what}, proportional share"), pss, WAITING);
        goal("  resident", rss, WAITING);
    }
    table
}

/// Peak resident and proportional memory while an agent runs that stays.
fn while_agent_runs(mut command: Command) -> [f64; 2] {
    let mut launcher = command.args(["--agent", "stay"]).stderr(Stdio::null()).spawn().unwrap();
    let pid = launcher.id();
    let agent = loop {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let agent = children.unwrap().split_whitespace().find_map(|child| {
            let name = std::fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
            (name == "sleep\n").then(|| child.parse::<i32>().unwrap())
        });
        if let Some(agent) = agent {
            break agent;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let figures = [mib(pid, "status", "VmHWM:"), mib(pid, "smaps_rollup", "Pss:")];
    let agent = nix::unistd::Pid::from_raw(agent);
    nix::sys::signal::kill(agent, nix::sys::signal::Signal::SIGKILL).unwrap();
    // It becomes a shell, which has nothing to read.
    let _ = launcher.wait().unwrap();
    figures
}

/// Resident and proportional memory while the launcher waits for Enter.
fn while_it_waits(mut command: Command) -> [f64; 2] {
    command.args(["--wait", "--session", ID]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut launcher = command.spawn().unwrap();
    let mut said = BufReader::new(launcher.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("Enter")));
    let pid = launcher.id();
    let figures = [mib(pid, "smaps_rollup", "Rss:"), mib(pid, "smaps_rollup", "Pss:")];
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
