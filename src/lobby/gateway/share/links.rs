//! Links to conversations: a secret becomes a ticket, and a ticket a WebSocket that shows one conversation.

use super::pass::may_pass;
use crate::gateway::answer;
use crate::gateway::login::logins::cookies;
use crate::gateway::open::{Pass, Person, Proof, Via};
use crate::gateway::people::who;
use crate::gateway::refusal::Refusal;
use crate::gateway::state::Gateway;
use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use terminal_lobby::sys::clock;
use terminal_lobby::sys::fs::random_hex;
use terminal_lobby::text::hex;
use tokio::time::timeout;

/// Maximum size of what is sent, in bytes.
const MAX_BODY: usize = 1 << 10;
/// By this cookie a browser that is not logged in counts as one viewer of a link.
const VIEWER: &str = "lobby-viewer";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    link: String,
}

/// Gives a ticket for a link's secret. Secrets that are none are counted as logins that failed.
pub(crate) async fn open(
    gateway: &Gateway,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    if *request.method() != Method::POST {
        return Err(Refusal::Method);
    }
    let person = match who::person(gateway, request.headers()).await {
        Ok(person) => Some(person),
        Err(Refusal::NotLoggedIn) if gateway.settings.links_without_login => None,
        Err(refusal) => return Err(refusal),
    };
    let known_viewer = viewer_of(request.headers());
    let body = Limited::new(request.into_body(), MAX_BODY).collect();
    let body = timeout(gateway.settings.limits.header_time(), body).await;
    let body = body.ok().and_then(Result::ok).ok_or(Refusal::Framing)?.to_bytes();
    let secret = serde_json::from_slice::<Open>(&body).map_err(|_| Refusal::Framing)?.link;
    let hash = digest(&secret);
    let Some(owner) = gateway.index.owner_of_link(&hash, clock::now()) else {
        return Err(match gateway.login_failed() {
            Refusal::NotLoggedIn => Refusal::NoLink,
            too_many => too_many,
        });
    };
    let new = (person.is_none() && known_viewer.is_none()).then(random_hex);
    let viewer = match (&person, known_viewer.or(new.clone())) {
        (Some(person), _) => format!("user:{}", person.user),
        (None, browser) => format!("browser:{}", &digest(&browser.unwrap_or_default())[..32]),
    };
    let is_known = person.is_some();
    let nobody =
        || Person { proof: Proof::Account(String::new()), user: String::new(), login: None };
    let via = Via::Link { hash, viewer, is_known };
    let pass = Pass { person: person.unwrap_or_else(nobody), target: owner, via };
    if !may_pass(gateway, &pass) {
        return Err(Refusal::NoLink);
    }
    let ticket = gateway.tickets.give(pass).ok_or(Refusal::TooMany)?;
    let mut answer = answer::json(&serde_json::json!({ "ticket": ticket }));
    if let Some(new) = new {
        let secure = if gateway.settings.site.is_secure() { "; Secure" } else { "" };
        let cookie = format!(
            "{VIEWER}={new}; Path=/api/link; HttpOnly; SameSite=Strict; Max-Age=7776000{secure}"
        );
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    Ok(answer)
}

/// What a ticket lets in. Only a WebSocket uses one, and only in the browser whose it is.
pub(crate) async fn pass(
    gateway: &Gateway,
    ticket: &str,
    headers: &HeaderMap,
) -> Result<Pass, Refusal> {
    if !headers.contains_key(header::UPGRADE) {
        return Err(Refusal::Method);
    }
    let pass = gateway.tickets.take(ticket).ok_or(Refusal::NoLink)?;
    if let Via::Link { is_known: true, .. } = pass.via {
        let person = who::person(gateway, headers).await?;
        if person.user != pass.person.user {
            return Err(Refusal::NoLink);
        }
    }
    if may_pass(gateway, &pass) { Ok(pass) } else { Err(Refusal::NoLink) }
}

fn viewer_of(headers: &HeaderMap) -> Option<String> {
    let is_ours = |value: &&str| value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
    cookies(headers, VIEWER).find(is_ours).map(str::to_owned)
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
