//! Asking a tmux server, and building sessions in it: the only tmux processes we start.

use super::command::{self, Line};
use super::control::{Replies, Reply};
use super::panes::{self, Listing, Nonsense};
use super::socket::{Socket, SocketState};
use crate::sys::FileError;
use crate::sys::exec::{self, ExecError, Program, Running};
use crate::sys::files;
use rustix::event::{PollFd, PollFlags, poll};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// Variables that a client which only asks passes on: it sends all it has to the server.
const ASKING: [&str; 5] = ["HOME", "LANG", "PATH", "SHELL", "USER"];
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

/// Why a server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum TmuxError {
    /// The socket is not one to connect to.
    #[error("{socket}: {why}")]
    Refused {
        /// Its path.
        socket: String,
        /// What is wrong with it.
        why: String,
    },
    /// The client failed, hung or wrote too much.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The client ended with an error.
    #[error("tmux {0}")]
    Client(String),
    /// The answer is not one of a tmux server.
    #[error(transparent)]
    Nonsense(#[from] Nonsense),
    /// The directory of the socket could not be made.
    #[error(transparent)]
    Directory(#[from] FileError),
    /// The connection broke.
    #[error("talking to tmux: {0}")]
    Connection(#[from] io::Error),
}

/// A user's tmux server, running or not.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where it listens.
    pub socket: Socket,
    /// How long one answer may take.
    pub deadline: Duration,
}

impl Server {
    /// Whether a server of this user's listens, found without connecting a client.
    pub fn is_listening(&self) -> Result<bool, TmuxError> {
        match self.socket.state() {
            SocketState::Listening => Ok(true),
            SocketState::Absent | SocketState::Stale => Ok(false),
            SocketState::Refused(why) => Err(self.refused(why)),
        }
    }

    /// Lists every pane in one round trip; `None` without a server (absent or stale socket).
    pub fn list(&self) -> Result<Option<Listing>, TmuxError> {
        if !self.is_listening()? {
            return Ok(None);
        }
        let nonce = files::random_hex();
        let environment =
            ASKING.iter().filter_map(|name| Some(((*name).into(), std::env::var_os(name)?)));
        let output = self
            .client()
            .args(["list-panes", "-a", "-F", &panes::format(&nonce), ";"])
            .args(panes::LAST_QUESTION)
            .environment(environment.collect())
            .only_asks()
            .deadline(self.deadline)
            .run()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            if said.starts_with("no server running on ")
                || said == "server exited unexpectedly" && self.ends()?
            {
                return Ok(None); // it ended since the probe, or while it was asked
            }
            if said == "no current target" {
                return Ok(Some(Listing::default())); // a server without sessions
            }
            return Err(TmuxError::Client(format!("{}: {said}", exec::describe(output.status))));
        }
        Ok(Some(panes::parse(&output.stdout, &nonce)?))
    }

    /// Whether a server that let go of its client is about to end: it does that first, and then
    /// removes its socket.
    fn ends(&self) -> Result<bool, TmuxError> {
        const LOOKS: u32 = 20;
        for _ in 0..LOOKS {
            if !self.is_listening()? {
                return Ok(true);
            }
            crate::sys::clock::pause(Duration::from_millis(5));
        }
        Ok(false)
    }

    /// Opens a control-mode connection for building sessions, starting the server with the
    /// user's own configuration when none runs.
    ///
    /// Right after a server was killed a new one may fail to start (14 of 40 on 3.3a), so a
    /// connection that breaks before anything was asked of it is tried again.
    pub fn build(&self, name: &str, cwd: &Path) -> Result<Builder, TmuxError> {
        const TRIES: u32 = 5;
        // With -S tmux does not make the directory itself, and a reboot empties /tmp. Whether it
        // is ours, and closed to others, is looked at next.
        files::create_private_dirs(self.socket.directory())?;
        if let SocketState::Refused(why) = self.socket.state() {
            return Err(self.refused(why));
        }
        let mut tries = 1;
        loop {
            match Builder::connect(self, name, cwd) {
                Err(TmuxError::Connection(_)) if tries < TRIES => {
                    crate::sys::clock::pause(Duration::from_millis(20 << tries));
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    fn client(&self) -> Program {
        // -u: without it every byte outside printable ASCII comes out as `_` (lesson 5).
        Program::new("tmux").args(["-u", "-S"]).args([self.socket.path()])
    }

    fn refused(&self, why: String) -> TmuxError {
        TmuxError::Refused { socket: self.socket.path().display().to_string(), why }
    }
}

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
}

impl Builder {
    fn connect(server: &Server, name: &str, cwd: &Path) -> Result<Self, TmuxError> {
        let environment: Vec<(OsString, OsString)> =
            std::env::vars_os().filter(|(name, _)| !OWN.iter().any(|own| name == own)).collect();
        let program = server
            .client()
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
        };
        let reply = builder.exchange(&[command::describe_client(name)])?;
        let described = match reply.first() {
            Some(Reply::Done(text)) => command::parse_description(text, name),
            _ => None,
        };
        let (session, has_default_command) = described.ok_or_else(|| {
            io::Error::other(format!("unexpected answer in control mode: {reply:?}"))
        })?;
        Ok(Self { session, has_default_command, ..builder })
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
                let mut buffer = [0; 16 << 10];
                match rustix::io::read(self.running.stdout()?, &mut buffer[..]) {
                    Ok(0) => return Err(broken("the server went away").into()),
                    Ok(count) => self.replies.feed(&buffer[..count], &mut replies),
                    Err(rustix::io::Errno::AGAIN) => {}
                    Err(error) => return Err(io::Error::from(error).into()),
                }
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
