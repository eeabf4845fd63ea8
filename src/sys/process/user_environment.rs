//! The environment of a process that became a user: a fixed list, nothing of root's.

use crate::sys::accounts::Account;
use std::path::Path;
use std::process::Command;

/// The PATH: the system's programs, none of a home.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Replaces the environment of `command` with that of the user.
pub(super) fn set(command: &mut Command, user: &Account) {
    command.env_clear();
    command.env("HOME", &user.home).env("USER", &user.name).env("LOGNAME", &user.name);
    command.env("SHELL", &user.shell).env("PATH", SYSTEM_PATH);
    command.env("LANG", std::env::var_os("LANG").unwrap_or_else(|| "C.UTF-8".into()));
    let runtime = format!("/run/user/{}", user.uid);
    if Path::new(&runtime).is_dir() {
        command.env("XDG_RUNTIME_DIR", runtime);
    }
}
