//! Plans for hosts of 3, 50 and 500 users, and an apply that finds nothing to do: `make bench`, or
//! `cargo bench --bench provision -- [--runs R]`, as root. What the rows mean is in
//! docs/benchmarks.md.
#![allow(clippy::disallowed_methods, reason = "the benchmark starts processes of its own")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is a table")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]

mod hosts;
#[path = "../../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests, which use more of it")]
mod support;
#[path = "../table.rs"]
#[allow(dead_code, reason = "shared with the other benchmarks, which use more of it")]
mod table;

/// Numbers of users.
const SIZES: [usize; 3] = [3, 50, 500];
/// How often each thing is measured when the command line does not say.
const RUNS: usize = 15;

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
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("{cores} cores, load {}", load.split(' ').next().unwrap_or_default());
    println!("median (min - max) of {runs} interleaved runs, ms\n");
    for users in SIZES {
        hosts::plan(users, runs).iter().for_each(table::Table::print);
    }
    hosts::nothing_to_do(runs).iter().for_each(table::Table::print);
}
