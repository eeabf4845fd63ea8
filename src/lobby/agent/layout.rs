//! The layout, as pages ask for it and change it.

use super::state::Agent;
use crate::error::Error;
use crate::layout::{ChangeError, Known, Shown};
use crate::protocol::layout::{Change, Layout};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use terminal_lobby::sys::clock;

const DAY: u64 = 24 * 60 * 60;

/// What a page wants to be changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// What the page showed.
    version: u64,
    change: Change,
}

/// The layout.
pub(super) async fn read(State(agent): State<Agent>) -> Result<Json<Arc<Layout>>, Error> {
    match agent.layouts.read().await {
        Shown::Known(layout) => Ok(Json(layout)),
        Shown::Problem(problem) => Err(Error::Reported(problem)),
    }
}

/// Makes one change; answers with the layout after it, or, with 409, with what it is instead.
pub(super) async fn change(
    State(agent): State<Agent>,
    Json(Wanted { version, change }): Json<Wanted>,
) -> Response {
    let listing = agent.sessions.newest().await;
    let ids = listing.sessions.iter().map(|session| session.id.clone());
    let known = Known {
        sessions: ids.filter(|id| !id.is_empty()).collect(),
        today: clock::now() / DAY,
        kept_days: agent.kept_days,
    };
    match agent.layouts.change(version, change, known).await {
        Ok(layout) => Json(layout).into_response(),
        Err(ChangeError::Stale(layout)) => (StatusCode::CONFLICT, Json(layout)).into_response(),
        Err(ChangeError::Refused(refused)) => {
            let said = serde_json::json!({ "error": refused.to_string() });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(said)).into_response()
        }
        Err(ChangeError::Other(error)) => error.into_response(),
    }
}
