//! What every agent must be able to say, and the values that it says it with.

use super::background::Backgrounded;
use super::conversation::ConversationId;
use super::evidence::Rank;
use super::home::Home;
use super::messages::{ReadLine, Visit};
use super::rest::{Input, OwnAccount, Screen};
use super::status::Status;
use crate::process::{Proc, Process};
use crate::sys::Dir;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// How an agent is used, by its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Interactively.
    Conversation,
    /// For one answer; there is nothing to come back to.
    OneShot,
}

/// What the command line of an agent's process says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandLine {
    /// `None` if it does not converse.
    pub usage: Option<Use>,
    /// Whether it is a service: see [`Agent::is_service`].
    pub is_service: bool,
}

impl CommandLine {
    pub fn new(converses: bool, asks_once: bool, is_service: bool) -> Self {
        let usage = if asks_once { Use::OneShot } else { Use::Conversation };
        Self { usage: converses.then_some(usage), is_service }
    }
}

/// A coding agent that can resume a conversation.
pub trait Agent: Sync {
    /// Its name in snapshots and on command lines.
    fn name(&self) -> &'static str;

    /// What the command line of a process says; `None` when it is another program.
    fn command_line(&self, process: &Process) -> Option<CommandLine>;

    /// What a process does with this agent, by its command line alone; `None` when it is another
    /// program, or does not converse.
    fn runs(&self, process: &Process) -> Option<Use> {
        self.command_line(process)?.usage
    }

    /// Whether what runs below a process is of no pane: a service of the agent's that its first user
    /// happened to start.
    fn is_service(&self, process: &Process) -> bool {
        self.command_line(process).is_some_and(|line| line.is_service)
    }

    /// Whether a program shows conversations of others and can be started again as it is.
    fn is_view(&self, argv: &[Vec<u8>]) -> bool {
        let _ = argv;
        false
    }

    /// The argument list by which such a program comes back, which is `argv` or more than that.
    fn again(&self, argv: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        argv
    }

    /// What one process of a pane says about this agent; `None` when it is another program. `title` is
    /// the pane's. `home` is as that process uses it.
    fn observe(&self, process: &Process, title: &[u8], home: &Home) -> Option<Observation>;

    /// Conversations that are open in any process of the user's, inside tmux or out, with
    /// that process: as far as the agent records them and does not itself refuse a second one.
    /// Processes of `known` are skipped.
    fn live(&self, home: &Home, proc: &Proc, known: &BTreeSet<i32>) -> Vec<(ConversationId, i32)> {
        let _ = (home, proc, known);
        Vec::new()
    }

    /// The records in tmux's panes whose process is gone.
    fn left_behind(&self, home: &Home, proc: &Proc) -> Vec<LeftRecord> {
        let _ = (home, proc);
        Vec::new()
    }

    /// The directory in which it writes down that it runs, in files named by the number of the process; `None` if
    /// it has no such directory.
    fn record_dir(&self, home: &Home) -> Option<PathBuf> {
        let _ = home;
        None
    }

    /// Conversations that are in no pane, and not lost with the agent's processes either.
    fn backgrounded(&self, home: &Home) -> Vec<Backgrounded> {
        let _ = home;
        Vec::new()
    }

    /// Whether a conversation that was started from `cwd` has a transcript yet.
    fn is_prompted(&self, id: &ConversationId, cwd: &Path, home: &Home) -> bool;

    /// What a line of a transcript says; `None` if its transcripts are not lines that we can read.
    fn messages(&self) -> Option<ReadLine> {
        None
    }

    /// Visits the transcripts below `home` whose lines [`Agent::messages`] reads, in no order, until that says to stop.
    fn visit_transcripts(&self, home: &Home, visit: &mut Visit<'_>) -> ControlFlow<()> {
        let _ = (home, visit);
        ControlFlow::Continue(())
    }

    /// What is in the transcript `file` of `dir`.
    fn describe_file(&self, dir: &Dir, file: &str) -> Option<Description> {
        let _ = (dir, file);
        None
    }

    /// What is on disk of a conversation.
    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description>;

    /// As [`Agent::describe`], searching first where conversations from `cwd` are.
    fn describe_from(&self, id: &ConversationId, cwd: &Path, home: &Home) -> Option<Description> {
        let _ = cwd;
        self.describe(id, home)
    }

    /// The only conversation of a directory that was prompted since a time, in seconds since the epoch,
    /// and is not among `known`: a guess, for an agent that had not been prompted then.
    fn prompted_since(
        &self,
        since: u64,
        cwd: &Path,
        known: &BTreeSet<ConversationId>,
        home: &Home,
    ) -> Option<ConversationId> {
        let _ = (since, cwd, known, home);
        None
    }

    /// Whether the start of one makes others of its directory lose what has no prompt yet.
    fn starts_alone(&self) -> bool {
        false
    }

    /// Whether what it says to its hooks proves that its user ended it. Of most it does not: they say the same
    /// when a signal ends them.
    fn proves_closes(&self) -> bool {
        false
    }

    /// What the agent of a process records of what it does; `None` if it records nothing that can be
    /// relied on. `id` is its conversation.
    fn account(&self, process: &Process, id: &ConversationId, home: &Home) -> Option<OwnAccount> {
        let _ = (process, id, home);
        None
    }

    /// The model that answered last in a conversation from `cwd`, by the end of its transcript.
    fn model(&self, id: &ConversationId, cwd: &Path, home: &Home) -> Option<String> {
        let _ = (id, cwd, home);
        None
    }

    /// What the agent's input line holds, by what its pane shows.
    fn input(&self, screen: &Screen) -> Input {
        let _ = screen;
        Input::Unknown
    }

    /// What starting the agent on a conversation would take.
    fn resumption(&self, saved: &Saved<'_>, home: &Home) -> Resumption;
}

/// What a snapshot says of a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Saved<'a> {
    pub id: &'a ConversationId,
    /// Where it was started from.
    pub cwd: &'a Path,
    /// Whether it had a transcript.
    pub prompted: Option<bool>,
    /// The conversation that it was forked from.
    pub parent: Option<&'a ConversationId>,
    /// The agent's version, if it says so itself.
    pub version: Option<&'a [u8]>,
}

/// What an agent that is gone left behind of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftRecord {
    pub agent: &'static str,
    pub conversation: ConversationId,
    pub cwd: PathBuf,
    /// The tmux session that it was started in, and the number of the pane.
    pub session: Vec<u8>,
    pub pane: u32,
    /// When it started, and when the record was written last, in seconds since the epoch.
    pub started: u64,
    pub written: u64,
    pub prompted: bool,
    pub version: Option<String>,
}

/// What a process that is an agent shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// The conversation it runs, as far as this process shows.
    pub conversation: Option<(ConversationId, Rank)>,
    /// The directory its conversation belongs to.
    pub cwd: Option<OsString>,
    /// Whether the conversation has a transcript yet. Without a known one: no, if there is evidence that
    /// nothing was said in any.
    pub prompted: Option<bool>,
    /// The conversation that it was forked from.
    pub parent: Option<ConversationId>,
    /// The agent's version, if it says so itself.
    pub version: Option<String>,
    /// What it does, if it says so itself.
    pub status: Option<Status>,
    /// Since when, in seconds since the epoch, if that is known.
    pub since: Option<u64>,
    /// When the evidence was written, in nanoseconds since the epoch; `None` if it is of now.
    pub written: Option<u64>,
    /// Whether the processes below it may show more.
    pub descend: bool,
}

/// What is on disk of a conversation. Text is as the agent wrote it: hostile until escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// Its transcript.
    pub transcript: PathBuf,
    /// The directory it was started in, if the transcript says.
    pub cwd: Option<PathBuf>,
    /// Its title, else its first prompt; at most [`MAX_TITLE`] characters.
    pub title: Option<String>,
    /// When it was last written, in seconds since the epoch.
    pub last_activity: u64,
}

/// The most characters of a title.
pub const MAX_TITLE: usize = 200;

/// How a conversation can come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resumption {
    /// By its id, from its own directory.
    Resume,
    /// By the path of its transcript, from any directory.
    ResumeTranscript(PathBuf),
    /// A fork that was not prompted since: fork it again, under the same id.
    Fork { parent: ConversationId },
    /// It was never prompted: start the agent anew under the same id.
    StartUnderId,
    /// It was never prompted, and the agent takes no id: start it anew.
    StartAnew,
    /// It cannot come back, for this reason.
    Impossible(String),
}
