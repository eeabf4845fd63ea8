//! The agent as a child in the terminal's foreground process group: keys, window size and job
//! control reach it as if it had been exec'd; what ends the launcher is passed on to it.
#![allow(clippy::disallowed_methods, reason = "starting the agent is what this program is for")]

use super::mounts::answers;
use super::signals;
use crate::agent::program;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgid, getpgrp, getppid, getsid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, pidfd_open};
use shared::escape::io_reason;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
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
    Failed(io::Error),
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
        return End::Failed(io::Error::other("no program"));
    };
    let file = match find(file, program, environment) {
        Ok(Some(file)) => file,
        Ok(None) => return End::Missing,
        Err(error) => return End::Failed(error),
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
    let mut command = Command::new(&file);
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
            Err(_) => End::Failed(io::Error::other("its process id is out of range")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.exists() => {
            End::Failed(io::Error::other("its interpreter is missing"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => End::Missing,
        Err(error) => End::Failed(error),
    };
    let _ = before.thread_set_mask();
    end
}

/// The file that is executed; `None` if there is none. It is not left to execvp(3), which waits for dead
/// mounts on PATH, and has sh run an empty file, which succeeds.
fn find(
    file: Option<&Path>,
    program: &OsStr,
    environment: &[(OsString, OsString)],
) -> io::Result<Option<PathBuf>> {
    let path = environment.iter().rev().find(|(name, _)| name == "PATH");
    let path = path.map_or(OsStr::new(""), |(_, path)| path);
    let Some(file) = file.map(Path::to_owned).or_else(|| program::find(program, path)) else {
        let exists = |file: &PathBuf| answers(file) && file.is_file();
        let found = program::places(program, path).any(|file| exists(&file));
        return if found { Err(rustix::io::Errno::ACCESS.into()) } else { Ok(None) };
    };
    if file.metadata().is_ok_and(|meta| meta.is_file() && meta.len() == 0) {
        return Err(io::Error::other("its file is empty"));
    }
    // A name alone would be searched on PATH again.
    let is_name = file.parent().is_some_and(|dir| dir.as_os_str().is_empty());
    Ok(Some(if is_name { Path::new(".").join(file) } else { file }))
}

/// Waits for signals, and for the child's end, which shows even if its signal is lost.
fn supervise(child: Pid, signals: &SigSet) -> End {
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let signals = match SignalFd::with_flags(signals, flags) {
        Ok(signals) => signals,
        Err(error) => return End::Failed(error.into()),
    };
    let pid = rustix::process::Pid::from_raw(child.as_raw());
    let ended = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    // Without a descriptor for its end, it is asked again and again.
    let pause = ended.is_none().then_some(Timespec { tv_sec: 0, tv_nsec: 100_000_000 });
    let mut requested: Option<(Signal, Instant)> = None;
    loop {
        // Before the first wait, too: it may have ended already.
        if let Some(end) = try_wait(child) {
            let requested = requested.filter(|(_, when)| when.elapsed() < GRACE);
            return requested.map_or(end, |(signal, _)| End::EndedBySignal(signal));
        }
        let mut polled = vec![PollFd::new(&signals, PollFlags::IN)];
        polled.extend(ended.as_ref().map(|ended| PollFd::new(ended, PollFlags::IN)));
        let _ = poll(&mut polled, pause.as_ref());
        while let Ok(Some(signal)) = signals.read_signal() {
            let forwarded = FORWARDED.into_iter().find(|known| *known as u32 == signal.ssi_signo);
            let Some(signal) = forwarded else { continue }; // a key, or something about a child
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
