//! Running a program to its end: own process group, a deadline, bounded output, no terminal.

use super::become_user::Become;
use super::limits;
use super::spawn::spawn_within;
use crate::sys::clock;
use crate::text::io_reason;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A program to run, with its limits.
#[derive(Debug)]
pub struct Program {
    argv: Vec<OsString>,
    /// Its file, if it is not found on PATH by its name, `argv[0]`.
    file: Option<OsString>,
    environment: Option<Vec<(OsString, OsString)>>,
    become_user: Option<Become>,
    only_queries: bool,
    /// What the child is sent when this process ends.
    with_parent: Option<Signal>,
    like_a_service: bool,
    input: Option<std::fs::File>,
    output: Option<std::fs::File>,
    deadline: Duration,
    max_output: usize,
}

/// The output of a program that ended by itself.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    /// Standard output, at most the bound.
    pub stdout: Vec<u8>,
    /// Standard error, at most 64 KiB.
    pub stderr: Vec<u8>,
}

/// Why a program has no output.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// It could not be started, or its pipes failed.
    #[error("running {program}: {}", start_reason(source))]
    Start { program: String, source: io::Error },
    /// It was killed at its deadline.
    #[error("{program} did not answer within {} s and was killed", deadline.as_secs_f32())]
    Deadline { program: String, deadline: Duration },
    /// It was killed because it wrote more than it may.
    #[error("{program} printed more than {limit} bytes and was killed")]
    TooMuchOutput {
        program: String,
        /// In bytes.
        limit: usize,
    },
    /// It has ended, but its status cannot be read: another process traces it.
    #[error("{program} has ended, but a process that traces it withholds its exit status")]
    Traced { program: String },
}

/// Why a program could not be started. The system's own words for EAGAIN do not say what to do.
fn start_reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::WouldBlock {
        return "the user has as many processes as are allowed (ulimit -u, TasksMax=)".to_owned();
    }
    io_reason(error)
}

/// How long to wait for the exit status of a child that was killed. A process that traces it can
/// withhold the status (ptrace(2)), and a user may trace a child that became that user; a child that
/// hangs in a file system of the user's is ended by no signal.
const REAP_DEADLINE: Duration = Duration::from_secs(2);
/// How long a child that is asked to end may take for that.
const ASKED: Duration = Duration::from_millis(500);

/// The program that runs now, even if its path names another one.
const OURSELVES: &str = "/proc/self/exe";

impl Program {
    /// `program` with no arguments and the caller's environment, limited to 5 s and 16 MiB of output.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            argv: vec![program.as_ref().to_owned()],
            file: None,
            environment: None,
            become_user: None,
            only_queries: false,
            with_parent: Some(Signal::KILL),
            like_a_service: false,
            input: None,
            output: None,
            deadline: Duration::from_secs(5),
            max_output: 16 << 20,
        }
    }

    /// The program in a file, under the name `name`.
    pub fn at(file: impl AsRef<OsStr>, name: impl AsRef<OsStr>) -> Self {
        Self { file: Some(file.as_ref().to_owned()), ..Self::new(name) }
    }

    /// This program, for a child that becomes a user.
    pub fn ourselves() -> Self {
        Self::new(OURSELVES)
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.argv.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Replaces the environment.
    #[must_use]
    pub fn environment(mut self, variables: Vec<(OsString, OsString)>) -> Self {
        self.environment = Some(variables);
        self
    }

    /// Makes the child become a user; this replaces the environment too.
    #[must_use]
    pub fn becoming(mut self, become_user: Become) -> Self {
        self.become_user = Some(become_user);
        self
    }

    /// Keeps the child from writing files and starting processes: for a client that only queries a
    /// server, which may be hostile.
    #[must_use]
    pub fn only_queries(mut self) -> Self {
        self.only_queries = true;
        self
    }

    /// Lets the child continue when this process is killed; otherwise it is killed, too.
    #[must_use]
    pub fn outlive_parent(mut self) -> Self {
        self.with_parent = None;
        self
    }

    /// Has the child asked to end (SIGTERM) when this process is killed; otherwise it is killed, too.
    #[must_use]
    pub fn terminated_with_parent(mut self) -> Self {
        self.with_parent = Some(Signal::TERM);
        self
    }

    /// Starts it in `/` with umask 022, whatever the caller's: for a program that installs files for all
    /// users.
    #[must_use]
    pub fn like_a_service(mut self) -> Self {
        self.like_a_service = true;
        self
    }

    /// Gives it standard input from memory, so that no pipe can fill up.
    pub fn input(mut self, bytes: &[u8]) -> io::Result<Self> {
        use std::io::{Seek, Write};
        let memory = rustix::fs::memfd_create("input", rustix::fs::MemfdFlags::CLOEXEC)?;
        let mut file = std::fs::File::from(memory);
        file.write_all(bytes)?;
        file.rewind()?;
        self.input = Some(file);
        Ok(self)
    }

    /// Has its standard output go to a file; [`Output::stdout`] is empty then.
    #[must_use]
    pub fn output_to(mut self, file: std::fs::File) -> Self {
        self.output = Some(file);
        self
    }

    /// Sets how long it may run.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how many bytes it may write to standard output.
    #[must_use]
    pub fn max_output(mut self, bytes: usize) -> Self {
        self.max_output = bytes;
        self
    }

    /// Runs it to its end. Nothing of its process group is left running, whatever happens; processes
    /// that moved to a group of their own are (a tmux server does).
    pub fn run(mut self) -> Result<Output, ExecError> {
        let begin = Instant::now();
        let (deadline, limit) = (self.deadline, self.max_output);
        let stdin = self.input.take().map_or_else(Stdio::null, Stdio::from);
        let (program, mut running) = self.spawn(stdin)?;
        match collect(&mut running, begin + deadline, limit) {
            Ok(Collected::Ended(output)) => {
                let bytes = output.stdout.len();
                tracing::debug!(program, took = ?begin.elapsed(), bytes, "{}", describe(output.status));
                Ok(output)
            }
            Ok(Collected::DeadlinePassed) => Err(ExecError::Deadline { program, deadline }),
            Ok(Collected::TooMuch) => Err(ExecError::TooMuchOutput { program, limit }),
            Ok(Collected::Traced) => Err(ExecError::Traced { program }),
            Err(source) => Err(ExecError::Start { program, source }),
        }
    }

    /// Starts it with pipes for a conversation, without a deadline.
    pub fn converse(self) -> Result<Running, ExecError> {
        self.spawn(Stdio::piped()).map(|(_, running)| running)
    }

    fn spawn(self, stdin: Stdio) -> Result<(String, Running), ExecError> {
        let program = self.argv[0].to_string_lossy().into_owned();
        let mut command = Command::new(self.file.as_ref().unwrap_or(&self.argv[0]));
        command.arg0(if self.argv[0] == OURSELVES { own_name() } else { self.argv[0].clone() });
        let stdout = self.output.map_or_else(Stdio::piped, Stdio::from);
        command.args(&self.argv[1..]).stdin(stdin).stdout(stdout).stderr(Stdio::piped());
        if let Some(variables) = self.environment {
            command.env_clear().envs(variables);
        }
        let becomes = self.become_user.is_some();
        match self.become_user {
            Some(become_user) => become_user.prepare(&mut command),
            None => {
                command.process_group(0);
            }
        }
        if self.like_a_service {
            command.current_dir("/");
        }
        let (only_queries, with_parent) = (self.only_queries, self.with_parent);
        let is_asked = with_parent == Some(Signal::TERM);
        let like_a_service = self.like_a_service;
        let restrict = move || {
            if let Some(signal) = with_parent {
                limits::end_with_parent(signal)?;
            }
            if like_a_service {
                rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
            }
            if only_queries { limits::limit_to_queries() } else { Ok(()) }
        };
        // SAFETY: the closure runs between fork and exec and makes only system calls.
        unsafe { command.pre_exec(restrict) };
        let started =
            if becomes { spawn_within(&mut command, self.deadline) } else { command.spawn() };
        match started {
            Ok(child) => Ok((program, Running { child, reaped: false, is_asked })),
            Err(source) => Err(ExecError::Start { program, source }),
        }
    }
}

/// A child that is ended, with its process group, when it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    reaped: bool,
    /// Whether it is asked to end before it is killed.
    is_asked: bool,
}

impl Running {
    /// The pipe to its standard input, of one started by [`Program::converse`].
    pub fn stdin(&self) -> io::Result<&ChildStdin> {
        self.child.stdin.as_ref().ok_or_else(|| io::Error::other("no pipe to standard input"))
    }

    /// The pipe from its standard output.
    pub fn stdout(&self) -> io::Result<&ChildStdout> {
        self.child.stdout.as_ref().ok_or_else(|| io::Error::other("no pipe from standard output"))
    }

    /// Kills what is left of the child's process group, then reaps the child: in this order,
    /// since its id names the group only until then. `None` if its status is withheld: then it is left
    /// to init.
    fn reap(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.reaped {
            return self.child.try_wait();
        }
        self.reaped = true;
        let group = rustix::process::Pid::from_child(&self.child);
        if self.is_asked {
            Self::ask_to_end(group);
        }
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
        let (end, mut pause) = (Instant::now() + REAP_DEADLINE, Duration::from_micros(50));
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            // A child that a tracer stopped as it ended continues only at a second signal.
            let _ = self.child.kill();
            clock::pause(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Asks the child to end and waits a moment. It is not reaped: its id names the group until then.
    fn ask_to_end(group: rustix::process::Pid) {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let _ = rustix::process::kill_process_group(group, Signal::TERM);
        let end = Instant::now() + ASKED;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while matches!(waitid(WaitId::Pid(group), options), Ok(None)) && Instant::now() < end {
            clock::pause(Duration::from_millis(1));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.reap();
    }
}

/// How a program ended, for a message: 'exited with 1'.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// The name that this process was started by.
fn own_name() -> OsString {
    std::env::args_os().next().unwrap_or_else(|| OURSELVES.into())
}

enum Collected {
    Ended(Output),
    DeadlinePassed,
    TooMuch,
    Traced,
}

/// Reads both pipes until the child has ended. The end of the child itself (its pidfd) counts, so that
/// a grandchild that keeps a pipe open delays nothing.
fn collect(running: &mut Running, end: Instant, limit: usize) -> io::Result<Collected> {
    const MAX_STDERR: usize = 64 << 10;
    let mut out = Pipe::new(running.child.stdout.take(), limit)?;
    let mut err = Pipe::new(running.child.stderr.take(), MAX_STDERR)?;
    let pid = rustix::process::Pid::from_child(&running.child);
    let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
    loop {
        let ended = {
            let mut fds = vec![PollFd::new(&pidfd, PollFlags::IN)];
            fds.extend(out.poll_fd());
            fds.extend(err.poll_fd());
            match poll(&mut fds, Some(&clock::remaining(end))) {
                // Something that never stops writing keeps poll(2) from timing out.
                Ok(0) => return Ok(Collected::DeadlinePassed),
                Ok(_) if Instant::now() >= end => return Ok(Collected::DeadlinePassed),
                Ok(_) => !fds[0].revents().is_empty(),
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
        };
        out.drain()?;
        err.drain()?;
        if out.overflowed {
            return Ok(Collected::TooMuch);
        }
        if ended {
            let Some(status) = running.reap()? else { return Ok(Collected::Traced) };
            return Ok(Collected::Ended(Output { status, stdout: out.bytes, stderr: err.bytes }));
        }
    }
}

/// One output pipe of a child, read without blocking up to a bound.
struct Pipe<R> {
    source: Option<R>,
    bytes: Vec<u8>,
    limit: usize,
    overflowed: bool,
}

impl<R: Read + AsFd> Pipe<R> {
    fn new(source: Option<R>, limit: usize) -> io::Result<Self> {
        if let Some(source) = &source {
            nonblocking(source)?;
        }
        Ok(Self { source, bytes: Vec::new(), limit, overflowed: false })
    }

    fn poll_fd(&self) -> Option<PollFd<'_>> {
        self.source.as_ref().map(|source| PollFd::new(source, PollFlags::IN))
    }

    /// Reads what is there. Bytes beyond the limit are dropped, so that the limit on standard error never
    /// blocks the child.
    fn drain(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        while let Some(source) = &mut self.source {
            match source.read(&mut buffer) {
                Ok(0) => self.source = None,
                Ok(read) => {
                    let room = self.limit.saturating_sub(self.bytes.len());
                    self.bytes.extend_from_slice(&buffer[..read.min(room)]);
                    self.overflowed |= read > room;
                    if self.overflowed {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Makes reads and writes on a pipe return immediately.
pub fn nonblocking(fd: &impl AsFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    Ok(rustix::fs::fcntl_setfl(fd, flags | rustix::fs::OFlags::NONBLOCK)?)
}
