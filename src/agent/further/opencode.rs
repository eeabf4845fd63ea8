//! opencode, measured on 1.18.33: one native process with all arguments. Its conversations are rows of one
//! database that all share, so only the stamp of our plugin says which one a pane shows, from its first
//! prompt on.

use super::{Words, input};
use crate::agent::program::{self, OPENCODE};
use crate::agent::rest::{Input, Screen};
use crate::agent::{Agent, CommandLine, ConversationId, Description, Home};
use crate::agent::{Observation, Rank, Resumption, Saved};
use crate::process::Process;
use std::path::Path;

/// opencode.
#[derive(Debug)]
pub struct Opencode;

const WORDS: Words = Words {
    agent: OPENCODE,
    tools: &[
        "completion",
        "mcp",
        "attach",
        "debug",
        "providers",
        "auth",
        "agent",
        "upgrade",
        "uninstall",
        "models",
        "stats",
        "export",
        "import",
        "github",
        "session",
        "plugin",
        "plug",
        "db",
    ],
    services: &["serve", "web", "acp"],
    one_shot: &["run", "--version", "--help"],
    ids: &["--session", "-s"],
};

impl Agent for Opencode {
    fn name(&self) -> &'static str {
        OPENCODE
    }

    fn command_line(&self, process: &Process) -> Option<CommandLine> {
        WORDS.command_line(process)
    }

    /// `opencode attach URL` shows what another process serves.
    fn is_view(&self, argv: &[Vec<u8>]) -> bool {
        program::of(argv, || None)
            .filter(|program| program.agent == OPENCODE)
            .is_some_and(|program| program.arguments.first().is_some_and(|word| word == b"attach"))
    }

    fn observe(&self, process: &Process, _: &[u8], _: &Home) -> Option<Observation> {
        let (mut seen, named) = WORDS.observe(process)?;
        seen.conversation = named.map(|id| (id, Rank::Argv));
        // There is none without a prompt.
        seen.prompted = seen.conversation.as_ref().map(|_| true);
        Some(seen)
    }

    fn is_prompted(&self, _: &ConversationId, _: &Path, _: &Home) -> bool {
        true
    }

    /// What is in the database is not read.
    fn describe(&self, id: &ConversationId, _: &Home) -> Option<Description> {
        id.as_str().starts_with("ses_").then(Description::default)
    }

    fn input(&self, screen: &Screen) -> Input {
        input::opencode(screen)
    }

    /// From any directory: it goes to its own.
    fn resumption(&self, _: &Saved<'_>, _: &Home) -> Resumption {
        Resumption::Resume
    }
}
