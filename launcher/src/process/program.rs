//! A program that ran in this pane before: run again with its arguments, then a shell.

use super::agent::{self, End};
use super::login_shell;
use crate::terminal::Terminal;
use crate::terminal::say::say;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs a program to its end; however it ends, a login shell stays in the pane.
pub(crate) fn run_then_shell(argv: &[OsString]) -> ExitCode {
    let terminal = Terminal::remember();
    let end = agent::run(argv, &[], |_| {});
    if let End::ToldToEnd(signal) = end {
        return ExitCode::from(128 + signal as u8);
    }
    if !matches!(end, End::Exited(0)) {
        if terminal.is_there() {
            terminal.restore();
        }
        say(&format!("{} {end}", argv[0].display()));
    }
    login_shell::become_login_shell()
}
