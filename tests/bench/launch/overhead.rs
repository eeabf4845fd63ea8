//! The agent by itself, and through the launcher; no clones.

use crate::table::Table;
use crate::world::{ID, World};
use std::process::Command;

const AGENT: &str = "the agent by itself";
const ALONE: &str = "start-claude";
const PANE: &str = "start-claude in tmux";
const TMUX: &str = "floor: tmux display-message";
const PERSIST: &str = "floor: persist ended";

/// Over the agent by itself (ms).
const GOAL: f64 = 5.0;

pub(crate) fn measure(world: &World, runs: usize) -> Table {
    assert_named_after_session(world);
    let mut table = Table::new(format!("from start until the agent runs, {runs} x"));
    let home = world.home_of_stayer();
    let launch =
        |mut command: Command| world.until_agent_runs(command.args(["--session", ID]), &home).0;
    for _ in 0..runs {
        let mut agent = world.command(home.join(".local/bin/claude"));
        table.add(AGENT, world.until_agent_runs(&mut agent, &home).0);
        table.add(ALONE, launch(world.command(world.alone())));
        table.add(PANE, launch(world.in_pane(world.alone())));
        let mut ask = world.in_pane("tmux");
        table.time(TMUX, || world.finish(ask.args(["-u", "display-message", "-p", "#S"])));
        let mut ended = world.command(world.persist());
        ended.args(["ended", ID, "--agent", "claude", "--how", "closed", "--quiet"]);
        table.time(PERSIST, || world.finish(&mut ended));
    }
    let agent = table.median(AGENT);
    table.goal("overhead", table.median(ALONE) - agent, GOAL);
    table.goal("overhead in tmux", table.median(PANE) - agent, GOAL);
    table
}

/// The figures in tmux are worth nothing when the question to tmux is not answered.
fn assert_named_after_session(world: &World) {
    let mut tell = world.in_pane(world.alone());
    let output = world.finish(tell.args(["--agent", "tell", "--session", ID]));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{ID} bench\n"));
}
