//! pi, measured on 0.73.1: one node process that calls itself `pi` and so loses its arguments: only the stamp
//! of our extension says which conversation it runs, or the only file that was written since it started. A
//! conversation is a file `--<directory>--/<time>_<uuid>.jsonl` from its first prompt on.

use super::{
    Words, below, by_argv_or_guess, gone, in_its_directory, input, messages, only_file_since,
    visit_files,
};
use crate::agent::home::Data;
use crate::agent::messages::{ReadLine, Visit};
use crate::agent::program::PI;
use crate::agent::rest::{Input, Screen};
use crate::agent::transcript;
use crate::agent::{Agent, CommandLine, ConversationId, Description, Home};
use crate::agent::{Observation, Resumption, Saved};
use crate::process::Process;
use crate::sys::Dir;
use serde_json::Value;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// pi.
#[derive(Debug)]
pub struct Pi;

const WORDS: Words = Words {
    agent: PI,
    tools: &["install", "remove", "uninstall", "update", "list", "config"],
    services: &[],
    one_shot: &["--print", "--mode", "--export", "--list-models"],
    ids: &["--session"],
};

impl Agent for Pi {
    fn name(&self) -> &'static str {
        PI
    }

    fn command_line(&self, process: &Process) -> Option<CommandLine> {
        WORDS.command_line(process)
    }

    fn observe(&self, process: &Process, _: &[u8], home: &Home) -> Option<Observation> {
        let only_since = |started: u64, cwd: &Path| {
            let cwd = home.resolved(cwd);
            let dir = home.dir(home.data(Data::Pi).join(project(&cwd)));
            let dir = dir.or_else(|| home.dir(home.data(Data::Pi)))?;
            only_file_since(&dir, started, conversation_of)
        };
        by_argv_or_guess(&WORDS, process, |id, _| find(id, home).is_some(), only_since)
    }

    fn is_prompted(&self, id: &ConversationId, _: &Path, home: &Home) -> bool {
        find(id, home).is_some()
    }

    fn messages(&self) -> Option<ReadLine> {
        Some(messages::pi)
    }

    fn visit_transcripts(&self, home: &Home, visit: &mut Visit<'_>) -> ControlFlow<()> {
        visit_files(&dirs(home), |_, file| conversation_of(file), visit)
    }

    fn describe_file(&self, dir: &Dir, file: &str) -> Option<Description> {
        transcript::describe(dir, file, |line| line["cwd"].as_str(), title)
    }

    fn describe(&self, id: &ConversationId, home: &Home) -> Option<Description> {
        let (dir, file) = find(id, home)?;
        self.describe_file(&dir, &file)
    }

    fn input(&self, screen: &Screen) -> Input {
        input::pi(screen)
    }

    /// From another directory it asks whether to fork.
    fn resumption(&self, saved: &Saved<'_>, home: &Home) -> Resumption {
        if find(saved.id, home).is_some() {
            return in_its_directory("pi", saved, home, Resumption::Resume);
        }
        match saved.prompted {
            Some(false) => Resumption::StartAnew,
            _ => gone(saved),
        }
    }
}

/// The directory of the conversations of a directory: its path without the first `/`, every other one as
/// `-`.
fn project(cwd: &Path) -> String {
    let path = cwd.to_string_lossy();
    format!("--{}--", path.trim_start_matches('/').replace(['/', '\\', ':'], "-"))
}

fn conversation_of(file: &OsStr) -> Option<ConversationId> {
    let name = file.as_bytes().strip_suffix(b".jsonl")?;
    let at = memchr::memrchr(b'_', name)?;
    ConversationId::parse(&name[at + 1..])
}

/// The directories of conversations: one for each directory, or one for all beside those.
fn dirs(home: &Home) -> Vec<Rc<Dir>> {
    let sessions = home.data(Data::Pi);
    let mut dirs = below(sessions, home);
    dirs.extend(home.dir(sessions));
    dirs
}

/// The file of a conversation.
fn find(id: &ConversationId, home: &Home) -> Option<(Rc<Dir>, String)> {
    dirs(home).into_iter().find_map(|dir| {
        let names = dir.names(super::MAX_LISTED).ok()??;
        let file = names.iter().find(|name| conversation_of(name).as_ref() == Some(id))?;
        Some((dir.clone(), file.to_str()?.to_owned()))
    })
}

fn title(line: &Value) -> Option<&str> {
    let message = &line["message"];
    let is_user = message["role"] == "user";
    is_user
        .then(|| message["content"][0]["text"].as_str().or(message["content"].as_str()))
        .flatten()
}
