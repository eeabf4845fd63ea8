//! What the user shares: made, listed, revoked, handed over.
//!
//! The gateway keeps an index of who shares with whom, which it learns from headers of these answers. The index only
//! says whose agent is asked: whether something is shared, the agent finds out anew each time.

use super::access::Access;
use super::state::Agent;
use crate::error::Error;
use crate::protocol::people::Person;
use crate::share::{Event, Link, LinkWish, Share, ShareWish};
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};
use terminal_lobby::identity::is_user_name;
use terminal_lobby::sys::accounts;
use terminal_lobby::text::escape;

/// With whom something is shared, until when; the hashes of links, until when; and what has just happened.
const PEOPLE: HeaderName = HeaderName::from_static("x-lobby-shared-with");
const LINKS: HeaderName = HeaderName::from_static("x-lobby-links");
const EVENT: HeaderName = HeaderName::from_static("x-lobby-share-event");

pub(super) fn routes() -> Router<Agent> {
    Router::new()
        .route("/api/shares", get(all).post(share))
        .route("/api/shares/{id}/revoke", post(revoke))
        .route("/api/links", post(link))
        .route("/api/sessions/{id}/hand-over", post(hand_over))
        .route("/api/share", get(shared))
}

/// A share, as its owner sees it.
#[derive(Debug, Serialize)]
struct ShownShare {
    #[serde(flatten)]
    share: Share,
    /// How many pages look by it now.
    looking: usize,
}

/// A link, as its owner sees it.
#[derive(Debug, Serialize)]
struct ShownLink {
    id: String,
    session: String,
    name: String,
    made: u64,
    until: u64,
    most: usize,
    viewers: usize,
    viewed: u64,
    looking: usize,
}

#[derive(Debug, Serialize)]
struct All {
    shares: Vec<ShownShare>,
    links: Vec<ShownLink>,
}

async fn all(State(agent): State<Agent>) -> Result<Response, Error> {
    let (shares, links) = agent.shares.all().await?;
    let looking = agent.present.by_share();
    let count = |id: &str| looking.get(id).copied().unwrap_or_default();
    let of_link = |link: Link| ShownLink {
        looking: count(&link.id),
        viewers: link.viewers.len(),
        id: link.id,
        session: link.session,
        name: link.name,
        made: link.made,
        until: link.until,
        most: link.most,
        viewed: link.viewed,
    };
    let of_share = |share: Share| ShownShare { looking: count(&share.id), share };
    let all = All {
        shares: shares.into_iter().map(of_share).collect(),
        links: links.into_iter().map(of_link).collect(),
    };
    Ok(announce(&agent, Json(all).into_response(), None).await)
}

async fn share(State(agent): State<Agent>, Json(wish): Json<ShareWish>) -> Result<Response, Error> {
    let view = agent.sessions.find(&wish.session).await.ok_or(Error::NoSession)?;
    if !is_user_name(&wish.with) || wish.with == agent.sessions.user() {
        return Err(Error::Refused("a session is shared with another person of this host"));
    }
    let name = wish.with.clone();
    let account = tokio::task::spawn_blocking(move || accounts::uid_of(&name)).await??;
    if account.is_none() {
        return Err(Error::Refused("there is no such user on this host"));
    }
    let event = agent.shares.share(wish, escape(&view.name)).await?;
    Ok(announce(&agent, StatusCode::NO_CONTENT.into_response(), Some(&event)).await)
}

#[derive(Debug, Serialize)]
struct Made {
    secret: String,
}

async fn link(State(agent): State<Agent>, Json(wish): Json<LinkWish>) -> Result<Response, Error> {
    let view = agent.sessions.known(&wish.session).await.ok_or(Error::NoSession)?;
    let conversation =
        view.conversation.ok_or(Error::Refused("no conversation is known in this session"))?;
    let (secret, event) = agent.shares.link(wish, escape(&view.name), &conversation).await?;
    Ok(announce(&agent, Json(Made { secret }).into_response(), Some(&event)).await)
}

async fn revoke(State(agent): State<Agent>, Path(id): Path<String>) -> Result<Response, Error> {
    let event = agent.shares.revoke(&id).await?;
    let status = if event.is_some() { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND };
    Ok(announce(&agent, status.into_response(), event.as_ref()).await)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HandOver {
    to: String,
}

/// Gives the keyboard to a person who looks at the session and may type.
async fn hand_over(
    State(agent): State<Agent>,
    Path(id): Path<String>,
    Json(HandOver { to }): Json<HandOver>,
) -> Result<Response, Error> {
    if !agent.present.hand_over(&id, &to) {
        return Err(Error::Refused(
            "this person has no terminal of this session open that may type",
        ));
    }
    agent.shares.note("share_handed_over", &to, &id);
    let event = Event { kind: "share_handed_over", person: to, session: id };
    Ok(announce(&agent, StatusCode::NO_CONTENT.into_response(), Some(&event)).await)
}

/// Says to a guest that something is shared: without that it is refused before.
async fn shared(Extension(_): Extension<Access>) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The people who are at a session, for the page.
pub(super) fn people_of(
    agent: &Agent,
    may_see: impl Fn(&str) -> bool,
) -> Vec<(String, Vec<Person>)> {
    agent.present.people().into_iter().filter(|(session, _)| may_see(session)).collect()
}

/// Adds what the gateway learns from an answer.
pub(super) async fn announce(
    agent: &Agent,
    mut answer: Response,
    event: Option<&Event>,
) -> Response {
    let headers = answer.headers_mut();
    let mut add = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    match agent.shares.index().await {
        Ok((people, links)) => {
            add(PEOPLE, &people);
            add(LINKS, &links);
        }
        Err(error) => tracing::warn!(%error, "shares cannot be read"),
    }
    if let Some(Event { kind, person, session }) = event {
        add(EVENT, &format!("{kind} {person} {session}"));
    }
    answer
}
