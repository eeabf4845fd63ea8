//! What can be asked of one user's lobby.

use super::access::{self, Access};
use super::actions;
use super::attention;
use super::create;
use super::events;
use super::files;
use super::guests::{self, Guest};
use super::layout;
use super::past;
use super::prompt;
use super::recent;
use super::restore;
use super::sharing;
use super::state::Agent;
use super::suspend;
use super::until::Until;
use crate::conversation;
use crate::protocol::terminal::MAX_MESSAGE;
use crate::search as searching;
use crate::terminal;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};

/// Size of a connection's read buffer, in bytes: 200 views are to cost little.
const READ_BUFFER: usize = 4 << 10;
/// Most bytes that are queued for a page before the terminal is no longer read.
const WRITE_BUFFER: usize = 64 << 10;

/// The routes, all below `/api`. Who asks, and from where, was checked before, and is said by an
/// extension, [`Access`]: without one nothing is answered. With whom a session is shared reaches only the routes that
/// `guests::SHARED` names.
pub fn router(agent: Agent) -> Router {
    Router::new()
        .route("/api/events", get(follow))
        .route("/api/terminal", get(view))
        .route("/api/conversation", get(read))
        .route("/api/search", get(search))
        .route("/api/conversations/resume", post(past::resume))
        .route("/api/sessions", post(create::create))
        .route("/api/sessions/{id}/rename", post(actions::rename))
        .route("/api/sessions/{id}/end", post(actions::end))
        .route("/api/sessions/{id}/keep", post(actions::keep))
        .route("/api/agents", get(actions::agents))
        .route("/api/recent", get(recent::recent))
        .route("/api/layout", get(layout::read).post(layout::change))
        .route("/api/restore/plan", post(restore::plan))
        .route("/api/restore", post(restore::restore))
        .route("/api/snapshots", get(restore::list))
        .route("/api/snapshots/{id}", get(restore::one))
        .route("/api/past", get(restore::past))
        .route("/api/past/session", get(restore::history))
        .route("/api/sessions/{id}/suspend", post(suspend::suspend))
        .route("/api/sessions/{id}/resume", post(suspend::resume))
        .route("/api/sessions/{id}/prompt", post(prompt::prompt))
        .route("/api/sessions/{id}/take-back", post(prompt::take_back))
        .merge(create::routes())
        .merge(attention::routes())
        .merge(files::routes())
        .merge(sharing::routes())
        .layer(DefaultBodyLimit::max(MAX_MESSAGE))
        .layer(from_fn_with_state(agent.clone(), guests::may))
        .with_state(agent)
}

async fn follow(
    State(agent): State<Agent>,
    Extension(access): Extension<Access>,
    until: Option<Extension<Until>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    bounded(upgrade, 4 << 10).on_upgrade(move |socket| {
        Until::limit(until, Box::pin(events::serve(socket, agent, access)))
    })
}

async fn view(
    State(agent): State<Agent>,
    Extension(access): Extension<Access>,
    guest: Option<Extension<Guest>>,
    until: Option<Extension<Until>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    // Its messages are pieces. Of the other connections one message may be as large as the list.
    let upgrade = bounded(upgrade, MAX_MESSAGE).max_write_buffer_size(WRITE_BUFFER);
    upgrade.on_upgrade(async move |socket| {
        let visitor = guests::visitor(&agent, &access, guest.as_deref());
        let _looking = agent.onlookers.enter(access.onlooker);
        let serving = terminal::serve(socket, agent.views, agent.sessions, visitor);
        Until::limit(until, Box::pin(serving)).await;
    })
}

async fn read(
    State(agent): State<Agent>,
    Extension(access): Extension<Access>,
    guest: Option<Extension<Guest>>,
    until: Option<Extension<Until>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let is_own = access.is_own();
    bounded(upgrade, 4 << 10).on_upgrade(async move |socket| {
        let visitor = guests::visitor(&agent, &access, guest.as_deref());
        let conversation = guest.as_deref().and_then(Guest::conversation);
        let _looking = agent.onlookers.enter(access.onlooker);
        let (sessions, appends) = (agent.sessions, agent.appends);
        let serving = conversation::serve(socket, sessions, appends, visitor, conversation, is_own);
        Until::limit(until, Box::pin(serving)).await;
    })
}

/// Only the user searches: what is in no session is shown to no one else.
async fn search(
    State(agent): State<Agent>,
    Extension(access): Extension<Access>,
    until: Option<Extension<Until>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !access.is_own() {
        return access::not_own();
    }
    bounded(upgrade, 4 << 10).on_upgrade(async move |socket| {
        let serving = searching::serve(socket, agent.search, agent.sessions);
        Until::limit(until, Box::pin(serving)).await;
    })
}

fn bounded(upgrade: WebSocketUpgrade, message: usize) -> WebSocketUpgrade {
    upgrade
        .max_message_size(message)
        .max_frame_size(message)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
}
