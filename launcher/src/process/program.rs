//! Runs a program that ran in this pane before, then a shell.

use super::agent::{self, End};
use super::login_shell;
use crate::agent::recorded::own_environment;
use crate::terminal::Terminal;
use crate::terminal::say::say;
use shared::escape::shown;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs a program to its end; however it ends, a login shell stays in the pane.
pub(crate) fn run_then_shell(argv: &[OsString]) -> ExitCode {
    let terminal = Terminal::remember();
    let end = agent::run(None, argv, &own_environment(), |_| {});
    if let End::EndedBySignal(signal) = end {
        return ExitCode::from(128 + signal as u8);
    }
    if !matches!(end, End::Exited(0)) {
        if terminal.exists() {
            terminal.restore();
        }
        say(&format!("{} {end}", shown(&argv[0])));
    }
    login_shell::become_login_shell()
}
