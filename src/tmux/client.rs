//! A user's tmux server, and clients that list and set things in it.
//!
//! Commands are written without their last letter, here and in the other files: tmux knows them by
//! any unambiguous prefix, and so no `command-alias` of the user's is taken for one.

use super::error::TmuxError;
use super::hooks::unhooked;
use super::hooks::{self, Hooks};
use super::panes::{self, ExtraFields, InvalidAnswer, Listing};
use super::program;
use super::socket::{Refusal, Socket, SocketState};
use super::user_options::{self, Groups};
use crate::sys::locks::{self, Lock};
use crate::sys::process::exec::{self, Output, Program};
use crate::sys::{Dir, FileError, fs, mounts};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The variables that a client which changes nothing passes on: it sends all it has to the server.
const PASSED_ON: [&str; 5] = ["HOME", "LANG", "PATH", "SHELL", "USER"];

/// A user's tmux server, running or not.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where it listens.
    pub socket: Socket,
    /// How long one answer may take.
    pub deadline: Duration,
    /// How long one that starts may take for the user's configuration.
    pub start_deadline: Duration,
    /// Whether one may be started where none runs.
    pub may_start: bool,
    /// The configuration files that one is started with; empty for tmux's usual ones.
    pub configuration: Vec<PathBuf>,
}

impl Server {
    /// The server at `socket`; `deadline` for each answer, also if one has to be started.
    pub fn at(socket: Socket, deadline: Duration) -> Self {
        let configuration = Vec::new();
        Self { socket, deadline, start_deadline: deadline, may_start: true, configuration }
    }

    /// Whether a server of this user's listens, found without connecting a client.
    pub fn is_listening(&self) -> Result<bool, TmuxError> {
        match self.socket.state() {
            SocketState::Listening => Ok(true),
            SocketState::Absent | SocketState::Stale => Ok(false),
            SocketState::Refused(refusal) => Err(self.refused(refusal)),
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
        self.list_and_compare(&ExtraFields::default(), None)
    }

    /// As [`Server::list`], with `extra` fields; the listing also says whether the server has just these
    /// hooks of ours.
    pub fn list_and_compare(
        &self,
        extra: &ExtraFields,
        hooks: Option<&Hooks>,
    ) -> Result<Option<Listing>, TmuxError> {
        if !self.is_listening()? {
            return Ok(None);
        }
        let nonce = fs::random_hex();
        let output = self
            .read_only_client()
            .args(panes::question(&nonce, extra, &hooks::question(hooks)))
            .run()?;
        if !output.status.success() {
            let message = message(&output);
            if message.starts_with("no server running on ")
                || message == "server exited unexpectedly" && self.is_about_to_end()?
            {
                return Ok(None); // it ended since the probe, or while it answered
            }
            if message == "no current target" {
                return Ok(Some(Listing::default())); // a server without sessions, in some versions
            }
            if !extra.option_groups.is_empty() {
                // What is asked in passing may cost no save.
                let without = ExtraFields { option_groups: Groups::default(), ..extra.clone() };
                return self.list_and_compare(&without, hooks);
            }
            return Err(failed(&output));
        }
        Ok(Some(panes::parse(&output.stdout, &nonce, extra)?))
    }

    /// Sends commands that print nothing, in one round trip. The caller has checked that the server
    /// listens.
    pub fn send(&self, words: Vec<OsString>) -> Result<(), TmuxError> {
        let output = self.read_only_client().args(words).run()?;
        if output.status.success() { Ok(()) } else { Err(failed(&output)) }
    }

    /// The value of a server option; `None` if the server does not answer.
    pub fn option(&self, name: &str) -> Option<String> {
        if !self.is_listening().ok()? {
            return None;
        }
        let value = format!("#{{{name}}}");
        let client = self.read_only_client().args(unhooked::print(&value));
        let output = client.max_output(4096).run().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The options that users and tools set on each session, window and pane, or on those of `keys`; `names` are
    /// patterns of those that are kept.
    pub fn user_options(
        &self,
        keys: Option<&[user_options::Key]>,
        names: &[String],
    ) -> Result<user_options::Answer, TmuxError> {
        let nonce = fs::random_hex();
        let Some(keys) = keys else {
            return self.user_options_by(&user_options::question(&nonce), &nonce, names);
        };
        let mut answer = user_options::Answer::new();
        for keys in keys.chunks(user_options::AT_ONCE) {
            let question = user_options::question_of(&nonce, keys);
            answer.extend(self.user_options_by(&question, &nonce, names)?);
        }
        Ok(answer)
    }

    fn user_options_by(
        &self,
        question: &[String],
        nonce: &str,
        names: &[String],
    ) -> Result<user_options::Answer, TmuxError> {
        let output = self.read_only_client().args(question).run()?;
        // Its status says whether any of its commands failed: what was asked about may be gone.
        match user_options::parse(&output.stdout, nonce, names) {
            Some(answer) => Ok(answer),
            None if output.status.success() => {
                Err(InvalidAnswer("it is no list of options").into())
            }
            None => Err(failed(&output)),
        }
    }

    /// A client that can do no harm here, whatever the server asks it to do.
    pub(super) fn read_only_client(&self) -> Program {
        let passed_on = |name: &&str| {
            let value = std::env::var_os(name)?;
            // A client looks for its configuration in the home, though it reads none.
            let hangs = *name == "HOME" && mounts::unanswered(Path::new(&value)).is_some();
            Some(((*name).into(), if hangs { "/".into() } else { value }))
        };
        let environment = PASSED_ON.iter().filter_map(passed_on);
        // -N: a server that has ended meanwhile is not started again; `list-commands` would do that.
        let client = self.client().args(["-N"]);
        client.environment(environment.collect()).only_queries().deadline(self.deadline)
    }

    /// Whether a server that let go of its client is about to end: it does that first, and then
    /// removes its socket.
    fn is_about_to_end(&self) -> Result<bool, TmuxError> {
        const TRIES: u32 = 20;
        for _ in 0..TRIES {
            if !self.is_listening()? {
                return Ok(true);
            }
            crate::sys::clock::pause(Duration::from_millis(5));
        }
        Ok(false)
    }

    pub(super) fn client(&self) -> Program {
        let program = match program::of_server(&self.socket) {
            Some(own) => Program::at(own, program::NAME),
            None => Program::new(program::NAME),
        };
        // -u: without it every byte outside printable ASCII comes out as `_` (lesson 5).
        program.args(["-u", "-S"]).args([self.socket.path()])
    }

    pub(super) fn refused(&self, refusal: Refusal) -> TmuxError {
        TmuxError::Refused { socket: self.socket.path().to_owned(), refusal }
    }
}

fn failed(output: &Output) -> TmuxError {
    TmuxError::Client { ending: exec::describe(output.status), message: message(output) }
}

/// What the client wrote to standard error.
fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
