//! Making a session.

mod creations;
mod spare;

pub(super) use creations::{Creations, MAX_CREATIONS, Resumed};
pub(super) use spare::routes;

use super::actions::checked_name;
use super::recent::{self, Used};
use super::state::Agent;
use crate::error::Error;
use crate::list::{Sessions, name};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use terminal_lobby::agent;
use terminal_lobby::persist::sessions::SessionView;

/// Maximum length of a first prompt, in bytes: tmux takes 16 kB of arguments at once.
const MAX_PROMPT: usize = 12 << 10;
/// Maximum length of a model's name.
const MAX_MODEL: usize = 100;
/// How often another name is tried if one is taken meanwhile.
const TRIES: usize = 5;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    /// Absolute, or below the home as `~/...`.
    directory: String,
    /// Without one, a shell.
    #[serde(default)]
    agent: Option<String>,
    /// Without one, the agent's own choice.
    #[serde(default)]
    model: Option<String>,
    /// Without one, by the prompt, else by the directory.
    #[serde(default)]
    name: Option<String>,
    /// What the agent gets first.
    #[serde(default)]
    prompt: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Created {
    id: String,
}

/// Makes a session.
pub(super) async fn create(
    State(agent): State<Agent>,
    Json(request): Json<Create>,
) -> Result<Json<Created>, Error> {
    if !agent.creations.may_begin() {
        return Err(Error::TooManyNew(MAX_CREATIONS));
    }
    let sessions = agent.sessions.clone();
    let directory = sessions.directory(&request.directory);
    let is_there =
        tokio::time::timeout(Duration::from_secs(2), tokio::fs::metadata(directory.clone()));
    if !is_there.await.is_ok_and(|meta| meta.is_ok_and(|meta| meta.is_dir())) {
        return Err(Error::Refused("there is no such directory"));
    }
    let words = pane(&sessions, &request, &directory)?;
    let kind = spare::kind(&request, &directory);
    let ready = match &kind {
        Some(kind) => agent.spares.take(kind).await,
        None => None,
    };
    let id = if let Some(view) = ready {
        of_ready(&agent, &request, &directory, &view).await?
    } else {
        let id = named(&agent, &request, &directory, &New::Started(words)).await?;
        if let Some(name) = &request.agent {
            sessions.starts(&id, name, request.prompt.as_deref());
        }
        id
    };
    if let Some(kind) = kind {
        spare::replace(&agent, &request, kind);
    }
    let used = Used {
        directory: request.directory,
        agent: request.agent.unwrap_or_default(),
        model: request.model.unwrap_or_default(),
    };
    recent::note(agent.kept, used);
    Ok(Json(Created { id }))
}

/// Makes it of a session whose agent waits for its first prompt.
async fn of_ready(
    agent: &Agent,
    request: &Create,
    directory: &Path,
    view: &SessionView,
) -> Result<String, Error> {
    if let Some(prompt) = request.prompt.as_ref().filter(|prompt| !prompt.trim().is_empty()) {
        // It is given as soon as the session is the person's, whatever happens to this process.
        agent.held.hold(view, prompt.clone()).await?;
    }
    let made = named(agent, request, directory, &New::Ready(view)).await;
    if made.is_err() {
        // It stays with the person who asked.
        let _ = agent.held.take_back(view.birth_id.clone()).await;
        agent.spares.end(view).await;
    }
    made
}

/// What the session is made of.
enum New<'a> {
    /// What runs in its pane.
    Started(Vec<OsString>),
    /// A session that is there already.
    Ready(&'a SessionView),
}

impl New<'_> {
    async fn make(&self, agent: &Agent, name: OsString, at: &Path) -> Result<String, Error> {
        match self {
            Self::Started(words) => {
                agent.sessions.create(name, at.to_owned(), words.clone(), &[]).await
            }
            Self::Ready(view) => {
                agent.spares.give(view, Some(name)).await?;
                Ok(view.birth_id.clone())
            }
        }
    }
}

/// Makes it, under a name that no other has: what is gone keeps its name for its return.
async fn named(
    agent: &Agent,
    request: &Create,
    directory: &Path,
    new: &New<'_>,
) -> Result<String, Error> {
    if let Some(name) = &request.name {
        return new.make(agent, checked_name(name)?, directory).await;
    }
    let base = request.prompt.as_deref().and_then(name::of_prompt);
    let base = base.unwrap_or_else(|| of_directory(directory));
    let mut listing = agent.sessions.newest().await;
    for _ in 1..TRIES {
        let is_taken = |name: &str| listing.views.iter().any(|view| view.name == name.as_bytes());
        let name = name::free(&base, is_taken);
        match new.make(agent, checked_name(&name)?, directory).await {
            // One that came since the list was made.
            Err(error) if error.to_string().contains("duplicate session") => {
                listing = agent.sessions.refresh().await;
            }
            made => return made,
        }
    }
    Err(Error::Refused("there is always a session of that name"))
}

/// The name of a session by its directory.
pub(super) fn of_directory(directory: &Path) -> String {
    let last = directory.file_name().map(|name| name.to_string_lossy().into_owned());
    let base: String = last.unwrap_or_default().chars().take(40).collect();
    if checked_name(&base).is_ok() { base } else { "session".to_owned() }
}

/// What runs in the new pane; nothing for a shell.
fn pane(sessions: &Sessions, request: &Create, directory: &Path) -> Result<Vec<OsString>, Error> {
    let Some(name) = &request.agent else { return Ok(Vec::new()) };
    let agent = agent::by_name(name.as_bytes()).ok_or(Error::Refused("there is no such agent"))?;
    let launcher = sessions
        .launcher()
        .ok_or(Error::Refused("start-claude is not installed beside this program"))?;
    let mut words: Vec<OsString> = vec![launcher.into(), "--agent".into(), agent.name().into()];
    // Without it, it begins where the clones are.
    words.extend(["--code-dir".into(), directory.into()]);
    if let Some(prompt) = &request.prompt {
        if prompt.len() > MAX_PROMPT || prompt.contains('\0') {
            return Err(Error::Refused("the first prompt is too long"));
        }
        // The launcher takes nothing for a message that an agent could take for an option.
        let sign = if prompt.starts_with('-') { " " } else { "" };
        words.extend(["--message".into(), format!("{sign}{prompt}").into()]);
    }
    if let Some(model) = request.model.as_ref().filter(|model| !model.is_empty()) {
        if !is_model(model) {
            return Err(Error::Refused("that is no name of a model"));
        }
        words.extend(["--", "--model", model].map(OsString::from));
    }
    Ok(words)
}

fn is_model(name: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@[]".contains(&byte);
    name.len() <= MAX_MODEL && !name.starts_with('-') && name.bytes().all(is_fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_model_is_an_option() {
        for name in ["opus", "claude-sonnet-4-5[1m]", "openai/gpt-5:high"] {
            assert!(is_model(name), "{name}");
        }
        for name in ["-x", "--help", "a b", "a;b", "a\u{e9}", &"x".repeat(101)] {
            assert!(!is_model(name), "{name}");
        }
    }
}
