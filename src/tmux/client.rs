//! A user's tmux server, and asking it.

use super::builder::Builder;
use super::hooks::{self, Hooks};
use super::panes::{self, Listing, Nonsense, Wanted};
use super::program;
use super::socket::{Socket, SocketState};
use crate::sys::locks::{self, Lock};
use crate::sys::process::exec::{self, ExecError, Program};
use crate::sys::{Dir, FileError, fs};
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Variables that a client which only asks passes on: it sends all it has to the server.
const ASKING: [&str; 5] = ["HOME", "LANG", "PATH", "SHELL", "USER"];

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
    /// None runs, and whoever asks may not start one.
    #[error(
        "no tmux server listens at {socket}, and none is started from here: it would live, and end, \
         with this login; as the user: persist restore"
    )]
    NotRunning {
        /// Where it would listen.
        socket: String,
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
    /// Whether one may be started where none runs.
    pub may_start: bool,
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

    /// Excludes every other restore into this server, whatever state directory it works on, for as
    /// long as the lock is held; gives up after `wait`.
    pub fn lock(&self, wait: Duration) -> Result<Lock, FileError> {
        fs::create_private_dirs(self.socket.directory())?;
        let dir = Dir::open(self.socket.directory())?;
        if !dir.is_own()? {
            return Err(FileError::refused("locking in", dir.path(), "belongs to another user"));
        }
        // Not NAME.lock, which is tmux's own while it starts a server.
        let name = self.socket.path().file_name().unwrap_or_default().to_string_lossy();
        locks::exclusive(&dir, &format!(".persist-{name}"), wait)
    }

    /// Lists every pane in one round trip; `None` without a server (absent or stale socket).
    pub fn list(&self) -> Result<Option<Listing>, TmuxError> {
        self.list_and_compare(&Wanted::default(), None)
    }

    /// The same with what is `wanted` besides; the listing also says whether the server has just
    /// these hooks of ours.
    pub fn list_and_compare(
        &self,
        wanted: &Wanted,
        hooks: Option<&Hooks>,
    ) -> Result<Option<Listing>, TmuxError> {
        if !self.is_listening()? {
            return Ok(None);
        }
        let nonce = fs::random_hex();
        let output = self
            .asking_client()
            .args(panes::FIRST_QUESTIONS)
            .args(["list-panes", "-a", "-F", &panes::format(&nonce, wanted), ";"])
            .args(["display-message", "-p", &hooks::question(hooks), ";"])
            .args(panes::LAST_QUESTION)
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
        Ok(Some(panes::parse(&output.stdout, &nonce, wanted)?))
    }

    /// Gives a server commands that print nothing, in one round trip. Whether it listens is for
    /// the caller to have seen.
    pub fn tell(&self, words: Vec<OsString>) -> Result<(), TmuxError> {
        let output = self.asking_client().args(words).run()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(TmuxError::Client(format!("{}: {said}", exec::describe(output.status))))
    }

    /// A server option that a user's configuration or we ourselves set; `None` when the server does
    /// not say.
    pub fn option(&self, name: &str) -> Option<String> {
        if !self.is_listening().ok()? {
            return None;
        }
        let asked = self.asking_client().args(["show-options", "-sqv", name]);
        let output = asked.max_output(4096).run().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A client that can do no harm here, whatever the server tells it.
    pub(super) fn asking_client(&self) -> Program {
        let environment =
            ASKING.iter().filter_map(|name| Some(((*name).into(), std::env::var_os(name)?)));
        self.client().environment(environment.collect()).only_asks().deadline(self.deadline)
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
        fs::create_private_dirs(self.socket.directory())?;
        if let SocketState::Refused(why) = self.socket.state() {
            return Err(self.refused(why));
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

    /// Refuses where a server would have to be started by somebody who may not.
    fn check_start(&self) -> Result<(), TmuxError> {
        if self.may_start || self.is_listening()? {
            return Ok(());
        }
        Err(TmuxError::NotRunning { socket: self.socket.path().display().to_string() })
    }

    pub(super) fn client(&self) -> Program {
        let program = match program::of_server(&self.socket) {
            Some(own) => Program::at(own, program::NAME),
            None => Program::new(program::NAME),
        };
        // -u: without it every byte outside printable ASCII comes out as `_` (lesson 5).
        program.args(["-u", "-S"]).args([self.socket.path()])
    }

    fn refused(&self, why: String) -> TmuxError {
        TmuxError::Refused { socket: self.socket.path().display().to_string(), why }
    }
}
