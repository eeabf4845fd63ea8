//! The agents: how each keeps and resumes conversations, one file per agent; and how we know
//! which conversation a pane runs.
//!
//! Agents move fast: every fact about one is in its file, with a test against the real program.

pub mod ancestry;
pub mod arguments;
pub mod claude;
pub mod codex;
pub mod conversation;
pub mod environment;
pub mod evidence;
pub mod home;
pub mod hooks;
pub mod launcher;
pub mod machine;
pub mod settings;
pub mod stamp;
pub mod start_environment;
mod transcript;

pub use ancestry::{Caller, Use, caller};
pub use conversation::ConversationId;
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

    /// What one process of a pane says about this agent; `None` when it is another program.
    fn observe(&self, process: &Process, home: &Home) -> Option<Observation>;

    /// Conversations that are open in any process of the user's, inside tmux or out, with
    /// that process: as far as the agent records them and does not itself refuse a second one.
    /// Processes of `known` are skipped.
    fn live(&self, home: &Home, proc: &Proc, known: &BTreeSet<i32>) -> Vec<(ConversationId, i32)>;

    /// Whether a conversation that was started from `cwd` has a transcript yet.
    fn is_prompted(&self, id: &ConversationId, cwd: &Path, home: &Home) -> bool;

    /// What is on disk of a conversation.
    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description>;

    /// As [`Agent::describe`], searching first where conversations from `cwd` are.
    fn describe_from(&self, id: &ConversationId, cwd: &Path, home: &Home) -> Option<Description> {
        let _ = cwd;
        self.describe(id, home)
    }

    /// What starting the agent on a conversation from `cwd` would take. `prompted` is what the
    /// snapshot says of it.
    fn resumption(
        &self,
        id: &ConversationId,
        cwd: &Path,
        prompted: Option<bool>,
        home: &Home,
    ) -> Resumption;
}

/// What a process that is an agent shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The conversation it runs, as far as this process shows.
    pub conversation: Option<(ConversationId, Rank)>,
    /// The directory its conversation belongs to.
    pub cwd: Option<OsString>,
    /// Whether the conversation has a transcript yet.
    pub prompted: Option<bool>,
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

/// Inspects one pane's processes and gives the agent in it, if any, by the best evidence. `stamp`
/// is what a hook left on the pane; it counts only for the very process that called that hook.
pub fn detect(first_pid: i32, stamp: Option<&Stamp>, home: &Home, proc: &Proc) -> Option<Sighting> {
    let mut sightings = Vec::new();
    proc.visit(first_pid, |process| {
        let seen = AGENTS
            .iter()
            .filter_map(|agent| Some((agent.name(), agent.observe(process, home)?)))
            .chain(launcher::observe(process))
            .next();
        let Some((agent, mut seen)) = seen else { return true };
        let environ = launcher::agents_environ(process);
        if let Some(stamp) = stamp.filter(|stamp| stamp.is_of(agent, process)) {
            apply_stamp(stamp, &mut seen, process, home);
        }
        sightings.push(Sighting {
            agent,
            pid: process.pid,
            conversation: seen.conversation,
            cwd: seen.cwd.or_else(|| process.cwd()),
            prompted: seen.prompted,
            argv: process.argv.clone(),
            foreground: process.stat.group == process.stat.foreground,
            depth: process.depth,
            start: process.stat.start,
            waits: launcher::waits(process),
            environment: AgentEnvironment::of(&environ, home.path()),
            environ: Environ(environ),
        });
        seen.descend
    });
    evidence::best(sightings)
}

/// Uses what a stamp says, unless the process itself is better evidence.
fn apply_stamp(stamp: &Stamp, seen: &mut Observation, process: &Process, home: &Home) {
    if seen.conversation.as_ref().is_some_and(|(_, rank)| *rank <= Rank::Stamp) {
        return;
    }
    let id = stamp.conversation.clone();
    let cwd = seen.cwd.clone().or_else(|| process.cwd());
    seen.prompted = cwd
        .zip(by_name(stamp.agent.as_bytes()))
        .map(|(cwd, agent)| agent.is_prompted(&id, Path::new(&cwd), home));
    seen.conversation = Some((id, Rank::Stamp));
}
