//! The agent by itself, and through the launcher; no clones.

use crate::table::Table;
use crate::world::{ID, World};
use std::process::Command;

const AGENT: &str = "the agent by itself";
const ALONE: &str = "start-claude";
const RECORDED: &str = "start-claude, persist records the close";
const PANE: &str = "start-claude in tmux";
const PANE_RECORDED: &str = "start-claude in tmux, persist records";
const TMUX: &str = "floor: tmux display-message";
const PERSIST: &str = "floor: persist ended";

/// Over the agent by itself (ms).
const GOAL: f64 = 5.0;

pub(crate) fn measure(world: &World, runs: usize) -> Table {
    assert_named_after_session(world);
    let mut table =
        Table::new(format!("from start to end of an agent that ends at once, {runs} x"));
    let launch = |mut command: Command| {
        world.finish(command.args(["--session", ID]));
    };
    for _ in 0..runs {
        let mut agent = world.command(world.agent());
        table.time(AGENT, || world.finish(agent.args(["--session-id", ID])));
        table.time(ALONE, || launch(world.command(world.alone())));
        table.time(RECORDED, || launch(world.command(world.beside_persist())));
        table.time(PANE, || launch(world.in_pane(world.alone())));
        table.time(PANE_RECORDED, || launch(world.in_pane(world.beside_persist())));
        let mut ask = world.in_pane("tmux");
        table.time(TMUX, || world.finish(ask.args(["-u", "display-message", "-p", "#S"])));
        let mut ended = world.command(world.persist());
        ended.args(["ended", ID, "--agent", "claude", "--how", "closed", "--quiet"]);
        table.time(PERSIST, || world.finish(&mut ended));
    }
    let agent = table.median(AGENT);
    table.goal("overhead", table.median(ALONE) - agent, GOAL);
    table.goal("overhead in tmux", table.median(PANE) - agent, GOAL);
    let recording = table.median(RECORDED) - table.median(ALONE);
    table.note(&format!("recording the close, after the agent's end: {recording:.1} ms more"));
    table
}

/// The figures in tmux are worth nothing when the question to tmux is not answered.
fn assert_named_after_session(world: &World) {
    let mut tell = world.in_pane(world.alone());
    let output = world.finish(tell.args(["--agent", "tell", "--session", ID]));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{ID} bench\n"));
}
