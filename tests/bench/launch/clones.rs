//! Launches on eight clones: with nothing to do, and with remotes that hang.

use crate::table::Table;
use crate::world::{ID, World};
use std::net::TcpListener;
use std::time::{Duration, Instant};

const CLONES: usize = 8;
/// How long a remote takes to begin its answer: near what hosted ones take.
const ANSWERS_AFTER: &str = "0.3";

const SINGLE: &str = "slowest single git fetch";
const ALL: &str = "start-claude, 8 clones, nothing to do";
const LOCAL_SINGLE: &str = "no network: slowest single git fetch";
const LOCAL_ALL: &str = "no network: start-claude, 8 clones";
const HANGING: &str = "start-claude, 8 clones that hang";

/// Over the slowest single fetch.
const RATIO: f64 = 1.3;
const MORE: f64 = 5.0;
/// What the configuration says, and what may come on top (ms).
const DEADLINE: f64 = 2000.0;
const LATE: f64 = 500.0;
/// Each of these costs the deadline.
const HANGING_RUNS: usize = 3;

pub(crate) fn measure(world: &World, runs: usize) -> Table {
    make_clones(world);
    world.let_agent_stay();
    let mut table = Table::new(format!("{CLONES} clones, {runs} x"));
    for _ in 0..runs {
        set(world, "remote.origin.uploadpack", "git upload-pack");
        table.add(LOCAL_SINGLE, slowest_fetch(world));
        table.add(LOCAL_ALL, launch(world, ""));
        let late = format!("sleep {ANSWERS_AFTER}; git upload-pack");
        set(world, "remote.origin.uploadpack", &late);
        table.add(SINGLE, slowest_fetch(world));
        table.add(ALL, launch(world, ""));
    }
    let limit = table.median(SINGLE) * RATIO + MORE;
    table.goal("nothing to do", table.median(ALL), limit);

    // The kernel accepts, nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    set(world, "remote.origin.url", &format!("git://{}/x", silent.local_addr().unwrap()));
    for _ in 0..HANGING_RUNS {
        table.add(HANGING, launch(world, "remote did not answer"));
    }
    table.goal("hanging", table.median(HANGING), DEADLINE + LATE);
    table
}

fn clone(n: usize) -> String {
    format!("code/c{n}")
}

fn make_clones(world: &World) {
    let git = |args: &[&str]| world.finish(world.command("git").args(args));
    git(&["init", "-q", "-b", "main", "seed"]);
    let who = ["-C", "seed", "-c", "user.name=n", "-c", "user.email=e"];
    git(&[&who[..], &["commit", "-q", "--allow-empty", "-m", "one"]].concat());
    for n in 0..CLONES {
        let origin = format!("origin{n}.git");
        git(&["clone", "-q", "--bare", "seed", &origin]);
        git(&["clone", "-q", &origin, &clone(n)]);
    }
}

/// Sets one thing in the configuration of every clone.
fn set(world: &World, key: &str, value: &str) {
    for n in 0..CLONES {
        world.finish(world.command("git").args(["-C", &clone(n), "config", key, value]));
    }
}

fn slowest_fetch(world: &World) -> Duration {
    let fetch = |n| {
        let begin = Instant::now();
        world.finish(world.command("git").args(["-C", &clone(n), "fetch", "--quiet"]));
        begin.elapsed()
    };
    (0..CLONES).map(fetch).max().unwrap()
}

/// How long until the agent runs; each clone has to say `words`, or nothing.
fn launch(world: &World, words: &str) -> Duration {
    let mut command = world.command(world.alone());
    let (took, said) = world.until_agent_runs(command.args(["--session", ID]), &world.home());
    // What is said of the agent's end comes after it.
    let of_end = |line: &&str| line.contains(" exited with ") || line.contains("--resume");
    let said: Vec<&str> = said.lines().filter(|line| !line.is_empty() && !of_end(line)).collect();
    let expected = if words.is_empty() { 0 } else { CLONES };
    assert_eq!(said.len(), expected, "{said:?}");
    assert!(said.iter().all(|line| line.contains(words)), "{said:?}");
    took
}
