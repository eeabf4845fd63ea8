//! Runs `persist`, which knows the conversations. Without it the agent starts as well, but its end is
//! not recorded.
#![allow(clippy::disallowed_methods, reason = "persist is a program of ours, run under a deadline")]

use crate::agent::environment::{self, Variables};
use crate::agent::program;
use crate::agent::recorded::Recorded;
use crate::process::{apart, signals};
use nix::sys::signalfd::SignalFd;
use shared::child::{self, Stopped, Until};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long `persist` may take; the user waits for it.
const DEADLINE: Duration = Duration::from_secs(2);

/// What `persist` knows of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    /// The directory it was started in.
    pub cwd: Option<PathBuf>,
    pub transcript: Option<OsString>,
    /// Its title or first prompt.
    pub title: Option<String>,
    /// When it was last written, in seconds since the epoch.
    pub last_activity: Option<u64>,
}

/// The answer of `persist` about a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has a transcript.
    Found(Conversation),
    /// It has no transcript.
    Absent,
    /// `persist` gave no answer.
    Unknown,
}

/// Finds a conversation where its agent keeps it. `options` are those of `persist` itself, here and below: the restore that made
/// this pane may have had a state directory of its own.
pub fn conversation(options: &[OsString], agent: &str, id: &OsStr) -> Answer {
    let args =
        [OsStr::new("conversation"), id, "--agent".as_ref(), agent.as_ref(), "--json".as_ref()];
    let variables = Recorded::read().variables;
    let pressed = signals::pressed_keys();
    let Some(json) = run(options, &args, variables, pressed.as_ref())
        .and_then(|out| serde_json::from_slice::<serde_json::Value>(&out).ok())
    else {
        return Answer::Unknown;
    };
    if json["absent"] == true {
        return Answer::Absent;
    }
    if !json["error"].is_null() || json["transcript"].as_str().is_none_or(str::is_empty) {
        return Answer::Unknown;
    }
    Answer::Found(Conversation {
        cwd: json["cwd"].as_str().map(PathBuf::from).filter(|cwd| cwd.is_absolute()),
        transcript: json["transcript"].as_str().map(OsString::from),
        title: json["title"].as_str().map(str::to_owned),
        last_activity: json["last_activity"].as_u64(),
    })
}

/// How an agent ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    pub agent: &'a str,
    /// Its conversation, if it is known.
    pub id: Option<&'a OsStr>,
    /// Its tmux session.
    pub session: Option<&'a OsStr>,
    /// Whether the user closed it.
    pub closed: bool,
    pub reason: &'a str,
}

/// Records how an agent ended.
pub fn ended(options: &[OsString], ended: &Ended<'_>) {
    let Ended { agent, id, reason, .. } = *ended;
    let how = if ended.closed { "closed" } else { "lost" };
    let session = ended.session.unwrap_or_default();
    let args =
        ["ended".as_ref(), "--agent".as_ref(), agent.as_ref(), "--how".as_ref(), how.as_ref()];
    let more = [
        "--session".as_ref(),
        session,
        "--reason".as_ref(),
        reason.as_ref(),
        OsStr::new("--quiet"),
    ];
    let id: Vec<&OsStr> = id.into_iter().collect();
    let _ = run(options, &[&args[..], &more, &id].concat(), Vec::new(), None);
}

/// Has the sessions saved after so many seconds, without waiting for it.
pub fn changed(options: &[OsString], after: u64) {
    let mut command = command();
    command.args(["save", "--coalesce", "--quiet", "--after", &after.to_string()]).args(options);
    apart::start_apart(command);
}

/// Runs `persist`, with further variables; returns its standard output, whatever its exit code. A key that
/// interrupts ends the wait for it, where `pressed` is given.
fn run(
    options: &[OsString],
    args: &[&OsStr],
    variables: Variables,
    pressed: Option<&SignalFd>,
) -> Option<Vec<u8>> {
    let mut command = command();
    command.args(args).args(options).envs(variables);
    let cancel = pressed.map(AsFd::as_fd);
    let output = child::run(command, Until { end: Instant::now() + DEADLINE, cancel });
    if let (Err(Stopped::Cancelled), Some(pressed)) = (&output, pressed) {
        signals::drop_pressed(pressed);
    }
    output.ok().map(|output| output.stdout)
}

/// `persist`, which finds tmux on a PATH without dead mounts.
fn command() -> Command {
    let mut command = Command::new(program());
    if let Some((path, _)) = environment::answering(&environment::path(&Vec::new())) {
        command.env("PATH", path);
    }
    command
}

/// `persist` in the directory of this program, else by PATH.
fn program() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("persist")));
    let beside = beside.filter(|program| program.is_file());
    beside.unwrap_or_else(|| program::own("persist").unwrap_or_else(|| "persist".into()))
}
