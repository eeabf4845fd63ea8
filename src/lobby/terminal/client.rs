//! The tmux client of a view.

use crate::error::Error;
use crate::list::guard;
use crate::protocol::terminal::Size;
use bytes::BytesMut;
use pty_process::Command;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use rustix::termios::{Winsize, tcgetsid, tcsetwinsize};
use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use terminal_lobby::tmux::Server;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::process::Child;

/// The variables of ours that a tmux client gets; everything else is left out. It gives the session those that the
/// user's `update-environment` names.
const PASSED_ON: [&str; 7] = ["HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "SHELL", "USER"];
/// The kernel hands out no more of a terminal's output at once.
pub(super) const AT_ONCE: usize = 4 << 10;

/// How many clients were bound to their session.
static BOUND: AtomicUsize = AtomicUsize::new(0);

/// What a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Types and sizes.
    Drives,
    /// Only shows: for good.
    Watches,
    /// Is made ready before a person opens the session, and does not count as a viewer until then.
    Preloads,
    /// Only shows, to a person who must reach no other session.
    Visits,
    /// Shows until its person takes over: one with whom the session is shared so that they may.
    Follows,
}

impl Role {
    /// tmux's flags. `active-pane` alone does nothing, but says that it is one of the lobby's own.
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Drives => &[],
            Self::Watches => &["-f", "read-only,ignore-size"],
            Self::Preloads | Self::Follows => &["-f", "ignore-size,active-pane"],
            Self::Visits => &["-f", "read-only,ignore-size,active-pane"],
        }
    }

    /// Whether tmux draws nothing for it once it is at another session than the one that it was attached to.
    fn is_bound(self) -> bool {
        !matches!(self, Self::Drives | Self::Watches)
    }
}

/// A tmux client in a pseudo-terminal.
#[derive(Debug)]
pub(super) struct Client {
    terminal: AsyncFd<OwnedFd>,
    process: Process,
}

#[derive(Debug)]
enum Process {
    Own(Child),
    /// One that an earlier process of ours started.
    Adopted(AsyncFd<OwnedFd>),
}

impl Client {
    /// Attaches to the session with tmux's number and a birth id. One that only watches sizes nothing; what it is sent
    /// is dropped before it gets here.
    pub(super) fn attach(
        server: &Server,
        (session, id): (u32, &str),
        size: Size,
        role: Role,
    ) -> Result<Self, Error> {
        let (pty, terminal) = pty_process::open()?;
        let pty = OwnedFd::from(pty);
        let started = |source| Error::Io { doing: "starting a terminal", source };
        set_size(&pty, size).map_err(io::Error::from).map_err(started)?;
        let name =
            rustix::pty::ptsname(&pty, Vec::new()).map_err(io::Error::from).map_err(started)?;
        let bound = if role.is_bound() {
            let number = BOUND.fetch_add(1, Ordering::Relaxed);
            guard::bind(&name.to_string_lossy(), id, number)
        } else {
            Vec::new()
        };
        let program = terminal_lobby::tmux::program::of_server(&server.socket);
        let program = program.unwrap_or_else(|| PathBuf::from("tmux"));
        let passed_on = PASSED_ON
            .iter()
            .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
        // -N: a server that has just ended is not started again.
        let command = Command::new(program)
            .arg("-u")
            .arg("-N")
            .arg("-S")
            .arg(server.socket.path())
            .args(bound)
            .arg("attach-session")
            .args(role.flags())
            .arg("-t")
            .arg(format!("${session}:"))
            .env_clear()
            .envs(passed_on)
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor");
        let child = command.spawn(terminal)?;
        let terminal = registered(pty, Interest::READABLE | Interest::WRITABLE).map_err(started)?;
        Ok(Self { terminal, process: Process::Own(child) })
    }

    /// Goes on with one of an earlier process: the leader of the terminal's session.
    ///
    /// # Errors
    /// If it has ended.
    pub(super) fn adopt(terminal: OwnedFd) -> io::Result<Self> {
        let leader = tcgetsid(&terminal)?;
        let process = pidfd_open(leader, PidfdFlags::empty())?;
        // Its number was not another's before it was held.
        if tcgetsid(&terminal)? != leader {
            return Err(io::ErrorKind::NotFound.into());
        }
        let process = registered(process, Interest::READABLE)?;
        Ok(Self {
            terminal: registered(terminal, Interest::READABLE | Interest::WRITABLE)?,
            process: Process::Adopted(process),
        })
    }

    /// The words of the tmux command that lets it size, or not any more; `None` if it has no terminal any more.
    pub(super) fn sizes(&self, is_sizing: bool, is_guest: bool) -> Option<Vec<OsString>> {
        let terminal = rustix::pty::ptsname(&self.terminal, Vec::new()).ok()?;
        let flags = match (is_sizing, is_guest) {
            (true, _) => "!ignore-size,!active-pane",
            (false, true) => "ignore-size,active-pane",
            (false, false) => "ignore-size",
        };
        let mut words: Vec<OsString> =
            vec!["refresh-clien".into(), "-t".into(), OsString::from_vec(terminal.into_bytes())];
        words.extend(["-f", flags].map(OsString::from));
        Some(words)
    }

    pub(super) fn resize(&self, size: Size) -> io::Result<()> {
        Ok(set_size(&self.terminal, size)?)
    }

    /// Has the tmux server draw everything anew, as after a resize.
    pub(super) fn redraw(&self) -> io::Result<()> {
        match &self.process {
            Process::Adopted(process) => Ok(pidfd_send_signal(process, Signal::WINCH)?),
            Process::Own(_) => Ok(()),
        }
    }

    /// Appends output; returns how much, 0 at its end.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        message: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.terminal.poll_read_ready(cx))?;
            let read = ready.try_io(|terminal| {
                let mut piece = [MaybeUninit::uninit(); AT_ONCE];
                let (read, _) = rustix::io::read(terminal, &mut piece)?;
                message.extend_from_slice(read);
                Ok(read.len())
            });
            if let Ok(read) = read {
                return Poll::Ready(read);
            }
        }
    }

    /// Does something with the terminal once it may be written to.
    pub(super) fn poll_write<T>(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(BorrowedFd<'_>) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let mut ready = ready!(self.terminal.poll_write_ready(cx))?;
            if let Ok(written) = ready.try_io(|terminal| write(terminal.as_fd())) {
                return Poll::Ready(written);
            }
        }
    }

    /// Waits for its end.
    pub(super) async fn ended(&mut self) {
        match &mut self.process {
            Process::Own(child) => drop(child.wait().await),
            Process::Adopted(process) => drop(process.readable().await),
        }
    }

    /// Ends it.
    pub(super) fn kill(&mut self) {
        let killed = match &mut self.process {
            Process::Own(child) => child.start_kill(),
            Process::Adopted(process) => {
                pidfd_send_signal(process, Signal::KILL).map_err(io::Error::from)
            }
        };
        if let Err(error) = killed {
            tracing::debug!(%error, "a terminal had ended");
        }
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.terminal.as_fd()
    }
}

#[expect(
    deprecated,
    reason = "what is sound here: an OwnedFd stays the same for as long as it lives"
)]
fn registered(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, interest)
}

fn set_size(terminal: impl AsFd, size: Size) -> rustix::io::Result<()> {
    let size = size.bounded();
    let size = Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size)
}
