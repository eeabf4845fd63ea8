//! Runs children with a deadline: without a terminal, with bounded output, and nothing of them is left.
#![allow(clippy::disallowed_methods, reason = "the one place where these crates start children")]

use crate::pipe::{KEPT, Pipe};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal};
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a process group has to clean up (git removes its lock files) before it is killed.
const CLEAN_UP: Duration = Duration::from_millis(200);

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub struct Until<'a> {
    pub end: Instant,
    /// Readable once the user cancels.
    pub cancel: Option<BorrowedFd<'a>>,
}

/// Why a program was stopped, or not started.
#[derive(Debug)]
pub enum Stopped {
    DeadlinePassed,
    /// By the user.
    Cancelled,
    Failed(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<rustix::io::Errno> for Stopped {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Failed(error.into())
    }
}

/// The output of a program that ended; each part at most [`KEPT`] bytes each.
#[derive(Debug)]
pub struct Output {
    pub success: bool,
    /// By a signal, so that it could not clean up.
    pub killed: bool,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Until<'_> {
    /// Waits for one of `fds`; returns which are ready.
    fn wait<const N: usize>(&self, fds: [Option<BorrowedFd<'_>>; N]) -> Result<[bool; N], Stopped> {
        loop {
            let mut ready = [false; N];
            let all = || fds.iter().copied().chain([self.cancel]);
            let mut polled: Vec<PollFd<'_>> =
                all().flatten().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
            match poll(&mut polled, Some(&remaining(self.end))) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
                Ok(_) => {}
            }
            if self.cancel.is_some() && polled.last().is_some_and(|fd| !fd.revents().is_empty()) {
                return Err(Stopped::Cancelled);
            }
            // What never stops writing would keep poll(2) from timing out.
            if Instant::now() >= self.end {
                return Err(Stopped::DeadlinePassed);
            }
            let mut polled = polled.iter();
            for (ready, fd) in ready.iter_mut().zip(&fds) {
                *ready = fd.is_some() && polled.next().is_some_and(|fd| !fd.revents().is_empty());
            }
            if ready.contains(&true) {
                return Ok(ready);
            }
        }
    }

    /// Waits up to `most`.
    ///
    /// # Errors
    /// The deadline has passed, or the user cancels.
    pub fn pause(&self, most: Duration) -> Result<(), Stopped> {
        let end = self.end.min(Instant::now() + most);
        let pause = Self { end, ..*self };
        match pause.wait([]) {
            Err(Stopped::DeadlinePassed) if Instant::now() < self.end => Ok(()),
            Err(stopped) => Err(stopped),
            Ok([]) => Ok(()),
        }
    }
}

fn remaining(end: Instant) -> Timespec {
    let left = end.saturating_duration_since(Instant::now());
    Timespec {
        tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    }
}

/// Runs a program to its end. If it is stopped before, its process group gets SIGTERM, so that git
/// removes its lock files, and SIGKILL soon after. Processes that left the group (ssh's shared
/// connection, a credential cache) continue; so do those that still run at a normal end.
pub fn run(command: Command, until: Until<'_>) -> Result<Output, Stopped> {
    until.pause(Duration::ZERO)?;
    start(command)?.finish(until)
}

/// As [`run`], with all of its standard output.
///
/// # Errors
/// More than `limit` bytes.
pub fn run_with_all_output(
    command: Command,
    limit: usize,
    until: Until<'_>,
) -> Result<Output, Stopped> {
    until.pause(Duration::ZERO)?;
    let output = start_with_limit(command, limit + 1)?.finish(until)?;
    if output.stdout.len() > limit {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge).into());
    }
    Ok(output)
}

/// Starts a program; it is stopped when the result is dropped.
pub fn start(command: Command) -> io::Result<Running> {
    start_with_limit(command, KEPT)
}

fn start_with_limit(mut command: Command, limit: usize) -> io::Result<Running> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    detach(&mut command, true);
    Ok(Running::of(command.spawn()?, limit))
}

/// A program that must not be killed: it continues when this process ends.
#[derive(Debug)]
pub struct Uninterrupted {
    child: Child,
    /// A file, not a pipe: the end of its reader must not end its writers.
    stderr: std::fs::File,
}

/// Starts a program that is never stopped.
pub fn start_uninterrupted(mut command: Command) -> io::Result<Uninterrupted> {
    let memory = rustix::fs::memfd_create(c"git", rustix::fs::MemfdFlags::CLOEXEC)?;
    let stderr = std::fs::File::from(memory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr.try_clone()?);
    detach(&mut command, false);
    Ok(Uninterrupted { child: command.spawn()?, stderr })
}

impl Uninterrupted {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end; whether it has ended.
    pub fn ends(&self, until: Until<'_>) -> bool {
        pidfd(&self.child).and_then(|pidfd| until.wait([Some(pidfd.as_fd())])).is_ok()
    }

    /// Waits for its end, however long that takes; there is no standard output.
    pub fn output(mut self) -> io::Result<Output> {
        let status = self.child.wait()?;
        let mut stderr = Vec::new();
        self.stderr.rewind()?;
        self.stderr.take(KEPT as u64).read_to_end(&mut stderr)?;
        let killed = status.code().is_none();
        Ok(Output { success: status.success(), killed, stdout: Vec::new(), stderr })
    }
}

fn pidfd(child: &Child) -> Result<OwnedFd, Stopped> {
    Ok(rustix::process::pidfd_open(Pid::from_child(child), PidfdFlags::empty())?)
}

/// Gives the child a session of its own: without a terminal it can neither prompt nor be stopped for
/// trying, and Ctrl-C does not reach it. Signals get their default actions back, since a child that
/// ignores TERM would keep its lock files.
fn detach(command: &mut Command, dies_with_us: bool) {
    let prepare = move || {
        use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
        rustix::process::setsid()?;
        for key in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
            // SAFETY: only the default action is set: no handler of ours ever runs.
            #[allow(unsafe_code, reason = "signal(2) has no safe form in nix")]
            unsafe { signal(key, SigHandler::SigDfl) }?;
        }
        SigSet::empty().thread_set_mask()?;
        if dies_with_us {
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes only system calls.
    #[allow(unsafe_code, reason = "a session of its own has no safe form in std")]
    unsafe {
        command.pre_exec(prepare);
    }
}

/// A child that is killed with its process group if it is dropped before it has ended.
#[derive(Debug)]
pub struct Running {
    child: Child,
    out: Pipe<std::process::ChildStdout>,
    err: Pipe<std::process::ChildStderr>,
    ended: bool,
}

impl Running {
    fn of(mut child: Child, limit: usize) -> Self {
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Self { child, out: Pipe::new(out, limit), err: Pipe::new(err, KEPT), ended: false }
    }

    pub fn finish(mut self, until: Until<'_>) -> Result<Output, Stopped> {
        self.collect(until)?;
        self.ended = true;
        let status = self.child.wait()?;
        let (success, killed) = (status.success(), status.code().is_none());
        let (stdout, stderr) = (&mut self.out.bytes, &mut self.err.bytes);
        Ok(Output {
            success,
            killed,
            stdout: std::mem::take(stdout),
            stderr: std::mem::take(stderr),
        })
    }

    /// Reads both pipes until the child has ended. Its own end counts, not that of the pipes: ssh's
    /// shared connection keeps them open for hours.
    fn collect(&mut self, until: Until<'_>) -> Result<(), Stopped> {
        let pidfd = pidfd(&self.child)?;
        loop {
            let [ended, ..] = until.wait([Some(pidfd.as_fd()), self.out.fd(), self.err.fd()])?;
            self.out.drain()?;
            self.err.drain()?;
            if ended {
                // What it wrote last is still in the pipe.
                self.out.drain()?;
                return Ok(());
            }
        }
    }

    /// Waits until the child and everything that shares its outputs have ended.
    fn wait_for_group(&mut self, until: Until<'_>) -> Result<(), Stopped> {
        self.collect(until)?;
        while self.out.source.is_some() || self.err.source.is_some() {
            until.wait([self.out.fd(), self.err.fd()])?;
            self.out.drain()?;
            self.err.drain()?;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let group = Pid::from_child(&self.child);
        let _ = rustix::process::kill_process_group(group, Signal::TERM);
        let _ = self.wait_for_group(Until { end: Instant::now() + CLEAN_UP, cancel: None });
        // Not reaped yet, so the number still means this group.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
        // One that waits for a dead mount may not even die now: nothing waits for it longer.
        let until = Until { end: Instant::now() + CLEAN_UP, cancel: None };
        let ended = pidfd(&self.child).and_then(|pidfd| until.wait([Some(pidfd.as_fd())]));
        if ended.is_ok() {
            let _ = self.child.wait();
        }
    }
}
