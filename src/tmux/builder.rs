//! The control-mode connection that builds sessions.

use super::client::Server;
use super::command::{self, Line};
use super::control::{Replies, Reply};
use super::error::TmuxError;
use super::escape;
use super::socket::SocketState;
use crate::sys::fs;
use crate::sys::process::exec::{self, ExecError, Running};
use rustix::event::{PollFd, PollFlags, poll};
use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// Variables of the restoring process that a new server's shells must not inherit.
const NOT_INHERITED: [&str; 9] = [
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
    /// Whether the user's configuration sets `default-command`: then a plain shell must be named.
    pub has_default_command: bool,
    /// Whether windows are named after what runs in them by default.
    pub renames_automatically: bool,
    /// Whether the server ends sessions that no client shows, so that restored ones need an exception.
    pub destroys_unattached: bool,
    /// The server's version.
    version: (u32, u32),
}

impl Server {
    /// Opens a control-mode connection for building sessions, and starts the server with the
    /// user's own configuration if none runs.
    ///
    /// Right after a server was killed a new one may fail to start (14 of 40 on 3.3a), so a
    /// connection that breaks before the first command is retried.
    pub fn build(&self, name: &str, cwd: &Path) -> Result<Builder, TmuxError> {
        const TRIES: u32 = 5;
        // With -S tmux does not make the directory itself, and a reboot empties /tmp. Its owner and
        // mode are checked next.
        fs::create_private_dirs(self.socket.directory())?;
        if let SocketState::Refused(refusal) = self.socket.state() {
            return Err(self.refused(refusal));
        }
        self.check_start()?;
        let mut tries = 1;
        loop {
            match Builder::connect(self, name, cwd) {
                Err(TmuxError::Connection(_)) if tries < TRIES => {
                    crate::sys::clock::pause(Duration::from_millis(20 << tries));
                    self.check_start()?;
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    /// Fails if a server would have to be started and the caller may not do that.
    fn check_start(&self) -> Result<(), TmuxError> {
        if self.may_start || self.is_listening()? {
            return Ok(());
        }
        Err(TmuxError::NotRunning { socket: self.socket.path().to_owned() })
    }
}

impl Builder {
    pub(super) fn connect(server: &Server, name: &str, cwd: &Path) -> Result<Self, TmuxError> {
        let environment: Vec<(OsString, OsString)> = std::env::vars_os()
            .filter(|(name, _)| !NOT_INHERITED.iter().any(|own| name == own))
            .collect();
        let program = server
            .client()
            // The server may have ended since it was checked.
            .args((!server.may_start).then_some("-N"))
            .args(["-C", "new-session", "-x", "80", "-y", "24", "-s", name, "-c"])
            .args([OsString::from_vec(escape::escape_format(cwd.as_os_str().as_bytes()))])
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
            renames_automatically: true,
            destroys_unattached: false,
            version: (0, 0),
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
        let (description, destroys_unattached) = described.ok_or_else(|| {
            io::Error::other(format!("unexpected answer in control mode: {replies:?}"))
        })?;
        let (session, has_default_command, renames_automatically, version) = description;
        builder.session = session;
        builder.has_default_command = has_default_command;
        builder.renames_automatically = renames_automatically;
        builder.destroys_unattached = destroys_unattached;
        builder.version = version;
        Ok(builder)
    }

    /// The name to give for `name`, which a server of another version may have had: 3.7 and later
    /// refuse names that cannot be printed.
    pub fn name<'a>(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        if self.version < (3, 7) {
            Cow::Borrowed(name)
        } else {
            escape::printable_name(name).into()
        }
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

    /// Reads what has arrived.
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
        // The time allowed grows with the number of commands.
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
