//! Processes and memory of one command.

use crate::world::finish;
use nix::sys::resource::{UsageWho, getrusage};
use std::collections::BTreeSet;
use std::process::Command;

/// How many processes a command starts, counted by strace; `None` where that does not work.
pub(crate) fn children(command: &Command) -> Option<usize> {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let mut traced = again("strace", command);
    traced.args(["-f", "-qq", "-e", "trace=execve,exit_group", "-o"]).arg(trace.path());
    traced.arg(command.get_program()).args(command.get_args());
    if !traced.output().is_ok_and(|output| output.status.success()) {
        return None;
    }
    let text = std::fs::read_to_string(trace.path()).unwrap();
    // Every process ends by itself, by one call; threads do not make it.
    let pids: BTreeSet<_> = text
        .lines()
        .filter(|line| line.contains("exit_group(") || line.contains("killed by"))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    pids.len().checked_sub(1)
}

/// Peak resident memory of a command or of its largest child, in MiB.
pub(crate) fn peak_memory(command: &Command) -> f64 {
    let mut measured = again(std::env::current_exe().unwrap(), command);
    measured.arg("--peak-memory").arg(command.get_program()).args(command.get_args());
    let kib = String::from_utf8(finish(&mut measured).stdout).unwrap();
    kib.trim().parse::<f64>().unwrap() / 1024.0
}

/// The other side of [`peak_memory`]: a process without other children, so that the system's
/// figure for all children is that of the command.
pub(crate) fn print_peak_memory(mut argv: impl Iterator<Item = String>) {
    finish(Command::new(argv.next().unwrap()).args(argv));
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss());
}

/// Another program in the environment of a command.
fn again(program: impl AsRef<std::ffi::OsStr>, command: &Command) -> Command {
    let mut again = Command::new(program);
    again.env_clear();
    again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    again.current_dir(command.get_current_dir().unwrap());
    again
}
