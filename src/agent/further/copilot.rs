//! GitHub Copilot CLI, measured on 1.0.102: a node launcher with a native child, both with all arguments.
//! The native one holds `session-state/<uuid>/inuse.<pid>.hold` open from the start on, and after `/clear`
//! only that of the new conversation.

use super::{Words, below, gone, input, messages, visit_files};
use crate::agent::home::Data;
use crate::agent::messages::{ReadLine, Visit};
use crate::agent::program::COPILOT;
use crate::agent::rest::{Input, Screen};
use crate::agent::{Agent, CommandLine, ConversationId, Description, Home};
use crate::agent::{Observation, Rank, Resumption, Saved, transcript};
use crate::process::Process;
use crate::sys::Dir;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// Copilot CLI.
#[derive(Debug)]
pub struct Copilot;

const STATE: &str = "session-state";
/// What a conversation has from its first prompt on.
const TRANSCRIPT: &str = "events.jsonl";

const WORDS: Words = Words {
    agent: COPILOT,
    // What follows in the list is AWS Copilot's, a program of the same name.
    tools: &[
        "app",
        "login",
        "help",
        "init",
        "config",
        "update",
        "version",
        "workflow",
        "sessions",
        "memories",
        "plugin",
        "mcp",
        "skill",
        "instruction",
        "lsp",
        "sandbox",
        "completion",
        "env",
        "svc",
        "job",
        "task",
        "pipeline",
        "deploy",
        "secret",
        "run",
        "storage",
        "docs",
    ],
    services: &[],
    one_shot: &["--prompt", "--acp", "--version", "--help"],
    ids: &["--session-id", "--resume", "-r"],
};

impl Agent for Copilot {
    fn name(&self) -> &'static str {
        COPILOT
    }

    fn command_line(&self, process: &Process) -> Option<CommandLine> {
        WORDS.command_line(process)
    }

    fn observe(&self, process: &Process, _: &[u8], home: &Home) -> Option<Observation> {
        let (mut seen, named) = WORDS.observe(process)?;
        let held: BTreeSet<ConversationId> =
            process.open_files().iter().filter_map(|file| held(file)).collect();
        let mut held = held.into_iter();
        let only = held.next().filter(|_| held.next().is_none());
        seen.conversation =
            only.map(|id| (id, Rank::Files)).or_else(|| named.map(|id| (id, Rank::Argv)));
        seen.prompted = seen.conversation.as_ref().map(|(id, _)| has_transcript(id, home));
        Some(seen)
    }

    /// Copilot takes a second one on a live conversation.
    fn is_prompted(&self, id: &ConversationId, _: &Path, home: &Home) -> bool {
        has_transcript(id, home)
    }

    fn messages(&self) -> Option<ReadLine> {
        Some(messages::copilot)
    }

    fn visit_transcripts(&self, home: &Home, visit: &mut Visit<'_>) -> ControlFlow<()> {
        let id = |dir: &Dir, file: &OsStr| {
            let name = dir.path().file_name().filter(|_| file == TRANSCRIPT)?;
            ConversationId::parse(name.as_bytes())
        };
        visit_files(&below(&home.data(Data::Copilot).join(STATE), home), id, visit)
    }

    fn describe_file(&self, dir: &Dir, file: &str) -> Option<Description> {
        transcript::describe(dir, file, |line| line["data"]["context"]["cwd"].as_str(), title)
    }

    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description> {
        self.describe_file(&*state(id, home)?, TRANSCRIPT)
    }

    fn input(&self, screen: &Screen) -> Input {
        input::copilot(screen)
    }

    /// One option starts and resumes, from any directory.
    fn resumption(&self, saved: &Saved<'_>, home: &Home) -> Resumption {
        if has_transcript(saved.id, home) {
            return Resumption::Resume;
        }
        match saved.prompted {
            Some(false) => Resumption::StartUnderId,
            _ => gone(saved),
        }
    }
}

/// The conversation of a file that says that it is in use: `session-state/<uuid>/inuse.<pid>.hold`.
fn held(file: &Path) -> Option<ConversationId> {
    let name = file.file_name()?.as_bytes();
    let dir = file.parent()?;
    let is_hold = name.starts_with(b"inuse.") && name.ends_with(b".hold");
    let is_state = dir.parent()?.file_name()? == STATE;
    ConversationId::parse(dir.file_name()?.as_bytes()).filter(|_| is_hold && is_state)
}

fn state(id: &ConversationId, home: &Home) -> Option<Rc<Dir>> {
    let of = |name: &str| home.dir(home.data(Data::Copilot).join(STATE).join(name));
    of(id.as_str()).or_else(|| of(id.key()))
}

fn has_transcript(id: &ConversationId, home: &Home) -> bool {
    state(id, home).is_some_and(|dir| dir.has_file(TRANSCRIPT).unwrap_or(false))
}

fn title(line: &Value) -> Option<&str> {
    (line["type"] == "user.message").then(|| line["data"]["content"].as_str()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_that_says_in_use_names_a_conversation() {
        const ID: &str = "46c8adb7-09e0-45fd-b48c-6539e2243430";
        let id = |path: String| held(Path::new(&path)).map(|id| id.to_string());
        let state = format!("/h/.copilot/session-state/{ID}");
        assert_eq!(id(format!("{state}/inuse.7.hold")).as_deref(), Some(ID));
        for path in [
            format!("{state}/events.jsonl"),
            format!("{state}/inuse.7.lock"),
            format!("/h/elsewhere/{ID}/inuse.7.hold"),
            "/h/.cache/copilot/pkg/linux-x64/1.0.102/inuse.7.hold".to_owned(),
            format!("/h/.copilot/session-state/.session-operation-locks/{ID}.lock"),
        ] {
            assert_eq!(id(path.clone()), None, "{path}");
        }
    }
}
