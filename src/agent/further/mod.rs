//! The other agents, one file for each: every fact about one was measured on the version that its file
//! names. Most are known by the stamp of our hook; `configured` has those that the site or the user describes.

mod aider;
mod configured;
mod copilot;
mod gemini;
mod input;
mod messages;
mod opencode;
mod pi;
mod qwen;

pub use aider::Aider;
pub use configured::configured;
pub use copilot::Copilot;
pub use gemini::Gemini;
pub use opencode::Opencode;
pub use pi::Pi;
pub use qwen::Qwen;

use super::conversation::{ConversationId, option};
use super::messages::{Stored, Visit};
use super::{CommandLine, Home, Observation, Rank, Resumption, Saved, Use, program};
use crate::process::Process;
use crate::sys::Dir;
use crate::text::shown;
use shared::agent_options;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

/// Maximum number of files of one directory that are listed; with more, none is guessed.
const MAX_LISTED: usize = 10_000;

/// Maximum number of files of one directory that are visited; with more, none is.
const MAX_STORED: usize = 100_000;

/// The arguments of a process that runs an agent.
fn arguments<'a>(process: &'a Process, agent: &str) -> Option<&'a [Vec<u8>]> {
    let program = program::of(&process.argv, || process.executable_name())?;
    (program.agent == agent).then_some(program.arguments)
}

/// What sets an agent's command lines apart.
struct Words {
    agent: &'static str,
    /// First words with which it does not converse.
    tools: &'static [&'static str],
    /// First words with which it serves others.
    services: &'static [&'static str],
    /// Options, and first words, with which it answers once.
    one_shot: &'static [&'static str],
    /// Options that name a conversation.
    ids: &'static [&'static str],
}

impl Words {
    /// What the command line of a process says; `None` if it is another program.
    fn command_line(&self, process: &Process) -> Option<CommandLine> {
        let arguments = arguments(process, self.agent)?;
        let operands = agent_options::operands(self.agent, arguments);
        let is_first = |words: &[&str]| {
            operands.first().is_some_and(|first| words.iter().any(|w| w.as_bytes() == *first))
        };
        let asks_once = is_first(self.one_shot)
            || self.one_shot.iter().any(|name| agent_options::has(self.agent, arguments, name));
        let is_service = is_first(self.services);
        Some(CommandLine::new(!is_first(self.tools) && !is_service, asks_once, is_service))
    }

    /// The conversation that the command line names.
    fn named(&self, process: &Process) -> Option<ConversationId> {
        ConversationId::parse(option(arguments(process, self.agent)?, self.ids)?)
    }

    /// The beginning of an observation, and the conversation that the command line names; `None` if no
    /// person converses there.
    fn observe(&self, process: &Process) -> Option<(Observation, Option<ConversationId>)> {
        (self.command_line(process)?.usage? == Use::Conversation).then(|| {
            let cwd = process.cwd();
            (Observation { descend: true, cwd, ..Observation::default() }, self.named(process))
        })
    }
}

/// The observation of an agent by its command line, else by the only conversation that was written since
/// it started.
fn by_argv_or_guess(
    words: &Words,
    process: &Process,
    is_prompted: impl Fn(&ConversationId, &Path) -> bool,
    only_since: impl Fn(u64, &Path) -> Option<ConversationId>,
) -> Option<Observation> {
    let (mut seen, named) = words.observe(process)?;
    let cwd = seen.cwd.clone().unwrap_or_default();
    let guess = || Some((only_since(process.started()?, Path::new(&cwd))?, Rank::Transcript));
    seen.conversation = named.map(|id| (id, Rank::Argv)).or_else(guess);
    seen.prompted = seen.conversation.as_ref().map(|(id, _)| is_prompted(id, Path::new(&cwd)));
    Some(seen)
}

/// The one file of a directory that was written since `started` (seconds since the epoch) and is of a
/// conversation: a guess, given up between rivals and in crowds.
fn only_file_since(
    dir: &Dir,
    started: u64,
    id_of: impl Fn(&OsStr) -> Option<ConversationId>,
) -> Option<ConversationId> {
    let names = dir.names(MAX_LISTED).ok()??;
    let mut candidates = names.iter().filter_map(|name| {
        let id = id_of(name)?;
        let written = u64::try_from(dir.stat(name).ok()??.st_mtime).ok()?;
        (written >= started).then_some(id)
    });
    let only = candidates.next()?;
    candidates.all(|other| other == only).then_some(only)
}

/// The directories below one.
fn below(path: &Path, home: &Home) -> Vec<Rc<Dir>> {
    let names = home.dir(path).and_then(|dir| dir.names(MAX_LISTED).ok()?).unwrap_or_default();
    names.iter().filter_map(|name| home.dir(path.join(name))).collect()
}

/// Visits the transcripts of directories, which `id` tells from other files by their names.
fn visit_files(
    dirs: &[Rc<Dir>],
    id: impl Fn(&Dir, &OsStr) -> Option<ConversationId>,
    visit: &mut Visit<'_>,
) -> ControlFlow<()> {
    for dir in dirs {
        for file in dir.names(MAX_STORED).ok().flatten().unwrap_or_default() {
            if let Some(id) = id(dir, &file) {
                visit(&Stored { dir, file: &file, id })?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// An agent that resumes a conversation only in its own directory cannot do so when that is gone.
fn in_its_directory(agent: &str, saved: &Saved<'_>, home: &Home, or: Resumption) -> Resumption {
    if !home.may_touch(saved.cwd) || saved.cwd.is_dir() {
        return or;
    }
    let cwd = shown(saved.cwd);
    Resumption::Impossible(format!("{agent} resumes {} only in {cwd}, which is gone", saved.id))
}

/// Why a conversation that had a transcript does not come back.
fn gone(saved: &Saved<'_>) -> Resumption {
    Resumption::Impossible(match saved.prompted {
        Some(true) => format!("the transcript of {} is gone", saved.id),
        _ => format!("there is no transcript of {}", saved.id),
    })
}
