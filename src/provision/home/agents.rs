//! The agents' configuration in the caller's home.

use super::HomeError;
use super::files::{self, FileState};
use crate::provision::edit::marked_block::{MARKDOWN, ManagedText};
use crate::provision::protocol::agents::{CODEX_LOGIN_FILE, INSTRUCTIONS_FILE};
use crate::provision::protocol::{
    AgentsFacts, AgentsQuery, AgentsTask, CodexLogin, Instructions, Login,
};
use crate::provision::state::digest;
use crate::sys::Dir;
use crate::sys::fs::Existing;
use std::ffi::OsStr;

const CODEX: &str = ".codex";
/// The name in [`CODEX`] of [`INSTRUCTIONS_FILE`].
const INSTRUCTIONS: &str = "AGENTS.md";
/// The name in [`CODEX`] of [`CODEX_LOGIN_FILE`].
const CODEX_LOGIN: &str = "auth.json";
const CLAUDE: &str = ".claude";
/// Where Claude Code keeps its user's login, in [`CLAUDE`].
const CREDENTIALS: &str = ".credentials.json";
/// How often the file is read again if an agent or an editor writes it at the same time.
const MAX_TRIES: u32 = 5;
/// Maximum size of a file of instructions, in bytes.
const MAX_INSTRUCTIONS: u64 = 1 << 20;

pub(super) fn inspect(query: &AgentsQuery) -> AgentsFacts {
    AgentsFacts {
        instructions: query.instructions.then(instructions),
        login: query.login.then(login),
        codex_login: query.codex_login.then(codex_login),
    }
}

fn instructions() -> Instructions {
    let state = match files::open_home().and_then(|home| files::dir(&home, CODEX)) {
        Ok(Some(dir)) => files::read(&dir, INSTRUCTIONS, MAX_INSTRUCTIONS),
        Ok(None) => FileState::Absent,
        Err(error) => FileState::Unusable(error),
    };
    match state {
        FileState::Absent => Instructions::NoFile,
        FileState::Unusable(error) => Instructions::Unusable(error.to_string()),
        FileState::Content(bytes) => match MARKDOWN.find(&bytes) {
            Ok(ManagedText::Absent) => Instructions::Unmanaged,
            Ok(ManagedText::Present(text)) => Instructions::Managed(digest::of(text)),
            Err(error) => Instructions::Unusable(format!("~/{INSTRUCTIONS_FILE}: {error}")),
        },
    }
}

fn login() -> Login {
    let exists = files::open_home().and_then(|home| {
        files::dir(&home, CLAUDE)?.map_or(Ok(false), |dir| files::exists(&dir, CREDENTIALS))
    });
    match exists {
        Ok(true) => Login::Present,
        Ok(false) => Login::Absent,
        Err(error) => Login::Unknown(error.to_string()),
    }
}

fn codex_login() -> CodexLogin {
    let exists = files::open_home().and_then(|home| {
        files::dir(&home, CODEX)?.map_or(Ok(false), |dir| files::exists(&dir, CODEX_LOGIN))
    });
    match exists {
        Ok(true) => CodexLogin::Present,
        Ok(false) => CodexLogin::Absent,
        Err(error) => CodexLogin::Unusable(error.to_string()),
    }
}

pub(super) fn perform(task: &AgentsTask) -> Result<Vec<String>, HomeError> {
    match task {
        AgentsTask::Instructions { text, before } => write_instructions(text, before.as_ref()),
        AgentsTask::CodexLogin { target } => {
            let dir = files::ensure_dir(&files::open_home()?, CODEX)?;
            dir.ensure_link(CODEX_LOGIN, OsStr::new(target))?;
            let made = dir.link_target(CODEX_LOGIN)?.is_some_and(|found| found == **target);
            let how = if made { "linked" } else { "something else is there: left as it is" };
            Ok(vec![format!("~/{CODEX_LOGIN_FILE}: {how}")])
        }
    }
}

fn write_instructions(text: &str, before: Option<&String>) -> Result<Vec<String>, HomeError> {
    let home = files::open_home()?;
    let dir = files::ensure_dir(&home, CODEX)?;
    let path = format!("~/{INSTRUCTIONS_FILE}");
    for _ in 0..MAX_TRIES {
        let old = content(&dir)?;
        let managed = match MARKDOWN.find(old.as_deref().unwrap_or_default()) {
            Ok(ManagedText::Absent) => None,
            Ok(ManagedText::Present(found)) if found == text.as_bytes() => {
                return Ok(vec![format!("{path} is up to date already")]);
            }
            Ok(ManagedText::Present(found)) => Some(digest::of(found)),
            Err(error) => return Err(HomeError::unusable(path, error)),
        };
        if managed.as_ref() != before {
            let problem = "its managed text changed since it was inspected: left as it is";
            return Err(HomeError::unusable(path, problem));
        }
        let new = MARKDOWN
            .set(old.as_deref(), text.as_bytes())
            .map_err(|error| HomeError::unusable(path.as_str(), error))?;
        let mode = dir.stat(INSTRUCTIONS)?.map_or(0o600, |stat| stat.st_mode & 0o777);
        if content(&dir)? != old {
            continue;
        }
        let existing = if old.is_some() { Existing::Replaced } else { Existing::Kept };
        dir.write_as(INSTRUCTIONS, &new, existing, mode)?;
        return Ok(vec![format!("{path} written")]);
    }
    Err(HomeError::unusable(path, "it keeps changing; nothing was written"))
}

fn content(dir: &Dir) -> Result<Option<Vec<u8>>, HomeError> {
    match files::read(dir, INSTRUCTIONS, MAX_INSTRUCTIONS) {
        FileState::Absent => Ok(None),
        FileState::Content(bytes) => Ok(Some(bytes)),
        FileState::Unusable(error) => Err(error),
    }
}
