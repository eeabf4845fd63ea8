//! New sessions with agents that were started before they were asked for.

use super::super::access;
use super::super::state::Agent;
use super::{Create, pane};
use crate::error::Error;
use crate::spares::Kind;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The routes: for the user alone.
pub(in crate::agent) fn routes() -> Router<Agent> {
    Router::new().route("/api/spares", get(wanted).post(want)).layer(from_fn(access::only_own))
}

/// How many are wanted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    count: usize,
}

async fn wanted(State(agent): State<Agent>) -> Result<Json<Wanted>, Error> {
    Ok(Json(Wanted { count: agent.spares.wanted().await? }))
}

async fn want(
    State(agent): State<Agent>,
    Json(request): Json<Wanted>,
) -> Result<StatusCode, Error> {
    agent.spares.set_wanted(request.count).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the agent of a request is; `None` for a shell.
pub(super) fn kind(request: &Create, directory: &Path) -> Option<Kind> {
    Some(Kind {
        agent: request.agent.clone()?,
        model: request.model.clone().unwrap_or_default(),
        directory: directory.to_owned(),
    })
}

/// Has another one started, for the next session of that kind.
pub(super) fn replace(agent: &Agent, request: &Create, kind: Kind) {
    let without_prompt = Create { prompt: None, name: None, ..request.clone() };
    if let Ok(words) = pane(&agent.sessions, &without_prompt, &kind.directory) {
        agent.spares.want(kind, words);
    }
}
