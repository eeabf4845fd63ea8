//! What a person is notified of, and what happened while they were away. It is for the user alone, not for those who look.

use super::access;
use super::state::Agent;
use crate::attention::{Away, NewDevice, ShownDevice};
use crate::auth::device::device;
use crate::error::Error;
use crate::protocol::attention::is_id;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use terminal_lobby::sys::clock::Epoch;

/// The routes.
pub(super) fn routes() -> Router<Agent> {
    Router::new()
        .route("/api/mute", post(mute))
        .route("/api/away", get(away))
        .route("/api/away/seen", post(seen))
        .route("/api/push", get(devices))
        .route("/api/push/key", post(key))
        .route("/api/push/subscribe", post(subscribe))
        .route("/api/push/test", post(test))
        .route("/api/push/{id}/remove", post(remove))
        .layer(from_fn(access::only_own))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mute {
    /// All, if it names none.
    session: Option<String>,
    muted: bool,
}

async fn mute(State(agent): State<Agent>, Json(request): Json<Mute>) -> Result<StatusCode, Error> {
    if !request.session.as_deref().is_none_or(is_id) {
        return Err(Error::NoSession);
    }
    agent.attention.mute(request.session, request.muted).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn away(State(agent): State<Agent>) -> Result<Json<Away>, Error> {
    Ok(Json(agent.attention.away(&agent.sessions).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// In seconds since the epoch.
    until: Epoch,
}

async fn seen(State(agent): State<Agent>, Json(request): Json<Seen>) -> Result<StatusCode, Error> {
    agent.attention.see(request.until).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn devices(State(agent): State<Agent>) -> Result<Json<Vec<ShownDevice>>, Error> {
    Ok(Json(agent.attention.devices().await?))
}

async fn key(State(agent): State<Agent>) -> Result<Json<Value>, Error> {
    Ok(Json(json!({ "key": agent.attention.key().await? })))
}

async fn subscribe(
    State(agent): State<Agent>,
    headers: HeaderMap,
    Json(request): Json<NewDevice>,
) -> Result<Json<Value>, Error> {
    let id = agent.attention.add(request, device(&headers)).await?;
    Ok(Json(json!({ "id": id })))
}

async fn remove(State(agent): State<Agent>, Path(id): Path<String>) -> Result<StatusCode, Error> {
    let was_there = agent.attention.remove(id).await?;
    Ok(if was_there { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND })
}

#[derive(Debug, Serialize)]
struct Tested {
    /// How many browsers were reached.
    taken: usize,
    /// Why others were not.
    failed: Vec<String>,
}

async fn test(State(agent): State<Agent>) -> Result<Json<Tested>, Error> {
    let (taken, failed) = agent.attention.test().await?;
    Ok(Json(Tested { taken, failed }))
}
