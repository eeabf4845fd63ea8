//! The control-mode connection that builds sessions.

use super::client::{Server, TmuxError};
use super::command::{self, Line};
use super::control::{Replies, Reply};
use crate::sys::process::exec::{self, ExecError, Running};
use rustix::event::{PollFd, PollFlags, poll};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// Variables of the process that restores, which a new server's shells must not inherit.
const OWN: [&str; 9] = [
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "TMUX",
    "TMUX_PANE",
    "WATCHDOG_PID",
];

/// A control-mode connection. It is attached to a session of its own, which goes with it, so
/// that no session of the user's is ever attached or resized.
#[derive(Debug)]
pub struct Builder {
    running: Running,
    deadline: Duration,
    replies: Replies,
    session: u32,
    /// Whether the user's configuration sets `default-command`: then a plain shell must be asked
    /// for by name.
    pub has_default_command: bool,
    /// Whether windows are named after what runs in them, unless something else was set.
    pub names_by_itself: bool,
    /// Whether it ends sessions that no client shows: restored ones must be excepted.
    pub destroys_unattached: bool,
}

impl Builder {
    pub(super) fn connect(server: &Server, name: &str, cwd: &Path) -> Result<Self, TmuxError> {
        let environment: Vec<(OsString, OsString)> =
            std::env::vars_os().filter(|(name, _)| !OWN.iter().any(|own| name == own)).collect();
        let program = server
            .client()
            // Also where the server has ended since somebody looked.
            .args((!server.may_start).then_some("-N"))
            .args(["-C", "new-session", "-x", "80", "-y", "24", "-s", name, "-c"])
            .args([OsString::from_vec(super::escape::escape_format(cwd.as_os_str().as_bytes()))])
            // A program that waits for input that never comes, two words so that no shell runs.
            .args(["--", "cat", "-", ";"])
            // By its exact name: without a target another session of the server can be meant.
            .args(["set-option", "-t", &format!("={name}:"), "destroy-unattached", "on"])
            .environment(environment)
            .deadline(server.deadline);
        let running = program.converse()?;
        exec::nonblocking(running.stdin()?)?;
        exec::nonblocking(running.stdout()?)?;
        let mut builder = Self {
            running,
            deadline: server.deadline,
            replies: Replies::default(),
            session: 0,
            has_default_command: false,
            names_by_itself: true,
            destroys_unattached: false,
        };
        builder.wait_for_own_session()?;
        let questions = [command::describe_client(name), command::show_destroy_unattached()];
        let replies = builder.exchange(&questions)?;
        let described = match &replies[..] {
            [Reply::Done(text), Reply::Done(option)] => {
                command::parse_description(text, name).map(|described| (described, option != "off"))
            }
            _ => None,
        };
        let ((session, has_default_command, names_by_itself), destroys_unattached) = described
            .ok_or_else(|| {
                io::Error::other(format!("unexpected answer in control mode: {replies:?}"))
            })?;
        let description = Self { session, has_default_command, destroys_unattached, ..builder };
        Ok(Self { names_by_itself, ..description })
    }

    /// Waits until the client's own two commands have been answered. The server reads our standard
    /// input as soon as it knows the client, which can be before it gets the client's arguments:
    /// commands that are sent too early meet a server without our session (seen on 3.3a under
    /// load, in one of two tries).
    fn wait_for_own_session(&mut self) -> Result<(), TmuxError> {
        const OWN_COMMANDS: usize = 2;
        let end = Instant::now() + self.deadline;
        let mut replies = Vec::new();
        while self.replies.others_ended < OWN_COMMANDS {
            self.wait(false, end)?;
            self.read(&mut replies)?;
            if self.replies.exited {
                return Err(broken("the server did not make the connection's session").into());
            }
        }
        Ok(())
    }

    /// Takes what has arrived.
    fn read(&mut self, replies: &mut Vec<Reply>) -> Result<(), TmuxError> {
        let mut buffer = [0; 16 << 10];
        match rustix::io::read(self.running.stdout()?, &mut buffer[..]) {
            Ok(0) => Err(broken("the server went away").into()),
            Ok(count) => {
                self.replies.feed(&buffer[..count], replies);
                Ok(())
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    /// Sends commands in one go and gives their replies, in order, one each.
    pub fn exchange(&mut self, lines: &[Line]) -> Result<Vec<Reply>, TmuxError> {
        let mut to_send = Vec::new();
        for line in lines {
            to_send.extend_from_slice(line.as_str().as_bytes());
            to_send.push(b'\n');
        }
        // Work grows with the number of commands, and so does the time it may take.
        let end = Instant::now()
            + self.deadline
            + Duration::from_millis(20) * u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let (mut sent, mut replies) = (0, Vec::with_capacity(lines.len()));
        while replies.len() < lines.len() {
            let (readable, writable) = self.wait(sent < to_send.len(), end)?;
            if writable {
                match self.running.stdin()?.write(&to_send[sent..]) {
                    Ok(count) => sent += count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if readable {
                self.read(&mut replies)?;
            }
            if self.replies.exited && replies.len() < lines.len() {
                return Err(broken("the server ended the connection").into());
            }
        }
        Ok(replies)
    }

    /// Removes the connection's own session and hangs up.
    pub fn finish(mut self) -> Result<(), TmuxError> {
        let line = command::kill_session(self.session);
        match self.exchange(&[line]) {
            // Ending the last session ends the server, sometimes before it has answered.
            Ok(_) | Err(TmuxError::Connection(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn wait(&self, write: bool, end: Instant) -> Result<(bool, bool), TmuxError> {
        let ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let mut fds = vec![PollFd::new(self.running.stdout()?, PollFlags::IN)];
        if write {
            fds.push(PollFd::new(self.running.stdin()?, PollFlags::OUT));
        }
        match poll(&mut fds, Some(&exec::remaining(end))) {
            Ok(0) => {
                let program = "tmux".to_owned();
                Err(ExecError::Deadline { program, deadline: self.deadline }.into())
            }
            Ok(_) => Ok((ready(&fds[0]), fds.get(1).is_some_and(ready))),
            Err(rustix::io::Errno::INTR) => Ok((false, false)),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, why)
}
