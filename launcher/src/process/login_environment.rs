//! The environment of the user's login shell, with what its start files export: a tmux server that was
//! started at boot has none of it. Keys are found there; they are never saved.
#![allow(clippy::disallowed_methods, reason = "the user's shell is run under a deadline")]

use super::signals;
use crate::agent::environment::Variables;
use rustix::fs::MemfdFlags;
use shared::child::{self, Stopped, Until};
use shared::pane_variables::ASKING;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long the shell may take; the user waits for it.
const DEADLINE: Duration = Duration::from_secs(5);
/// Maximum size of an environment, in bytes.
const MAX_SIZE: u64 = 4 << 20;
/// The option by which this program writes its environment to a file.
pub const WRITE: &str = "--write-environment";

/// Why a login shell gave no environment.
#[derive(Debug, thiserror::Error)]
pub enum NoEnvironment {
    #[error("{} did not end within {} s", shared::escape::shown(.0), DEADLINE.as_secs())]
    Deadline(PathBuf),
    #[error("{} gave no environment", shared::escape::shown(.0))]
    Nothing(PathBuf),
    #[error("a key was pressed")]
    Cancelled,
    #[error("{}", shared::escape::io_reason(.0))]
    Io(#[from] std::io::Error),
}

/// Whether this process is in start files that are read to answer another launcher.
pub fn is_being_asked() -> bool {
    std::env::var_os(ASKING).is_some()
}

/// Writes this process's environment to `file`, for [`ask`].
pub fn write(file: &OsStr) -> std::io::Result<()> {
    let mut text = Vec::new();
    for (name, value) in std::env::vars_os() {
        text.extend([name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat());
    }
    text.push(0); // the end
    std::fs::OpenOptions::new().write(true).open(Path::new(file))?.write_all(&text)
}

/// Asks the login shell for its environment when it is started with `own`. It reads its start files as in a
/// new pane: as a login shell that is interactive, where possible, since many users export variables
/// only there. It has no terminal, its output is dropped, and it is killed at the deadline or when a
/// key that interrupts is pressed.
pub fn ask(own: &Variables) -> Result<Variables, NoEnvironment> {
    let shell = shell(own);
    let end = Instant::now() + DEADLINE;
    let pressed = signals::pressed_keys();
    let until = Until { end, cancel: pressed.as_ref().map(AsFd::as_fd) };
    let mut result = Err(NoEnvironment::Nothing(shell.clone()));
    for options in options(&shell) {
        result = ask_with(&shell, options, own, until);
        // A start file may have replaced the interactive shell by another program.
        if !matches!(result, Err(NoEnvironment::Nothing(_))) {
            break;
        }
    }
    if let Some(pressed) = &pressed {
        signals::drop_pressed(pressed);
    }
    let pane = |name: &OsString| PANES_OWN.iter().any(|own| name == own);
    let kept = own.iter().filter(|(name, _)| pane(name)).cloned();
    let is_shells = |name: &OsString| ["_", "SHLVL", "OLDPWD", ASKING].iter().any(|s| name == s);
    let asked = result?.into_iter().filter(|(name, _)| !pane(name) && !is_shells(name));
    Ok(kept.chain(asked).collect())
}

/// What describes the pane; a shell without a terminal may have set it otherwise.
const PANES_OWN: [&str; 9] = [
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "PWD",
    "TERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TMUX",
    "TMUX_PANE",
];

fn ask_with(
    shell: &Path,
    options: &[&str],
    own: &Variables,
    until: Until<'_>,
) -> Result<Variables, NoEnvironment> {
    // Not by its standard output, where start files print.
    let memory = rustix::fs::memfd_create(c"environment", MemfdFlags::CLOEXEC)
        .map_err(std::io::Error::from)?;
    let mut file = std::fs::File::from(memory);
    let us = std::process::id();
    let is_nu = shell.file_name() == Some(OsStr::new("nu"));
    let begin = if is_nu { "^" } else { "exec " };
    // No character of these words means anything to any shell.
    let line = format!("{begin}/proc/{us}/exe {WRITE} /proc/{us}/fd/{}", file.as_raw_fd());
    let mut command = Command::new(shell);
    let name = shell.file_name().unwrap_or_default();
    command.arg0(name).args(options).arg(line);
    command.env_clear().envs(own.iter().map(|(name, value)| (name, value))).env(ASKING, "1");
    match child::run(command, until) {
        Ok(_) => {}
        Err(Stopped::DeadlinePassed) => return Err(NoEnvironment::Deadline(shell.to_owned())),
        Err(Stopped::Cancelled) => return Err(NoEnvironment::Cancelled),
        Err(Stopped::Failed(error)) => return Err(error.into()),
    }
    let mut text = Vec::new();
    file.rewind()?;
    file.take(MAX_SIZE).read_to_end(&mut text)?;
    parse(&text).ok_or_else(|| NoEnvironment::Nothing(shell.to_owned()))
}

/// Reads what [`write`] wrote; `None` if its end is missing.
fn parse(text: &[u8]) -> Option<Variables> {
    let text = text.strip_suffix(b"\0\0")?;
    let variable = |line: &[u8]| {
        let equals = line.iter().position(|&byte| byte == b'=')?;
        let part = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        Some((part(&line[..equals]), part(&line[equals + 1..])))
    };
    Some(text.split(|&byte| byte == 0).filter_map(variable).collect())
}

/// The options of a shell, best first. A name may have a version: `zsh-5.9`, `bash5`.
fn options(shell: &Path) -> &'static [&'static [&'static str]] {
    let name = shell.file_name().and_then(OsStr::to_str).unwrap_or_default();
    match name.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default() {
        "bash" | "zsh" | "fish" | "ksh" | "mksh" | "sh" | "dash" | "ash" | "nu" => {
            &[&["-l", "-i", "-c"], &["-l", "-c"]]
        }
        "csh" | "tcsh" => &[&["-c"]],
        _ => &[&["-l", "-c"], &["-c"]],
    }
}

/// The shell of the pane, else of the account.
fn shell(own: &Variables) -> PathBuf {
    let named = own.iter().find(|(name, _)| name == "SHELL").map(|(_, value)| value.into());
    let named = named.filter(|shell: &PathBuf| shell.is_absolute());
    let account = || nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    named.or_else(|| Some(account()?.shell)).unwrap_or_else(|| "/bin/sh".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_known_with_a_version_in_its_name() {
        let first = |shell: &str| options(Path::new(shell))[0];
        for shell in ["/bin/zsh", "/opt/bin/zsh-5.9", "bash5", "/nix/store/x/bin/fish", "nu"] {
            assert_eq!(first(shell), ["-l", "-i", "-c"], "{shell}");
        }
        assert_eq!(first("/bin/tcsh"), ["-c"]);
        assert_eq!(first("/usr/bin/xonsh"), ["-l", "-c"]);
    }

    #[test]
    fn an_environment_without_its_end_is_none() {
        let all = [("A", "1=2"), ("B", ""), ("C", "x\ny")].map(|(n, v)| (n.into(), v.into()));
        assert_eq!(parse(b"A=1=2\0B=\0C=x\ny\0\0"), Some(all.to_vec()));
        for cut in [&b""[..], b"A=1", b"A=1\0", b"A=1\0B=2\0"] {
            assert_eq!(parse(cut), None, "{cut:?}");
        }
    }
}
