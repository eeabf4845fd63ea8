//! Save, show and restore beside what the same work costs at least, in one run: `make bench`, or
//! `cargo bench --bench sessions -- [--runs R] [--watch] [N...]`. What the columns mean is in
//! docs/benchmarks.md.
#![allow(clippy::disallowed_methods, reason = "the benchmark starts processes of its own")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is a table")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]

mod cost;
mod crowd;
mod floor;
mod hook;
mod pressure;
mod restore;
mod save;
#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests, which use more of it")]
mod support;
mod table;
mod users;
mod watch;
mod world;

/// Numbers of sessions when the command line names none.
const SIZES: [usize; 3] = [10, 50, 200];
/// How often each thing is measured when the command line does not say.
const RUNS: usize = 15;

fn main() {
    let mut args = std::env::args().skip(1);
    let (mut sizes, mut runs, mut only_watch) = (Vec::new(), RUNS, false);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--peak-memory" => return cost::print_peak_memory(args),
            "--runs" => runs = args.next().and_then(|n| n.parse().ok()).expect("--runs NUMBER"),
            "--watch" => only_watch = true,
            "--bench" => {} // cargo's own
            number => {
                sizes.push(number.parse().expect("usage: [--runs R] [--watch] [SESSIONS...]"));
            }
        }
    }
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    println!("{}\nmedian (min - max) of {runs} interleaved runs, ms\n", world::machine());
    if only_watch {
        watch::measure(runs).print();
        return pressure::measure(runs.div_ceil(3)).print();
    }
    hook::measure(runs).print();
    for &sessions in &sizes {
        save::measure(sessions, runs).print();
    }
    for &sessions in &sizes {
        restore::measure(sessions, runs).print();
    }
    for &sessions in &sizes {
        restore::measure_lazy(sessions, runs).print();
    }
    watch::measure(runs).print();
    pressure::measure(runs.div_ceil(3)).print();
    crowd::measure(runs).print();
    users::measure(runs).iter().for_each(table::Table::print);
}
