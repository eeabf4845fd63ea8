//! The control-mode connection that builds sessions.
//!
//! tmux 3.3a and 3.5a crash if such a client is killed while it connects: so only a restore has one, and it is asked to end.

use super::client::Server;
use super::command::{self, Line};
use super::control::{Replies, Reply};
use super::error::TmuxError;
use super::escape;
use super::hooks::held::{self, HeldHooks};
use super::own_session::{self, Lasting};
use super::panes;
use super::socket::SocketState;
use crate::sys::process::exec::{self, ExecError, Running};
use crate::sys::{clock, fs, terminal};
use rustix::event::{PollFd, PollFlags, poll};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
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

/// How long a user waits before we say what for.
const SILENCE: Duration = Duration::from_secs(2);

/// A control-mode connection. It is attached to a session of its own, so that no session of the user's is ever attached or
/// resized. That session goes with it, or, if the server no longer answers, with this process.
#[derive(Debug)]
pub struct Builder {
    running: Running,
    deadline: Duration,
    replies: Replies,
    /// The name of its session.
    name: String,
    /// Whether no server ran before, so that every session in it is the configuration's.
    pub began: bool,
    session: u32,
    /// The user's `default-command`; empty for none.
    pub default_command: String,
    /// The user's `default-shell`.
    pub default_shell: String,
    /// Whether windows are named after what runs in them by default.
    pub renames_automatically: bool,
    /// Whether the server ends sessions that no client shows, so that restored ones need an exception.
    pub destroys_unattached: bool,
    /// Whether the server ends when no client is attached to it.
    pub exits_unattached: bool,
    /// The user's hooks, which are held off.
    pub hooks: HeldHooks,
    /// Whether commands are sent as they are: no hook of the user's is about commands.
    direct: bool,
    /// The server's version.
    version: (u32, u32),
    /// Whether the server may still be asked, and the session is there.
    is_usable: bool,
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
        let begins = !server.is_listening()?;
        let greeting = fs::random_hex();
        let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let lasting = Lasting {
            process: std::process::id(),
            namespace: namespace.to_string_lossy().into_owned(),
        };
        let own = own_session::target(name);
        let program = server
            .client()
            // The server may have ended since it was checked.
            .args((!server.may_start).then_some("-N"))
            .args(server.configuration.iter().flat_map(|file| [OsStr::new("-f"), file.as_os_str()]))
            .args(["-C", "start-serve", ";"])
            .args(held::begin(&own_session::begin(name, cwd.as_os_str(), &lasting)))
            .args(["attach-sessio", "-t", &own, ";"])
            .args(["display-messag", "-p", "-t", &own, &greeting])
            .environment(environment)
            // On that it first sends the server all that it is to know of it.
            .terminated_with_parent()
            .deadline(server.start_deadline);
        let running = program.converse()?;
        exec::nonblocking(running.stdin()?)?;
        exec::nonblocking(running.stdout()?)?;
        let mut builder = Self {
            running,
            deadline: server.deadline,
            replies: Replies::after(greeting),
            name: name.to_owned(),
            began: begins,
            session: 0,
            default_command: String::new(),
            default_shell: String::new(),
            renames_automatically: true,
            destroys_unattached: false,
            exits_unattached: false,
            hooks: HeldHooks::default(),
            direct: false,
            version: (0, 0),
            is_usable: false,
        };
        builder.wait_for_own_session(server.start_deadline)?;
        builder.is_usable = true;
        builder.describe()?;
        Ok(builder)
    }

    /// Asks what a restore must know of the server and its configuration.
    fn describe(&mut self) -> Result<(), TmuxError> {
        let [session_hooks, window_hooks] = HeldHooks::questions();
        let questions = [
            command::describe_client(&self.name),
            command::show_global("destroy-unattached"),
            command::show_server("exit-unattached"),
            command::show_global("default-command"),
            command::show_global("default-shell"),
            session_hooks,
            window_hooks,
            held::forget_begin(),
        ];
        let replies = self.exchange(&questions)?;
        let texts: Vec<&str> = replies
            .iter()
            .map(|reply| match reply {
                Reply::Done(text) => text.as_str(),
                Reply::Failed(_) => "",
            })
            .collect();
        let [described, destroys, exits, default_command, shell, of_sessions, of_windows, _] =
            texts[..]
        else {
            return Err(unexpected(&replies));
        };
        let (session, renames_automatically, version) =
            command::parse_description(described, &self.name)
                .ok_or_else(|| unexpected(&replies))?;
        self.session = session;
        self.renames_automatically = renames_automatically;
        self.version = version;
        self.destroys_unattached = destroys != "off";
        self.exits_unattached = exits == "on";
        default_command.clone_into(&mut self.default_command);
        shell.clone_into(&mut self.default_shell);
        self.hooks = HeldHooks::parse(of_sessions, of_windows);
        Ok(())
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

    /// Whether the server has the name of a new window as it is, and that of a renamed one escaped.
    pub fn has_plain_names(&self) -> bool {
        panes::has_plain_names(self.version)
    }

    /// Waits until the client's own commands have been executed. The server reads our standard
    /// input as soon as it knows the client, which can be before it gets the client's arguments:
    /// commands that are sent too early meet a server without our session (seen on 3.3a under
    /// load, in one of two tries). A server that starts reads the user's configuration first, which
    /// may take long.
    fn wait_for_own_session(&mut self, deadline: Duration) -> Result<(), TmuxError> {
        let begin = Instant::now();
        let (end, silent) = (begin + deadline, begin + SILENCE);
        let mut replies = Vec::new();
        let mut noted = false;
        while !self.replies.greeted {
            let until = if noted { end } else { end.min(silent) };
            match self.wait(false, until) {
                Err(TmuxError::Exec(ExecError::Deadline { .. })) if until < end => {
                    noted = true;
                    let most = deadline.as_secs();
                    let why = "waiting for tmux, which still reads its configuration";
                    terminal::note(&format!("{why} (at most {most} s)"));
                    continue;
                }
                Err(TmuxError::Exec(ExecError::Deadline { program, .. })) => {
                    return Err(ExecError::Deadline { program, deadline }.into());
                }
                result => result?,
            };
            self.read(&mut replies)?;
            if self.replies.exited {
                let why = self.replies.refusal.take();
                let why = why.unwrap_or_else(|| {
                    "the server did not make the connection's session".to_owned()
                });
                return Err(broken(&why).into());
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

    /// From now on sends commands as they are where no hook hears of them, which is faster: none of them is about
    /// a session of the user's, which may have hooks of its own.
    pub fn make_new_only(&mut self) {
        self.direct = !self.hooks.about_commands;
    }

    /// Sends commands in one go and gives their replies, in order, one each.
    pub fn exchange(&mut self, lines: &[Line]) -> Result<Vec<Reply>, TmuxError> {
        let replies = self.try_exchange(lines);
        self.is_usable &= replies.is_ok();
        replies
    }

    fn try_exchange(&mut self, lines: &[Line]) -> Result<Vec<Reply>, TmuxError> {
        // The last one shows that the answers of the others are complete, even if tmux could not
        // read them.
        let last = command::describe_client(&self.name);
        let mut to_send = Vec::new();
        for line in lines.iter().chain([&last]) {
            let direct = self.direct && !line.goes_on;
            self.replies.expect(direct);
            if direct {
                to_send.extend_from_slice(line.as_str().as_bytes());
            } else {
                to_send.extend_from_slice(held::run(&self.name, line).as_bytes());
            }
            to_send.push(b'\n');
        }
        // The time allowed grows with the number of commands.
        let end = Instant::now()
            + self.deadline
            + Duration::from_millis(20) * u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let (mut sent, mut replies) = (0, Vec::with_capacity(lines.len()));
        while replies.len() <= lines.len() {
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
            if self.replies.exited && replies.len() <= lines.len() {
                return Err(broken("the server ended the connection").into());
            }
        }
        replies.truncate(lines.len());
        Ok(replies)
    }

    /// Removes the connection's own session and hangs up.
    pub fn finish(mut self) -> Result<(), TmuxError> {
        let line = command::kill_session(self.session);
        let ended = self.exchange(&[line]);
        self.is_usable = false;
        match ended {
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
        match poll(&mut fds, Some(&clock::remaining(end))) {
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

impl Drop for Builder {
    fn drop(&mut self) {
        if self.is_usable {
            let _ = self.exchange(&[own_session::end(&self.name)]); // else it ends with this process
        }
    }
}

fn unexpected(replies: &[Reply]) -> TmuxError {
    io::Error::other(format!("unexpected answer in control mode: {replies:?}")).into()
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, why)
}
