//! Files of sessions: what only their user does.

use super::access;
use super::state::Agent;
use super::until::Until;
use crate::files::{self, Fetch, FilesError, List};
use crate::protocol::files::MAX_PART;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};

/// Size of a connection's read buffer, in bytes.
const READ_BUFFER: usize = 16 << 10;

pub(super) fn routes() -> Router<Agent> {
    Router::new()
        .route("/api/files/upload", get(upload))
        .route("/api/files/list", post(list))
        .route("/api/files/open", post(open))
        .route("/api/files/fetched/{word}", get(fetch))
        .layer(from_fn(access::only_own))
}

async fn upload(
    State(agent): State<Agent>,
    until: Option<Extension<Until>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.max_message_size(MAX_PART).max_frame_size(MAX_PART);
    upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(0).on_upgrade(async move |socket| {
        let serving = files::serve(socket, agent.files, agent.sessions);
        Until::limit(until, Box::pin(serving)).await;
    })
}

async fn list(
    State(agent): State<Agent>,
    Json(wanted): Json<List>,
) -> Result<Response, FilesError> {
    agent.files.list(&agent.sessions, wanted).await
}

async fn open(
    State(agent): State<Agent>,
    Json(wanted): Json<Fetch>,
) -> Result<Response, FilesError> {
    agent.files.open(&agent.sessions, wanted).await
}

async fn fetch(State(agent): State<Agent>, Path(word): Path<String>) -> Response {
    agent.files.fetch(&word)
}
