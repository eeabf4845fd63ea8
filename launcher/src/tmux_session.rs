//! The name of the tmux session this pane is in, to call the conversation by.
#![allow(clippy::disallowed_methods, reason = "one tmux client, run under a deadline")]

use shared::child::{self, Running, Until};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long tmux may take: the user waits for it.
const DEADLINE: Duration = Duration::from_secs(1);
/// How long to look for an answer that is late, or that came while other things took longer.
const LOOK: Duration = Duration::from_millis(50);

/// A question to tmux that is answered while other things are done.
#[derive(Debug)]
pub struct Asked {
    client: Running,
    end: Instant,
}

/// Asks, when this is a pane of tmux.
pub fn ask() -> Option<Asked> {
    let pane = std::env::var_os("TMUX_PANE").filter(|_| std::env::var_os("TMUX").is_some())?;
    let mut command = Command::new("tmux");
    command.args(["-u", "display-message", "-p", "-t"]).arg(pane).arg("#{session_name}");
    let end = Instant::now() + DEADLINE;
    Some(Asked { client: child::start(command).ok()?, end })
}

impl Asked {
    /// The answer, if there is one.
    pub fn answer(self) -> Option<OsString> {
        let until = Until { end: self.end.max(Instant::now() + LOOK), cancel: None };
        let output = self.client.finish(until).ok().filter(|output| output.success)?;
        let name = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout).to_vec();
        (!name.is_empty()).then(|| OsString::from_vec(name))
    }
}
