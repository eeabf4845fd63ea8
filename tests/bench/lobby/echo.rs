//! From a key to its echo.

use crate::client::{Browser, Page};
use crate::pty::Pty;
use crate::table::Table;
use crate::world::World;
use std::time::{Duration, Instant};

/// Keys whose echo is not part of any escape sequence; two that follow each other differ.
const KEYS: &[u8] = b"~`^|{}";
/// How many keys are typed on one side before the other has its turn.
const TURN: usize = 50;
/// Between two keys.
const PAUSE: Duration = Duration::from_millis(5);
/// ttyd adds so much on a like machine, in ms at the median and at 99 of 100; the goal for `open` is 0.8 of it.
const TTYD: [f64; 2] = [0.068, 0.171];
const SHARE: f64 = 0.8;
/// The goal through gateway and agent.
const SHARE_THROUGH: f64 = 1.2;

const FLOOR: &str = "floor: tmux in a pseudo-terminal";
const LOBBY: &str = "lobby open";
const THROUGH: &str = "lobby serve and lobby agent";

/// Something to type into.
trait Terminal {
    fn type_in(&mut self, data: &[u8]);
    /// The next output.
    fn output(&mut self) -> Vec<u8>;
}

impl Terminal for Pty {
    fn type_in(&mut self, data: &[u8]) {
        Pty::type_in(self, data);
    }

    fn output(&mut self) -> Vec<u8> {
        Pty::output(self)
    }
}

impl Terminal for Page {
    fn type_in(&mut self, data: &[u8]) {
        Page::type_in(self, data);
    }

    fn output(&mut self) -> Vec<u8> {
        Page::output(self).to_vec()
    }
}

pub(crate) fn measure(world: &World, keys: usize) -> Table {
    let mut table = Table::new(format!("echo of a key through tmux, {keys} keys each"));
    let browser = Browser::log_in(world);
    let session = browser.session("a");
    let through = Browser::through(world, 0);
    let mut times: [Vec<f64>; 3] = Default::default();
    for turn in 0..keys.div_ceil(TURN) {
        let mut pty = Pty::attach(world, "a");
        settle(&mut pty);
        for at in 0..TURN {
            let took = echo(at, &mut pty);
            table.add(FLOOR, took);
            times[0].push(took.as_secs_f64() * 1000.0);
        }
        drop(pty);
        for (side, browser, name) in [(1, &browser, LOBBY), (2, &through, THROUGH)] {
            let mut page = browser.view(&session, turn);
            settle(&mut page);
            for at in 0..TURN {
                let took = echo(at, &mut page);
                table.add(name, took);
                times[side].push(took.as_secs_f64() * 1000.0);
            }
        }
    }
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    for (share, what, ttyd) in [(50, "median", TTYD[0]), (99, "99 of 100", TTYD[1])] {
        let at = |times: &Vec<f64>| times[times.len() * share / 100];
        for (side, name, goal) in [(1, LOBBY, SHARE), (2, THROUGH, SHARE_THROUGH)] {
            let (floor, limit) = (at(&times[0]), ttyd * goal);
            let added = at(&times[side]) - floor;
            let text = format!(
                "{name} adds at {what}: {added:.3} ms to {floor:.3}, goal {limit:.3} (ttyd on a like machine {ttyd:.3})"
            );
            table.judge(added <= limit, &text);
        }
    }
    table
}

/// Waits for the first screen: the end of tmux's status line.
fn settle(terminal: &mut impl Terminal) {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("[a]") {
        seen.extend(terminal.output());
    }
    std::thread::sleep(Duration::from_millis(200)); // what follows the first screen
}

fn echo(at: usize, terminal: &mut impl Terminal) -> Duration {
    std::thread::sleep(PAUSE);
    let key = KEYS[at % KEYS.len()];
    let begin = Instant::now();
    terminal.type_in(&[key]);
    while !terminal.output().contains(&key) {}
    begin.elapsed()
}
