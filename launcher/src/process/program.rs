//! Runs a program that ran in this pane before, then a shell.

use super::agent::{self, End};
use super::{login_environment, login_shell};
use crate::agent::environment;
use crate::agent::recorded::{Recorded, own_environment};
use crate::terminal::Terminal;
use crate::terminal::say::say;
use shared::escape::shown;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

/// Runs a program to its end, with the environment that a restore gave the pane for it; however it ends, a login shell stays in the pane.
pub(crate) fn run_then_shell(argv: &[OsString], home: &Path) -> ExitCode {
    let terminal = Terminal::remember();
    let recorded = Recorded::read();
    let own = own_environment();
    // An agent's view gets the keys of the login shell, as agents do.
    let mut environment = if recorded == Recorded::default() {
        own
    } else {
        login_environment::ask(&own).unwrap_or(own)
    };
    environment.retain(|(name, _)| !recorded.absent.contains(name));
    environment.extend(recorded.variables);
    if let Some(path) = recorded.path {
        let all = [environment::path(&environment), path];
        let all: Vec<&OsStr> = all.iter().map(OsString::as_os_str).collect();
        environment.push(("PATH".into(), environment::join(home, &all)));
    }
    let end = agent::run(None, argv, &environment, |_| {});
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
