//! Much output, and a page that shows none of it.

use crate::client::Browser;
use crate::pty::Pty;
use crate::table::Table;
use crate::world::World;
use std::path::Path;
use std::time::{Duration, Instant};

/// Size of what is printed, in bytes.
const SIZE: usize = 64 << 20;
const ROUNDS: usize = 3;
/// Most bytes that a page which shows nothing is sent.
const MAX_QUEUED: usize = 1 << 20;

const FLOOR: &str = "floor: tmux in a pseudo-terminal";
const LOBBY: &str = "lobby open";
const THROUGH: &str = "lobby serve and lobby agent";

pub(crate) fn measure(world: &World) -> Table {
    let mut table = Table::new(format!("{} MiB printed in tmux", SIZE >> 20));
    let file = world.dir().join("much");
    let line = format!("{}\n", "0123456789".repeat(7));
    std::fs::write(&file, line.repeat(SIZE / line.len())).unwrap();
    let browser = Browser::log_in(world);
    let through = Browser::through(world, 0);
    let (mut cpu, mut cpu_through) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let took = {
            let name = print(world, &file, round * 3);
            let mut pty = Pty::attach(world, &name);
            until_done(world, &name, || pty.output())
        };
        table.add(FLOOR, took);
        let name = print(world, &file, round * 3 + 1);
        let session = browser.session(&name);
        let before = cpu_of(world.pid());
        let mut page = browser.view(&session, round);
        let took = until_done(world, &name, || page.output().to_vec());
        cpu.push(cpu_of(world.pid()) - before);
        table.add(LOBBY, took);
        drop(page);
        let name = print(world, &file, round * 3 + 2);
        let session = browser.session(&name);
        let both = || cpu_of(world.gateway()) + cpu_of(world.agent());
        let before = both();
        let mut page = through.view(&session, round);
        let took = until_done(world, &name, || page.output().to_vec());
        cpu_through.push(both() - before);
        table.add(THROUGH, took);
    }
    let (floor, lobby) = (table.median(FLOOR), table.median(LOBBY));
    table.ratio("through the lobby", lobby, floor, 1.1);
    cpu.sort_by(f64::total_cmp);
    let used = cpu[cpu.len() / 2];
    table.judge(used <= 0.4, &format!("time of the lobby's own: {used:.2} s, goal 0.40"));
    table.ratio("through gateway and agent", table.median(THROUGH), floor, 1.1);
    cpu_through.sort_by(f64::total_cmp);
    let used = cpu_through[cpu_through.len() / 2];
    table.judge(used <= 0.8, &format!("time of gateway and agent: {used:.2} s, goal 0.80"));
    queued(world, &file, &browser, &mut table);
    table
}

/// A session that prints the file once `go` is there, and then its name.
fn print(world: &World, file: &Path, number: usize) -> String {
    let name = format!("p{number}");
    let command = format!(
        "while ! test -e go-{name}; do sleep 0.02; done; cat {}; echo done-{name}; exec cat",
        file.display()
    );
    world.tmux(&["new-session", "-d", "-s", &name, "-x", "80", "-y", "24", &command]);
    name
}

fn until_done(world: &World, name: &str, mut output: impl FnMut() -> Vec<u8>) -> Duration {
    std::fs::write(world.dir().join(format!("go-{name}")), "").unwrap();
    let begin = Instant::now();
    let end = format!("done-{name}").into_bytes();
    let mut last: Vec<u8> = Vec::new();
    while !last.windows(end.len()).any(|part| part == end) {
        last.drain(..last.len().saturating_sub(end.len()));
        last.extend(output());
    }
    begin.elapsed()
}

/// What a page is sent that shows nothing.
fn queued(world: &World, file: &Path, browser: &Browser, table: &mut Table) {
    let name = print(world, file, 100);
    // Many colours: tmux sends all of them, and not what is left of a screen.
    world.tmux(&["set-option", "-g", "default-terminal", "screen-256color"]);
    let session = browser.session(&name);
    let mut page = browser.view(&session, 100);
    page.wait_at_most(Duration::from_secs(2));
    std::fs::write(world.dir().join(format!("go-{name}")), "").unwrap();
    let mut bytes = 0;
    loop {
        match page.output_unshown().len() {
            0 => break,
            more => bytes += more,
        }
    }
    table.judge(
        bytes <= MAX_QUEUED,
        &format!("sent to a page that shows nothing: {} KiB, goal 1024", bytes >> 10),
    );
}

/// Processor time of a process, in seconds.
fn cpu_of(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: f64 = [11, 12].iter().map(|at| fields[*at].parse::<f64>().unwrap()).sum();
    ticks / 100.0
}
