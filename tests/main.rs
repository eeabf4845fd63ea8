//! The integration tests: one binary, one folder per kind.
#![allow(clippy::disallowed_methods, reason = "tests set up files and processes of their own")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "tests report to a terminal")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(missing_docs, reason = "test names say it")]

mod support;

mod agents;
mod architecture;
mod boot;
mod cli;
mod clones;
mod documents;
mod faults;
mod formats;
mod fuzz;
mod hook;
mod hostile;
mod launcher;
mod lobby;
mod offboard;
mod package;
mod provision;
mod set_ups;
mod t3;
mod tmux;
mod watch;
