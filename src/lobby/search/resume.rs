//! Going on with a past conversation in a new session.

use crate::error::Error;
use crate::list::Sessions;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use terminal_lobby::agent::{self, ConversationId, Home, Resumption, Saved};
use terminal_lobby::persist::sessions::Conversation;

/// How a conversation can be gone on with.
#[derive(Debug)]
pub struct Resumable {
    /// Where it belongs.
    pub directory: PathBuf,
    /// Arguments of the launcher.
    pub words: Vec<OsString>,
}

/// Finds out how; it blocks.
///
/// # Errors
/// If it is open in some process of the user's, or cannot be resumed.
pub fn resumable(
    sessions: &Sessions,
    agent: &str,
    id: &ConversationId,
) -> Result<Resumable, Error> {
    let agent = agent::by_name(agent.as_bytes()).ok_or(Error::Refused("there is no such agent"))?;
    let launcher = sessions
        .launcher()
        .ok_or(Error::Refused("start-claude is not installed beside this program"))?;
    let home = Home::new(sessions.home());
    let conversation = Conversation::past(agent.name(), id.clone());
    if conversation.is_some_and(|conversation| conversation.is_live(sessions.home())) {
        return Err(Error::Reported(
            "it is open in a terminal outside of these sessions".to_owned(),
        ));
    }
    let described =
        agent.describe(id, &home).ok_or(Error::Refused("there is no such conversation"))?;
    let cwd = described.cwd.unwrap_or_else(|| sessions.home().to_owned());
    let saved = Saved { id, cwd: &cwd, prompted: Some(true), parent: None, version: None };
    let mut words: Vec<OsString> = vec![
        launcher.into(),
        "--agent".into(),
        agent.name().into(),
        "--resume".into(),
        id.as_str().into(),
    ];
    match agent.resumption(&saved, &home) {
        Resumption::Resume => {}
        Resumption::ResumeTranscript(path) => words.extend(["--transcript".into(), path.into()]),
        Resumption::Impossible(why) => return Err(Error::Reported(why)),
        _ => return Err(Error::Reported("there is nothing in it to go on with".to_owned())),
    }
    Ok(Resumable { directory: existing(&cwd, sessions.home()), words })
}

/// The directory, or the home if it is gone.
fn existing(cwd: &Path, home: &Path) -> PathBuf {
    if cwd.is_dir() { cwd.to_owned() } else { home.to_owned() }
}
