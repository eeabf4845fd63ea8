//! Gemini CLI, measured on 0.61.0: node with a node child, both with all arguments. A conversation is a file
//! `tmp/<name of the directory>/chats/session-<minute>-<first 8 of the id>.jsonl` from the start on.
//!
//! The start of another one in the same directory deletes the file of one that has no prompt yet; that one
//! then cannot be resumed, whatever is said to it. So a restore must not start one while others of its
//! directory have no prompt: see [`Agent::starts_alone`].

use super::{
    Words, below, by_argv_or_guess, gone, in_its_directory, input, messages, only_file_since,
    visit_files,
};
use crate::agent::home::Data;
use crate::agent::messages::{ReadLine, Visit};
use crate::agent::program::GEMINI;
use crate::agent::rest::{Input, Screen};
use crate::agent::transcript::{self, START};
use crate::agent::{Agent, CommandLine, ConversationId, Description, Home};
use crate::agent::{Observation, Resumption, Saved};
use crate::process::Process;
use crate::sys::Dir;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// Gemini CLI.
#[derive(Debug)]
pub struct Gemini;

/// Maximum size of the file that names the directories, in bytes.
const MAX_PROJECTS: u64 = 4 << 20;
/// What Gemini itself puts into a user's mouth.
const OWN: &str = "<session_context>";

const WORDS: Words = Words {
    agent: GEMINI,
    tools: &["mcp", "extensions", "extension", "skills", "skill", "hooks", "hook", "gemma"],
    services: &[],
    one_shot: &[
        "--prompt",
        "--acp",
        "--experimental-acp",
        "--list-sessions",
        "--delete-session",
        "--list-extensions",
        "--version",
        "--help",
    ],
    ids: &["--session-id", "--resume", "-r"],
};

impl Agent for Gemini {
    fn name(&self) -> &'static str {
        GEMINI
    }

    fn command_line(&self, process: &Process) -> Option<CommandLine> {
        WORDS.command_line(process)
    }

    fn observe(&self, process: &Process, _: &[u8], home: &Home) -> Option<Observation> {
        let only_since = |started: u64, cwd: &Path| {
            let dir = chats(cwd, home)?;
            only_file_since(&dir, started, |name| conversation_in(&dir, name))
        };
        by_argv_or_guess(&WORDS, process, |id, cwd| is_prompted(id, Some(cwd), home), only_since)
    }

    fn is_prompted(&self, id: &ConversationId, cwd: &Path, home: &Home) -> bool {
        is_prompted(id, Some(cwd), home)
    }

    fn messages(&self) -> Option<ReadLine> {
        Some(messages::gemini)
    }

    fn visit_transcripts(&self, home: &Home, visit: &mut Visit<'_>) -> ControlFlow<()> {
        let id = |dir: &Dir, file: &OsStr| {
            beginning(file)?;
            conversation_in(dir, file)
        };
        visit_files(&all_chats(home), id, visit)
    }

    fn describe_file(&self, dir: &Dir, file: &str) -> Option<Description> {
        transcript::describe(dir, file, |_| None, title)
    }

    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description> {
        let (dir, file) = files(id, None, home).pop()?;
        self.describe_file(&dir, file.to_str()?)
    }

    fn input(&self, screen: &Screen) -> Input {
        input::gemini(screen)
    }

    fn resumption(&self, saved: &Saved<'_>, home: &Home) -> Resumption {
        if is_prompted(saved.id, Some(saved.cwd), home) {
            return in_its_directory("Gemini CLI", saved, home, Resumption::Resume);
        }
        match saved.prompted {
            // Neither resumes nor starts under an id that was never prompted.
            Some(false) => Resumption::StartAnew,
            _ => gone(saved),
        }
    }

    fn starts_alone(&self) -> bool {
        true
    }
}

/// The directory of the conversations that were started from `cwd`.
fn chats(cwd: &Path, home: &Home) -> Option<Rc<Dir>> {
    let data = home.data(Data::Gemini);
    let projects = home.dir(data)?.read("projects.json", MAX_PROJECTS).ok()?;
    let projects: Value = serde_json::from_slice(&projects).ok()?;
    let name = projects["projects"][home.resolved(cwd).to_str()?].as_str()?;
    let is_name = !name.is_empty() && !name.contains('/') && !name.starts_with('.');
    home.dir(data.join("tmp").join(name).join("chats")).filter(|_| is_name)
}

/// The directories of all conversations.
fn all_chats(home: &Home) -> Vec<Rc<Dir>> {
    let all = below(&home.data(Data::Gemini).join("tmp"), home);
    all.iter().filter_map(|dir| home.dir(dir.path().join("chats"))).collect()
}

/// The files of a conversation: a resume may have begun another one.
fn files(id: &ConversationId, cwd: Option<&Path>, home: &Home) -> Vec<(Rc<Dir>, OsString)> {
    let dirs = if let Some(dir) = cwd.and_then(|cwd| chats(cwd, home)) {
        vec![dir]
    } else {
        all_chats(home)
    };
    let mut found: Vec<(Rc<Dir>, OsString)> = Vec::new();
    for dir in dirs {
        let Some(names) = dir.names(super::MAX_LISTED).ok().flatten() else { continue };
        let is_it = |name: &OsString| {
            beginning(name).is_some_and(|eight| id.key().as_bytes().starts_with(eight))
                && conversation_in(&dir, name).as_ref() == Some(id)
        };
        found.extend(names.into_iter().filter(|name| is_it(name)).map(|name| (dir.clone(), name)));
    }
    found.sort_by(|one, other| one.1.cmp(&other.1));
    found
}

/// The first 8 characters of a conversation's id in the name of its file.
fn beginning(name: &OsStr) -> Option<&[u8]> {
    let name = name.as_bytes().strip_prefix(b"session-")?.strip_suffix(b".jsonl")?;
    name.get(name.len().checked_sub(8)?..)
}

/// The conversation that a file's first line names.
fn conversation_in(dir: &Dir, name: &OsStr) -> Option<ConversationId> {
    let eight = beginning(name)?.to_ascii_lowercase();
    let start = dir.read_start(name, START).ok()?;
    let first: Value = serde_json::from_slice(start.split(|&byte| byte == b'\n').next()?).ok()?;
    let id = ConversationId::parse(first["sessionId"].as_str()?.as_bytes())?;
    id.key().as_bytes().starts_with(&eight).then_some(id)
}

fn is_prompted(id: &ConversationId, cwd: Option<&Path>, home: &Home) -> bool {
    files(id, cwd, home).iter().any(|(dir, file)| {
        let start = dir.read_start(file, START).unwrap_or_default();
        let lines = start.split(|&byte| byte == b'\n');
        start.len() as u64 == START
            || lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok()).any(|line| {
                let set = line["$set"]["messages"].as_array().map(Vec::as_slice);
                std::iter::once(&line).chain(set.unwrap_or_default()).any(|it| said(it).is_some())
            })
    })
}

/// What the user said in a message.
fn said(message: &Value) -> Option<&str> {
    let content = &message["content"];
    let text = content.as_str().or_else(|| content[0]["text"].as_str())?;
    (message["type"] == "user" && !text.starts_with(OWN)).then_some(text)
}

fn title(line: &Value) -> Option<&str> {
    let set = line["$set"]["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    said(line).or_else(|| set.iter().find_map(said))
}
