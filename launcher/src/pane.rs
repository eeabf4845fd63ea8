//! The pane's life: the agent as a child in the terminal's foreground, then a login shell.
#![allow(clippy::disallowed_methods, reason = "starting the agent is what this program is for")]

use crate::options::Options;
use nix::sys::signal::{SigHandler, Signal, signal};
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus};

/// Runs the agent, if any, to its end; then this process becomes the login shell.
pub fn run(options: &Options, argv: &[OsString]) -> ExitCode {
    if let Some(note) = &options.note {
        say(&note.to_string_lossy());
    }
    if let Some((program, arguments)) = argv.split_first() {
        match run_agent(program, arguments) {
            Ok(status) if status.success() => {}
            Ok(status) => say(&ending(program, status)),
            Err(error) => say(&format!("{}: {error}", program.display())),
        }
    }
    become_login_shell()
}

/// Says what is wrong with the command line and leaves a shell: a pane is never lost to that.
pub fn refuse(error: &str) -> ExitCode {
    say(error);
    become_login_shell()
}

/// Prints the help text.
pub fn say_help(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run_agent(program: &OsStr, arguments: &[OsString]) -> std::io::Result<ExitStatus> {
    // Keys that interrupt are the agent's business; it gets the default actions back.
    let keys = [Signal::SIGINT, Signal::SIGQUIT];
    for key in keys {
        set_action(key, SigHandler::SigIgn)?;
    }
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", path_with_own_programs());
    let restore = move || keys.into_iter().try_for_each(|key| set_action(key, SigHandler::SigDfl));
    // SAFETY: between fork and exec the closure only calls sigaction(2).
    #[allow(unsafe_code, reason = "resetting signals in the child has no safe form in std")]
    unsafe {
        command.pre_exec(restore);
    }
    let status = command.status();
    for key in keys {
        set_action(key, SigHandler::SigDfl)?;
    }
    status
}

fn set_action(key: Signal, action: SigHandler) -> std::io::Result<()> {
    // SAFETY: only the default action and 'ignore' are set: no handler of ours ever runs.
    #[allow(unsafe_code, reason = "signal(2) has no safe form in nix")]
    let result = unsafe { signal(key, action) };
    result.map(|_| ()).map_err(std::io::Error::from)
}

/// `~/.local/bin` first: that is where the agents' own installers put them.
fn path_with_own_programs() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/bin"));
    let paths = own.into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(paths).unwrap_or(path)
}

/// One line on how the agent ended.
fn ending(program: &OsStr, status: ExitStatus) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    };
    format!("{} {how}; this is a shell", program.display())
}

/// The account's shell, called with a leading dash in its name as login(1) does.
fn become_login_shell() -> ExitCode {
    let account = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    let shell = account.map(|account| account.shell).filter(|shell| !shell.as_os_str().is_empty());
    let shell = std::env::var_os("SHELL").map(PathBuf::from).or(shell);
    let mut error = None;
    for shell in shell.into_iter().chain([PathBuf::from("/bin/sh")]) {
        let mut name = OsString::from("-");
        name.push(shell.file_name().unwrap_or(OsStr::new("sh")));
        error = Some(Command::new(&shell).arg0(name).exec());
    }
    if let Some(error) = error {
        say(&format!("no shell could be started: {error}"));
    }
    ExitCode::FAILURE
}

/// A line for the person in the pane. What it quotes may come from a hostile place.
fn say(line: &str) {
    let safe: String = line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let _ = writeln!(std::io::stderr(), "start-claude: {safe}");
}
