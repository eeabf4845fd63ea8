//! The login shell that stays in a pane after its agent.
#![allow(clippy::disallowed_methods, reason = "this process becomes the shell")]

use super::signals;
use crate::agent::recorded;
use crate::terminal::say::say;
use shared::escape::{io_reason, shown};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Executes the user's shell, with a leading dash in its name as login(1) does; `/bin/sh` if there is
/// no other. It gets the pane's environment, without the variables that only the agent had.
pub fn become_login_shell() -> ExitCode {
    signals::release();
    let account = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    let shell = account.map(|account| account.shell).filter(|shell| !shell.as_os_str().is_empty());
    let shells = std::env::var_os("SHELL").map(PathBuf::from).into_iter().chain(shell);
    for shell in shells.chain([PathBuf::from("/bin/sh")]) {
        let mut name = OsString::from("-");
        name.push(shell.file_name().unwrap_or(OsStr::new("sh")));
        let mut command = Command::new(&shell);
        for name in recorded::OWN {
            command.env_remove(name);
        }
        let error = command.arg0(name).exec();
        say(&format!("{}: {}", shown(&shell), io_reason(&error)));
    }
    ExitCode::FAILURE
}
