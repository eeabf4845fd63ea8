//! What the lobby costs beside tmux in a pseudo-terminal: `make bench`, or, after `make page` and
//! `cargo build --release --workspace`, `cargo bench --bench lobby -- [--runs R] [PART]...`. What the rows mean is in
//! docs/benchmarks.md.
#![allow(clippy::disallowed_methods, reason = "the benchmark starts processes of its own")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is a table")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]

mod client;
mod cost;
mod echo;
mod output;
mod pty;
mod search;
#[path = "../table.rs"]
#[allow(dead_code, reason = "shared with the other benchmarks, which use more of it")]
mod table;
mod world;

use world::World;

/// How many keys are typed when the command line does not say.
const RUNS: usize = 1000;

fn main() {
    let mut args = std::env::args().skip(1);
    let (mut runs, mut parts) = (RUNS, Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--runs" => runs = args.next().and_then(|n| n.parse().ok()).expect("--runs NUMBER"),
            "--bench" => {} // cargo's own
            "echo" | "output" | "cost" | "gateway" | "search" => parts.push(arg),
            _ => panic!("usage: [--runs R] [echo] [output] [cost] [gateway] [search]"),
        }
    }
    println!("median (min - max) of interleaved runs, ms\n");
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|one| one == part);
    if wanted("echo") {
        echo::measure(&World::with_gateway(), runs).print();
    }
    if wanted("output") {
        output::measure(&World::with_gateway()).print();
    }
    if wanted("cost") {
        cost::measure(&World::new()).print();
    }
    if wanted("gateway") {
        cost::gateway(&World::with_gateway()).print();
    }
    if wanted("search") {
        search::measure(&World::new()).print();
    }
}
