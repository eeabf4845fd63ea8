//! Qwen Code, measured on 0.15.10: node with a node child, both with all arguments. A conversation is a file
//! `projects/<slug of the directory>/chats/<uuid>.jsonl` from its first prompt on.

use super::{
    Words, below, by_argv_or_guess, gone, in_its_directory, input, messages, only_file_since,
    visit_files,
};
use crate::agent::home::Data;
use crate::agent::messages::{ReadLine, Visit};
use crate::agent::program::QWEN;
use crate::agent::rest::{Input, Screen};
use crate::agent::{Agent, CommandLine, ConversationId, Description, Home};
use crate::agent::{Observation, Resumption, Saved};
use crate::agent::{claude, transcript};
use crate::process::Process;
use crate::sys::Dir;
use serde_json::Value;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// Qwen Code.
#[derive(Debug)]
pub struct Qwen;

const WORDS: Words = Words {
    agent: QWEN,
    tools: &["mcp", "extensions", "auth", "hooks", "hook", "channel", "review"],
    services: &[],
    one_shot: &["--prompt", "--acp", "--list-extensions", "--version", "--help"],
    ids: &["--session-id", "--resume", "-r"],
};

impl Agent for Qwen {
    fn name(&self) -> &'static str {
        QWEN
    }

    fn command_line(&self, process: &Process) -> Option<CommandLine> {
        WORDS.command_line(process)
    }

    fn observe(&self, process: &Process, _: &[u8], home: &Home) -> Option<Observation> {
        let only_since = |started: u64, cwd: &Path| {
            only_file_since(&*chats(cwd, home)?, started, conversation_of)
        };
        by_argv_or_guess(&WORDS, process, |id, _| find(id, home).is_some(), only_since)
    }

    fn is_prompted(&self, id: &ConversationId, _: &Path, home: &Home) -> bool {
        find(id, home).is_some()
    }

    fn messages(&self) -> Option<ReadLine> {
        Some(messages::qwen)
    }

    fn visit_transcripts(&self, home: &Home, visit: &mut Visit<'_>) -> ControlFlow<()> {
        let projects = below(&projects(home), home);
        let chats = |project: &Rc<Dir>| home.dir(project.path().join("chats"));
        let dirs: Vec<Rc<Dir>> = projects.iter().filter_map(chats).collect();
        visit_files(&dirs, |_, file| conversation_of(file), visit)
    }

    fn describe_file(&self, dir: &Dir, file: &str) -> Option<Description> {
        transcript::describe(dir, file, |line| line["cwd"].as_str(), title)
    }

    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description> {
        let (dir, file) = find(id, home)?;
        self.describe_file(&dir, &file)
    }

    fn input(&self, screen: &Screen) -> Input {
        input::qwen(screen)
    }

    fn resumption(&self, saved: &Saved<'_>, home: &Home) -> Resumption {
        if find(saved.id, home).is_some() {
            return in_its_directory("Qwen Code", saved, home, Resumption::Resume);
        }
        match saved.prompted {
            Some(false) => Resumption::StartUnderId,
            _ => gone(saved),
        }
    }
}

fn projects(home: &Home) -> std::path::PathBuf {
    home.data(Data::Qwen).join("projects")
}

fn chats(cwd: &Path, home: &Home) -> Option<Rc<Dir>> {
    home.dir(projects(home).join(claude::slug(&home.resolved(cwd))).join("chats"))
}

fn conversation_of(file: &OsStr) -> Option<ConversationId> {
    ConversationId::parse(file.as_bytes().strip_suffix(b".jsonl")?)
}

/// The transcript of a conversation, in whatever project it lies.
fn find(id: &ConversationId, home: &Home) -> Option<(Rc<Dir>, String)> {
    let names = [format!("{id}.jsonl"), format!("{}.jsonl", id.key())];
    below(&projects(home), home).iter().find_map(|project| {
        let dir = home.dir(project.path().join("chats"))?;
        let name = names.iter().find(|name| dir.has_file(name).unwrap_or(false))?;
        Some((dir.clone(), name.clone()))
    })
}

fn title(line: &Value) -> Option<&str> {
    let is_user = line["type"] == "user";
    is_user.then(|| line["message"]["parts"][0]["text"].as_str()).flatten()
}
