//! Going on with past conversations.

use super::access::{self, Access};
use super::actions::checked_name;
use super::create::MAX_CREATIONS;
use super::create::of_directory;
use super::state::Agent;
use crate::error::Error;
use crate::list::name;
use crate::search::{Resumable, resumable};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use terminal_lobby::agent::ConversationId;
use tokio::time::Instant;

/// How long an agent may take to show what it runs.
const STARTING: Duration = Duration::from_mins(1);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Past {
    agent: String,
    id: String,
}

#[derive(Debug, Serialize)]
struct Opened {
    /// The birth id of the session.
    id: String,
}

/// Resumes a conversation in a new session; one that is in a session already is that session.
pub(super) async fn resume(
    State(agent): State<Agent>,
    Extension(access): Extension<Access>,
    Json(past): Json<Past>,
) -> Result<Response, Error> {
    if !access.is_own() {
        return Ok(access::not_own());
    }
    let id = ConversationId::parse(past.id.as_bytes());
    let id = id.ok_or(Error::Refused("that is not the id of a conversation"))?;
    let sessions = agent.sessions.clone();
    let mut resumed = agent.resumed.0.lock().await;
    sessions.refresh().await;
    let key = (past.agent.clone(), id.key().to_owned());
    if let Some((session, _)) = sessions.conversations().await.remove(&key) {
        return Ok(Json(Opened { id: session }).into_response());
    }
    resumed.retain(|(.., when)| when.elapsed() < STARTING);
    if let Some((_, session, _)) = resumed.iter().find(|(known, ..)| *known == key)
        && sessions.find(session).await.is_some()
    {
        return Ok(Json(Opened { id: session.clone() }).into_response());
    }
    if !agent.creations.may_begin() {
        return Err(Error::TooManyNew(MAX_CREATIONS));
    }
    let (of, name, wanted) = (sessions.clone(), past.agent, id.clone());
    let found = tokio::task::spawn_blocking(move || resumable(&of, &name, &wanted)).await??;
    let Resumable { directory, words } = found;
    let listing = sessions.newest().await;
    let is_taken = |name: &str| listing.views.iter().any(|view| view.name == name.as_bytes());
    let name = checked_name(&name::free(&of_directory(&directory), is_taken))?;
    let session = sessions.create(name, directory, words, &[]).await?;
    resumed.push((key, session.clone(), Instant::now()));
    Ok(Json(Opened { id: session }).into_response())
}
