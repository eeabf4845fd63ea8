//! The agent as a child in the terminal's foreground process group: keys, window size and job
//! control reach it as if it had been exec'd; what ends the launcher is passed on to it.
#![allow(clippy::disallowed_methods, reason = "starting the agent is what this program is for")]

use nix::sys::signal::{SigSet, Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, getsid};
use std::ffi::OsString;
use std::process::Command;

/// How the agent ended.
#[derive(Debug)]
pub enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Killed(Signal),
    /// There is no such program.
    Missing,
    /// It could not be started, or not be waited for.
    Failed(std::io::Error),
    /// The launcher was told to end by this signal, and passed it on.
    ToldToEnd(Signal),
}

/// Signals that end a program or mean something to it, which are passed on.
const PASSED_ON: [Signal; 4] = [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGUSR2];
/// Keys: the terminal sends these to the agent, too.
const KEYS: [Signal; 2] = [Signal::SIGINT, Signal::SIGQUIT];

/// Runs a program to its end.
pub fn run(argv: &[OsString], environment: &[(OsString, OsString)]) -> End {
    let Some((program, arguments)) = argv.split_first() else {
        return End::Failed(std::io::Error::other("no program"));
    };
    let signals = blocked();
    if let Err(error) = signals.thread_block() {
        return End::Failed(error.into());
    }
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
    // The child starts with no signal blocked: std resets the mask between fork and exec.
    let end = match command.spawn() {
        Ok(child) => match i32::try_from(child.id()) {
            Ok(pid) => supervise(Pid::from_raw(pid), &signals),
            Err(_) => End::Failed(std::io::Error::other("its pid makes no sense")),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => End::Missing,
        Err(error) => End::Failed(error),
    };
    let _ = signals.thread_unblock();
    end
}

fn blocked() -> SigSet {
    let mut set = SigSet::empty();
    for signal in PASSED_ON.into_iter().chain(KEYS).chain([Signal::SIGCHLD]) {
        set.add(signal);
    }
    set
}

/// Waits for signals, one after the other, until the child has ended.
fn supervise(child: Pid, signals: &SigSet) -> End {
    let mut told = None;
    loop {
        let signal = match signals.wait() {
            Ok(signal) => signal,
            Err(error) => return End::Failed(error.into()),
        };
        if signal == Signal::SIGCHLD {
            if let Some(end) = look(child) {
                return told.map_or(end, End::ToldToEnd);
            }
        } else if PASSED_ON.contains(&signal) {
            let _ = kill(child, signal);
            if matches!(signal, Signal::SIGHUP | Signal::SIGTERM) {
                told = Some(signal);
            }
        }
    }
}

/// What became of the child; `None` while it is there.
fn look(child: Pid) -> Option<End> {
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Exited(_, code)) => return Some(End::Exited(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Some(End::Killed(signal)),
            Ok(WaitStatus::Stopped(_, signal)) => stopped(child, signal),
            Ok(_) => return None,
            Err(nix::Error::EINTR) => {}
            Err(error) => return Some(End::Failed(error.into())),
        }
    }
}

/// A stopped agent: where a shell with job control started us, we stop as well, and its `fg`
/// wakes both; as a pane's first process nobody could, so it goes on, as tmux lets its own
/// children go on.
fn stopped(child: Pid, signal: Signal) {
    let leads = getsid(None).is_ok_and(|session| session == getpid());
    if !leads {
        let _ = raise(Signal::SIGSTOP);
    }
    if !leads || !matches!(signal, Signal::SIGTTIN | Signal::SIGTTOU) {
        let _ = kill(child, Signal::SIGCONT);
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with {code}"),
            Self::Killed(signal) => write!(f, "was killed by signal {} ({signal})", *signal as i32),
            Self::Missing => f.write_str("is not installed"),
            Self::Failed(error) => write!(f, "could not be run: {error}"),
            Self::ToldToEnd(signal) => write!(f, "was ended by {signal}"),
        }
    }
}
