//! The name of the tmux session this pane is in, to call the conversation by.
#![allow(clippy::disallowed_methods, reason = "one tmux client, run under a deadline")]

use crate::process::{self, Until};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long tmux may take: the user waits for it.
const DEADLINE: Duration = Duration::from_secs(1);

/// A question to tmux that is answered while other things are done.
#[derive(Debug)]
pub struct Asked(Option<JoinHandle<Option<OsString>>>);

/// Asks, when this is a pane of tmux.
pub fn ask() -> Asked {
    let pane = std::env::var_os("TMUX_PANE").filter(|_| std::env::var_os("TMUX").is_some());
    Asked(pane.map(|pane| std::thread::spawn(move || query(pane))))
}

impl Asked {
    /// The answer, if there is one.
    pub fn answer(self) -> Option<OsString> {
        self.0?.join().ok()?
    }
}

fn query(pane: OsString) -> Option<OsString> {
    let mut command = Command::new("tmux");
    command.args(["-u", "display-message", "-p", "-t"]).arg(pane).arg("#{session_name}");
    let until = Until { end: Instant::now() + DEADLINE, cancel: None };
    let output = process::run(command, until).ok().filter(|output| output.success)?;
    let name = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout).to_vec();
    (!name.is_empty()).then(|| OsString::from_vec(name))
}
