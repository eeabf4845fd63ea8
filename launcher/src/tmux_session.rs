//! The name of the pane's tmux session, which becomes the conversation's name.
#![allow(clippy::disallowed_methods, reason = "one tmux client, run under a deadline")]

use crate::agent::program;
use shared::child::{self, Running, Until};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long tmux may take; the user waits for it.
const DEADLINE: Duration = Duration::from_secs(1);
/// How long to wait for an answer that is late when it is needed.
const LATE: Duration = Duration::from_millis(50);

/// A query that tmux answers while other things are done.
#[derive(Debug)]
pub struct NameQuery {
    client: Running,
    end: Instant,
}

/// Starts the query if this is a pane of tmux.
pub fn query_name() -> Option<NameQuery> {
    let pane = std::env::var_os("TMUX_PANE").filter(|_| std::env::var_os("TMUX").is_some())?;
    let mut command = Command::new(program::own("tmux")?);
    command.args(["-u", "display-message", "-p", "-t"]).arg(pane).arg("#{session_name}");
    let end = Instant::now() + DEADLINE;
    Some(NameQuery { client: child::start(command).ok()?, end })
}

impl NameQuery {
    /// The name, if tmux gave one.
    pub fn answer(self) -> Option<OsString> {
        let until = Until { end: self.end.max(Instant::now() + LATE), cancel: None };
        let output = self.client.finish(until).ok().filter(|output| output.success)?;
        let name = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout).to_vec();
        (!name.is_empty()).then(|| OsString::from_vec(name))
    }
}
