//! The agent as a child in the terminal's foreground process group: keys, window size and job
//! control reach it as if it had been exec'd; what ends the launcher is passed on to it.
#![allow(clippy::disallowed_methods, reason = "starting the agent is what this program is for")]

use super::signals;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgid, getpgrp, getppid, getsid};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

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
/// An agent that goes on for longer than this after it was told to end decides for itself.
const TOLD: Duration = Duration::from_secs(10);

/// Runs a program to its end; `started` is called once it runs.
pub fn run(
    argv: &[OsString],
    environment: &[(OsString, OsString)],
    started: impl FnOnce(i32),
) -> End {
    let Some((program, arguments)) = argv.split_first() else {
        return End::Failed(std::io::Error::other("no program"));
    };
    // A stop that the keyboard asks for is the agent's to follow or not: we follow the agent.
    let stops = [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU];
    let waited_for = [&PASSED_ON[..], &signals::KEYS, &[Signal::SIGCHLD]].concat();
    let before =
        signals::set(&[&waited_for[..], &stops].concat()).thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let before = match before {
        Ok(before) => before,
        Err(error) => return End::Failed(error.into()),
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
    // SAFETY: between fork and exec the closure only calls sigprocmask(2).
    #[allow(unsafe_code, reason = "std lets children inherit blocked signals")]
    unsafe {
        command.pre_exec(signals::reset);
    }
    let end = match command.spawn() {
        Ok(child) => match i32::try_from(child.id()) {
            Ok(pid) => {
                started(pid);
                supervise(Pid::from_raw(pid), &signals::set(&waited_for))
            }
            Err(_) => End::Failed(std::io::Error::other("its pid makes no sense")),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if is_there(program, environment) {
                End::Failed(std::io::Error::other("its interpreter is missing"))
            } else {
                End::Missing
            }
        }
        Err(error) => End::Failed(error),
    };
    let _ = before.thread_set_mask();
    end
}

/// Whether a program's file is there: 'not found' can also mean its interpreter.
fn is_there(program: &OsStr, environment: &[(OsString, OsString)]) -> bool {
    if program.as_encoded_bytes().contains(&b'/') {
        return Path::new(program).exists();
    }
    let set = environment.iter().rev().find(|(name, _)| name == "PATH");
    let path = set.map(|(_, path)| path.clone()).or_else(|| std::env::var_os("PATH"));
    path.is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).exists()))
}

/// Waits for signals, one after the other, until the child has ended.
fn supervise(child: Pid, signals: &SigSet) -> End {
    let mut told: Option<(Signal, Instant)> = None;
    loop {
        let signal = match signals.wait() {
            Ok(signal) => signal,
            Err(error) => return End::Failed(error.into()),
        };
        if signal == Signal::SIGCHLD {
            if let Some(end) = look(child) {
                let told = told.filter(|(_, when)| when.elapsed() < TOLD);
                return told.map_or(end, |(signal, _)| End::ToldToEnd(signal));
            }
        } else if PASSED_ON.contains(&signal) {
            let _ = kill(child, signal);
            if matches!(signal, Signal::SIGHUP | Signal::SIGTERM) {
                told = Some((signal, Instant::now()));
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
/// wakes both; where nobody could, it goes on, as tmux lets its own children go on.
fn stopped(child: Pid, signal: Signal) {
    let can_be_woken = somebody_can_wake_us();
    if can_be_woken {
        let _ = raise(Signal::SIGSTOP);
    }
    if can_be_woken || !matches!(signal, Signal::SIGTTIN | Signal::SIGTTOU) {
        let _ = kill(child, Signal::SIGCONT);
    }
}

/// Whether our process group is not an orphaned one (POSIX): our parent is in the same session
/// and in another group, as a shell with job control is.
fn somebody_can_wake_us() -> bool {
    let parent = Some(getppid());
    let same_session = getsid(parent).is_ok_and(|session| getsid(None) == Ok(session));
    same_session && getpgid(parent).is_ok_and(|group| group != getpgrp())
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
