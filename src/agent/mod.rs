//! The agents: how each keeps and resumes conversations, one file per agent; and how we know
//! which conversation a pane runs.
//!
//! Agents move fast: every fact about one is in its file, with a test against the real program.

pub mod ancestry;
pub mod arguments;
pub mod claude;
pub mod codex;
pub mod conversation;
mod detect;
pub mod environment;
pub mod evidence;
pub mod home;
pub mod hooks;
pub mod launcher;
pub mod machine;
mod program;
pub mod settings;
pub mod stamp;
pub mod start_environment;
mod transcript;

pub use ancestry::{Caller, Use, caller};
pub use conversation::ConversationId;
pub use detect::{Detected, detect, is_view, left_behind, live};
pub use environment::AgentEnvironment;
pub use evidence::{Environ, PaneSighting, Rank, Sighting, resolve};
pub use home::Home;
pub use stamp::Stamp;

use crate::process::{Proc, Process};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A coding agent that can resume a conversation.
pub trait Agent: Sync {
    /// Its name in snapshots and on command lines.
    fn name(&self) -> &'static str;

    /// What a process does with this agent, by its command line alone; `None` when it is another
    /// program.
    fn runs(&self, process: &Process) -> Option<Use>;

    /// Whether what runs below a process is of no pane: a service of the agent's that its first user
    /// happened to start.
    fn is_service(&self, process: &Process) -> bool;

    /// Whether a program shows conversations of others and can be started again as it is.
    fn is_view(&self, argv: &[Vec<u8>]) -> bool;

    /// What one process of a pane says about this agent; `None` when it is another program. `title` is
    /// the pane's. `home` is as that process uses it.
    fn observe(&self, process: &Process, title: &[u8], home: &Home) -> Option<Observation>;

    /// Conversations that are open in any process of the user's, inside tmux or out, with
    /// that process: as far as the agent records them and does not itself refuse a second one.
    /// Processes of `known` are skipped.
    fn live(&self, home: &Home, proc: &Proc, known: &BTreeSet<i32>) -> Vec<(ConversationId, i32)>;

    /// The records in tmux's panes whose process is gone.
    fn left_behind(&self, home: &Home, proc: &Proc) -> Vec<LeftRecord> {
        let _ = (home, proc);
        Vec::new()
    }

    /// Whether a conversation that was started from `cwd` has a transcript yet.
    fn is_prompted(&self, id: &ConversationId, cwd: &Path, home: &Home) -> bool;

    /// What is on disk of a conversation.
    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description>;

    /// As [`Agent::describe`], searching first where conversations from `cwd` are.
    fn describe_from(&self, id: &ConversationId, cwd: &Path, home: &Home) -> Option<Description> {
        let _ = cwd;
        self.describe(id, home)
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
    /// Whether the conversation has a transcript yet.
    pub prompted: Option<bool>,
    /// The conversation that it was forked from.
    pub parent: Option<ConversationId>,
    /// The agent's version, if it says so itself.
    pub version: Option<String>,
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

/// Every agent we know.
pub static AGENTS: [&dyn Agent; 2] = [&claude::Claude, &codex::Codex];

/// The agent of that name.
pub fn by_name(name: &[u8]) -> Option<&'static dyn Agent> {
    AGENTS.into_iter().find(|agent| agent.name().as_bytes() == name)
}
