//! What `start-claude` costs beside what it starts: `make bench`, or, after
//! `cargo build --release --workspace`, `cargo bench --bench launch -- [--runs R]`. What the rows
//! mean is in docs/benchmarks.md.
#![allow(clippy::disallowed_methods, reason = "the benchmark starts processes of its own")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is a table")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]

mod clones;
mod memory;
mod overhead;
#[path = "../table.rs"]
#[allow(dead_code, reason = "shared with the other benchmark, which uses more of it")]
mod table;
mod world;

use world::World;

/// How often the quick things are measured when the command line does not say.
const RUNS: usize = 51;

fn main() {
    let mut args = std::env::args().skip(1);
    let mut runs = RUNS;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--runs" => runs = args.next().and_then(|n| n.parse().ok()).expect("--runs NUMBER"),
            "--bench" => {} // cargo's own
            _ => panic!("usage: [--runs R]"),
        }
    }
    let world = World::new();
    println!("{}\nmedian (min - max) of interleaved runs, ms\n", world.machine());
    overhead::measure(&world, runs).print();
    memory::measure(&world).print();
    clones::measure(&world, runs.div_ceil(6)).print();
}
