//! Giving a prompt to a session's agent, and seeing in its transcript that it has it.

use super::guests::Guest;
use super::state::Agent;
use crate::error::Error;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use terminal_lobby::agent::messages::{Content, Transcript};
use terminal_lobby::persist::sessions::{Need, SessionView};
use tokio::time::{Instant, sleep};

/// How long the agent may take to write down what it was given.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// How often that is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prompt {
    text: String,
    /// Whether it is held if the agent takes none now.
    #[serde(default)]
    hold: bool,
}

/// What became of a prompt.
#[derive(Debug, Serialize)]
pub(super) struct Prompted {
    /// Whether the agent was seen to have it; otherwise its terminal shows what became of it.
    taken: bool,
    /// Whether it is given later.
    held: bool,
}

/// Gives a prompt to the agent of a session, if that waits for one.
pub(super) async fn prompt(
    State(agent): State<Agent>,
    Path(id): Path<String>,
    guest: Option<Extension<Guest>>,
    Json(Prompt { text, hold }): Json<Prompt>,
) -> Result<Json<Prompted>, Error> {
    let sessions = agent.sessions;
    sessions.refresh().await;
    let view = sessions.find(&id).await.ok_or(Error::NoSession)?;
    // A guest's would be given even if nothing is shared any more.
    if hold && guest.is_none() && matches!(view.need, Need::Working | Need::Waiting) {
        agent.held.hold(&view, text).await?;
        return Ok(Json(Prompted { taken: false, held: true }));
    }
    let before = transcript(&view, sessions.home()).await;
    let wanted = words(&sessions.prompt(view.clone(), text).await?);
    let end = Instant::now() + TAKEN_WITHIN;
    while Instant::now() < end {
        let taken = match &before {
            Some((transcript, size)) => has_prompt(transcript, *size, &wanted).await,
            // Its first: there was no transcript.
            None => match transcript(&view, sessions.home()).await {
                Some((transcript, _)) => has_prompt(&transcript, 0, &wanted).await,
                None => false,
            },
        };
        if taken || is_working(sessions.find(&id).await.as_ref()) {
            return Ok(Json(Prompted { taken: true, held: false }));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(Json(Prompted { taken: false, held: false }))
}

/// A prompt that is held no longer.
#[derive(Debug, Serialize)]
pub(super) struct TakenBack {
    text: String,
}

/// Takes back the prompt that is held for a session.
pub(super) async fn take_back(
    State(agent): State<Agent>,
    Path(id): Path<String>,
) -> Result<Json<TakenBack>, Error> {
    Ok(Json(TakenBack { text: agent.held.take_back(id).await? }))
}

fn is_working(view: Option<&SessionView>) -> bool {
    view.is_some_and(|view| view.need == Need::Working)
}

async fn transcript(view: &SessionView, home: &std::path::Path) -> Option<(Arc<Transcript>, u64)> {
    let (conversation, home) = (view.conversation.clone()?, home.to_owned());
    let open = move || {
        let (_, transcript) = conversation.transcript(&home).ok()??;
        let end = transcript.before(u64::MAX, 0).ok()?.end;
        Some((Arc::new(transcript), end))
    };
    tokio::task::spawn_blocking(open).await.ok()?
}

/// Whether the transcript has it after a place. Files may hang, so not in the thread that serves all.
async fn has_prompt(transcript: &Arc<Transcript>, after: u64, wanted: &[String]) -> bool {
    let transcript = Arc::clone(transcript);
    let page = tokio::task::spawn_blocking(move || transcript.after(after)).await;
    let page = page.ok().and_then(Result::ok).unwrap_or_default();
    page.messages.iter().any(|message| match &message.content {
        Content::Prompt { text, .. } => words(text) == wanted,
        _ => false,
    })
}

/// What is compared: agents change spaces and ends of lines.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
