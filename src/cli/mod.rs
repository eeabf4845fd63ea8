//! The command lines: arguments to options, targets, work, output, exit code.

mod common_args;
pub mod config_file;
pub mod exit;
pub mod man;
pub mod output;
pub mod persist;
pub mod provision;

use std::process::ExitCode;

/// Runs `persist` with the process's arguments.
pub fn persist() -> ExitCode {
    persist::run(std::env::args_os()).into()
}

/// Runs `provision` with the process's arguments.
pub fn provision() -> ExitCode {
    provision::run(std::env::args_os()).into()
}
