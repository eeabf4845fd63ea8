//! Of a home, the agents' configuration: what is there, and work on it, as the user.

use super::files::{self, There};
use crate::provision::edit::marked_block::{self, Found};
use crate::provision::state::digest;
use crate::sys::Dir;
use crate::sys::fs::Existing;
use serde::{Deserialize, Serialize};

/// Where Codex reads what it is always told.
const CODEX: &str = ".codex";
const INSTRUCTIONS: &str = "AGENTS.md";
/// Where Claude Code keeps the login of its user.
const CLAUDE: &str = ".claude";
const CREDENTIALS: &str = ".credentials.json";
/// Agents and editors write it, too: what changed under our hands is read again, so often.
const TRIES: u32 = 5;
/// No file of instructions is larger (bytes).
const MAX_INSTRUCTIONS: u64 = 1 << 20;

/// What to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// `~/.codex/AGENTS.md`.
    pub instructions: bool,
    /// Whether the user has logged in.
    pub login: bool,
}

/// What is there; a part that was not asked for is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The managed text in `~/.codex/AGENTS.md`.
    pub instructions: Option<Instructions>,
    /// The user's own login.
    pub login: Option<Login>,
}

/// The managed text of a user's instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Instructions {
    /// There is no file.
    Absent,
    /// A file of the user's, without managed text.
    Without,
    /// The hash of the managed text.
    Holds(String),
    /// It is left alone: why.
    Unfit(String),
}

/// Whether the user has a login of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Login {
    /// None.
    Absent,
    /// Something is where the agent keeps it.
    There,
    /// It cannot be told: why.
    Unknown(String),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// Puts managed text into `~/.codex/AGENTS.md`.
    Instructions {
        /// The text.
        text: String,
        /// The hash of the managed text that was seen there: another one is a person's.
        before: Option<String>,
    },
}

/// Looks, as the user.
pub(super) fn look(look: &Look) -> Facts {
    let home = files::home();
    Facts {
        instructions: look.instructions.then(|| instructions(home.as_ref())),
        login: look.login.then(|| login(home.as_ref())),
    }
}

fn instructions(home: Result<&Dir, &String>) -> Instructions {
    let there = match home.map_err(Clone::clone).and_then(|home| files::dir(home, CODEX)) {
        Ok(Some(dir)) => files::read(&dir, INSTRUCTIONS, MAX_INSTRUCTIONS),
        Ok(None) => There::Nothing,
        Err(why) => There::Unfit(why),
    };
    match there {
        There::Nothing => Instructions::Absent,
        There::Unfit(why) => Instructions::Unfit(why),
        There::File(bytes) => match marked_block::find(&bytes) {
            Ok(Found::Nothing) => Instructions::Without,
            Ok(Found::Text(text)) => Instructions::Holds(digest::of(text)),
            Err(why) => Instructions::Unfit(format!("~/{CODEX}/{INSTRUCTIONS}: {why}")),
        },
    }
}

fn login(home: Result<&Dir, &String>) -> Login {
    let there = home.map_err(Clone::clone).and_then(|home| {
        files::dir(home, CLAUDE)?.map_or(Ok(false), |dir| files::is_there(&dir, CREDENTIALS))
    });
    match there {
        Ok(true) => Login::There,
        Ok(false) => Login::Absent,
        Err(why) => Login::Unknown(why),
    }
}

/// Works, as the user.
pub(super) fn perform(work: &Work) -> Result<Vec<String>, String> {
    let Work::Instructions { text, before } = work;
    let home = files::home()?;
    let dir = files::ensure_dir(&home, CODEX)?;
    for _ in 0..TRIES {
        let old = contents(&dir)?;
        let failed = |why: String| format!("{}: {why}", dir.path().join(INSTRUCTIONS).display());
        let found = marked_block::find(old.as_deref().unwrap_or_default()).map_err(failed)?;
        let managed = match found {
            Found::Nothing => None,
            Found::Text(found) if found == text.as_bytes() => {
                return Ok(vec![format!("~/{CODEX}/{INSTRUCTIONS} holds the text already")]);
            }
            Found::Text(found) => Some(digest::of(found)),
        };
        if managed != *before {
            return Err(failed("its managed text has changed meanwhile: left alone".to_owned()));
        }
        let new = marked_block::set(old.as_deref(), text.as_bytes()).map_err(failed)?;
        let mode = dir.stat(INSTRUCTIONS).map_err(|error| error.to_string())?;
        let mode = mode.map_or(0o600, |stat| stat.st_mode & 0o777);
        if contents(&dir)? != old {
            continue;
        }
        let existing = if old.is_some() { Existing::Replaced } else { Existing::Kept };
        dir.write_as(INSTRUCTIONS, &new, existing, mode).map_err(|error| error.to_string())?;
        return Ok(vec![format!("~/{CODEX}/{INSTRUCTIONS} written")]);
    }
    Err(format!("{}: it changes all the time", dir.path().join(INSTRUCTIONS).display()))
}

fn contents(dir: &Dir) -> Result<Option<Vec<u8>>, String> {
    match files::read(dir, INSTRUCTIONS, MAX_INSTRUCTIONS) {
        There::Nothing => Ok(None),
        There::File(bytes) => Ok(Some(bytes)),
        There::Unfit(why) => Err(why),
    }
}
