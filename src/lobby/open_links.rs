//! Links to conversations at `lobby open`: who has one needs no login, as only this machine reaches the lobby.

use crate::agent::{Access, Agent, router};
use crate::auth::{Attempts, Tickets};
use crate::share::hash;
use axum::extract::{DefaultBodyLimit, MatchedPath, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use std::sync::Arc;
use terminal_lobby::sys::fs::random_hex;
use tower::Service;

/// Maximum size of what is sent, in bytes.
const MAX_BODY: usize = 1 << 10;
/// Wrong secrets in a minute.
const FAILURES: u32 = 120;
/// By this cookie a browser counts as one viewer of a link.
const VIEWER: &str = "lobby-viewer";

/// What links need.
#[derive(Debug, Clone)]
struct Links {
    agent: Agent,
    failures: Arc<Attempts>,
    /// Each for a link's hash and a viewer.
    tickets: Arc<Tickets<(String, String)>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    link: String,
}

/// The routes of those who have a link.
pub(crate) fn routes(agent: Agent) -> Router {
    let links = Links { agent, failures: Arc::default(), tickets: Arc::default() };
    Router::new()
        .route("/api/link", post(open).layer(DefaultBodyLimit::max(MAX_BODY)))
        .route("/api/link/{ticket}", get(read))
        .with_state(links)
}

async fn open(
    State(links): State<Links>,
    headers: HeaderMap,
    Json(Open { link }): Json<Open>,
) -> Response {
    let hash = hash(&link);
    let all = links.agent.shares.all().await.unwrap_or_default().1;
    if !all.iter().any(|known| known.hash == hash) {
        let may = links.failures.one_more(FAILURES);
        let status = if may { StatusCode::NOT_FOUND } else { StatusCode::TOO_MANY_REQUESTS };
        return failed(status, "this link leads to nothing, or not any more");
    }
    let (browser, is_new) = match viewer_of(&headers) {
        Some(browser) => (browser, false),
        None => (random_hex(), true),
    };
    let viewer = format!("browser:{}", &crate::share::hash(&browser)[..32]);
    let Some(ticket) = links.tickets.give((hash, viewer)) else {
        return failed(StatusCode::TOO_MANY_REQUESTS, "too many tickets; try again in a minute");
    };
    let answer = Json(serde_json::json!({ "ticket": ticket }));
    if !is_new {
        return answer.into_response();
    }
    let cookie =
        format!("{VIEWER}={browser}; Path=/api/link; HttpOnly; SameSite=Strict; Max-Age=7776000");
    ([(header::SET_COOKIE, cookie)], answer).into_response()
}

/// The conversation, as the agent shows it to one who has a link.
async fn read(
    State(links): State<Links>,
    Path(ticket): Path<String>,
    mut request: Request,
) -> Response {
    let Some((hash, viewer)) = links.tickets.take(&ticket) else {
        return failed(StatusCode::NOT_FOUND, "this link leads to nothing, or not any more");
    };
    *request.uri_mut() = Uri::from_static("/api/conversation");
    request.extensions_mut().remove::<MatchedPath>();
    request.extensions_mut().insert(Access::by_link(hash, viewer));
    match router(links.agent).call(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

fn failed(status: StatusCode, error: &str) -> Response {
    (status, Json(serde_json::json!({ "error": error }))).into_response()
}

fn viewer_of(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let is_ours = |value: &str| value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
    pairs.find(|(name, value)| *name == VIEWER && is_ours(value)).map(|(_, value)| value.to_owned())
}
