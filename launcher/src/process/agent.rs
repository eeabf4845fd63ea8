//! The agent as a child in the terminal's foreground process group: keys, window size and job
//! control reach it as if it had been exec'd; what ends the launcher is passed on to it.
#![allow(clippy::disallowed_methods, reason = "starting the agent is what this program is for")]

use super::signals;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgid, getpgrp, getppid, getsid};
use shared::escape::io_reason;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How a program ended.
#[derive(Debug)]
pub enum End {
    /// With this exit code.
    Exited(i32),
    /// Killed by this signal.
    Killed(Signal),
    /// The program does not exist.
    Missing,
    /// It could not be started or waited for.
    Failed(std::io::Error),
    /// The launcher got this signal, which asks it to end, and forwarded it.
    EndedBySignal(Signal),
}

/// Signals that are forwarded.
const FORWARDED: [Signal; 4] = [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGUSR2];
/// An agent that runs for longer than this after such a signal ends by its own decision.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a program to its end, with exactly this environment; `started` is called once it runs. `file` is
/// what is executed; without it, the first word is searched on PATH.
pub fn run(
    file: Option<&Path>,
    argv: &[OsString],
    environment: &[(OsString, OsString)],
    started: impl FnOnce(i32),
) -> End {
    let Some((program, arguments)) = argv.split_first() else {
        return End::Failed(std::io::Error::other("no program"));
    };
    // The agent decides whether a stop from the keyboard stops it; the launcher follows.
    let stops = [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU];
    let waited_for = [&FORWARDED[..], &signals::KEYS, &[Signal::SIGCHLD]].concat();
    let before =
        signals::set(&[&waited_for[..], &stops].concat()).thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let before = match before {
        Ok(before) => before,
        Err(error) => return End::Failed(error.into()),
    };
    let mut command = Command::new(file.map_or(program.as_os_str(), Path::as_os_str));
    command.arg0(program).args(arguments);
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
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
            Err(_) => End::Failed(std::io::Error::other("its process id is out of range")),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if file.is_some_and(Path::exists) || exists(program, environment) {
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

/// Whether a program's file exists: 'not found' can also mean its interpreter.
fn exists(program: &OsStr, environment: &[(OsString, OsString)]) -> bool {
    if program.as_encoded_bytes().contains(&b'/') {
        return Path::new(program).exists();
    }
    let set = environment.iter().rev().find(|(name, _)| name == "PATH");
    set.map(|(_, path)| path)
        .is_some_and(|path| std::env::split_paths(path).any(|dir| dir.join(program).exists()))
}

/// Waits for signals, one after the other, until the child has ended.
fn supervise(child: Pid, signals: &SigSet) -> End {
    let mut requested: Option<(Signal, Instant)> = None;
    loop {
        let signal = match signals.wait() {
            Ok(signal) => signal,
            Err(error) => return End::Failed(error.into()),
        };
        if signal == Signal::SIGCHLD {
            if let Some(end) = try_wait(child) {
                let requested = requested.filter(|(_, when)| when.elapsed() < GRACE);
                return requested.map_or(end, |(signal, _)| End::EndedBySignal(signal));
            }
        } else if FORWARDED.contains(&signal) {
            let _ = kill(child, signal);
            if matches!(signal, Signal::SIGHUP | Signal::SIGTERM) {
                requested = Some((signal, Instant::now()));
            }
        }
    }
}

/// How the child ended; `None` while it runs.
fn try_wait(child: Pid) -> Option<End> {
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

/// Follows a stopped agent: if a shell with job control started the launcher, it stops as well, and
/// `fg` continues both; otherwise the agent continues, as tmux does with its own children.
fn stopped(child: Pid, signal: Signal) {
    let resumable = is_resumable();
    if resumable {
        let _ = raise(Signal::SIGSTOP);
    }
    if resumable || !matches!(signal, Signal::SIGTTIN | Signal::SIGTTOU) {
        let _ = kill(child, Signal::SIGCONT);
    }
}

/// Whether a parent can continue this process, which is not in an orphaned process group then (POSIX):
/// the parent is in the same session and another group, as a shell with job control is.
fn is_resumable() -> bool {
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
            Self::Failed(error) => write!(f, "could not be run: {}", io_reason(error)),
            Self::EndedBySignal(signal) => write!(f, "was ended by {signal}"),
        }
    }
}
