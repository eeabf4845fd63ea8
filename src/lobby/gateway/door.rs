//! Every request: what it has to be, who it is from, and where it goes.

use super::answer;
use super::login::oidc;
use super::open::{Pass, Person, Via};
use super::paths::{self, Place};
use super::people::who::{self, Peer};
use super::refusal::Refusal;
use super::relay::agents;
use super::relay::opened::Opened;
use super::requests;
use super::share::{following, links, may_pass};
use super::state::Gateway;
use super::t3;
use crate::page;
use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;

/// Says that the gateway runs; for monitors.
const HEALTH: &str = "/healthz";
/// Takes notifications in the browser.
const SERVICE_WORKER: &str = "/sw.js";

/// Answers one request.
pub(super) async fn answer(
    gateway: &Gateway,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    if let Some(t3) = gateway.t3.as_ref().filter(|t3| t3.is_for(request.headers())) {
        return t3::answer(gateway, t3, peer, request).await;
    }
    let is_head = *request.method() == Method::HEAD;
    let mut answer = match admit(gateway, peer, request).await {
        Ok(answer) => answer,
        Err(refusal) => {
            gateway.metrics.refused(refusal);
            answer::refused(refusal)
        }
    };
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer::secure(&mut answer);
    }
    if is_head {
        *answer.body_mut() = Body::empty();
    }
    gateway.metrics.answered(answer.status().as_u16());
    answer
}

async fn admit(
    gateway: &Gateway,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    is_valid(&request)?;
    let path = request.uri().path().to_owned();
    if path == HEALTH {
        return Ok(Response::new(Body::from("ok\n")));
    }
    if !gateway.origins.is_our_host(request.headers()) {
        return Err(Refusal::Host);
    }
    if !gateway.origins.is_our_page(request.method(), request.headers()) {
        return Err(Refusal::Origin);
    }
    if let Some(proxy) = &gateway.settings.proxy {
        let secret = gateway.proxy_secret.as_ref();
        if !who::comes_from_proxy(proxy, secret, gateway.proxy_uid, peer, request.headers()) {
            return Err(Refusal::NoProof);
        }
    }
    match paths::place(&path).ok_or(Refusal::NoSuchPath)? {
        Place::WithoutSlash => {
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::PERMANENT_REDIRECT;
            if let Ok(to) = HeaderValue::from_str(&format!("{path}/")) {
                answer.headers_mut().insert(header::LOCATION, to);
            }
            Ok(answer)
        }
        Place::Own(path) if path.starts_with("/api/") => {
            if requests::is_log_in(path, request.method()) {
                return requests::log_in(gateway, request).await;
            }
            if path == "/api/link" {
                return links::open(gateway, request).await;
            }
            if let Some(ticket) = path.strip_prefix("/api/link/") {
                let pass = links::pass(gateway, ticket, request.headers()).await?;
                return within(gateway, pass, "/api/conversation", request).await;
            }
            let person = match who::person(gateway, request.headers()).await {
                Err(Refusal::NotLoggedIn) if path == "/api/me" => {
                    gateway.metrics.refused(Refusal::NotLoggedIn);
                    return Ok(requests::not_logged_in(gateway));
                }
                person => person?,
            };
            let pass = Pass { target: person.user.clone(), person, via: Via::Own };
            if path == "/api/shared" {
                return following::serve(gateway, &pass, request).await;
            }
            within(gateway, pass, path, request).await
        }
        Place::Of(user, path) if path.starts_with("/api/") => {
            let person = who::person(gateway, request.headers()).await?;
            may_look(gateway, &person, user)?;
            let pass = Pass { person, target: user.to_owned(), via: Via::Look };
            // One's own is one's own, by whatever path.
            let is_own = pass.person.user == pass.target;
            let pass = if is_own { Pass { via: Via::Own, ..pass } } else { pass };
            within(gateway, pass, path, request).await
        }
        Place::SharedBy(user, path) if path.starts_with("/api/") => {
            let person = who::person(gateway, request.headers()).await?;
            let pass = Pass { person, target: user.to_owned(), via: Via::Share };
            if !may_pass(gateway, &pass) {
                return Err(Refusal::NotShared);
            }
            within(gateway, pass, path, request).await
        }
        Place::Own("/login" | "/login/callback") => oidc::page(gateway, &request).await,
        // What runs for all pages of the origin is there once, and not in another user's place.
        Place::Of(_, SERVICE_WORKER) | Place::SharedBy(_, SERVICE_WORKER) => {
            Err(Refusal::NoSuchPath)
        }
        Place::Own(path) | Place::Of(_, path) | Place::SharedBy(_, path) => shown(path, &request),
    }
}

/// What is asked of one lobby.
async fn within(
    gateway: &Gateway,
    pass: Pass,
    path: &str,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    if let Some(answer) = requests::of_person(gateway, &pass, path, &request).await? {
        return Ok(answer);
    }
    let is_view = request.headers().contains_key(header::UPGRADE);
    let most = gateway.settings.limits.connections_per_user;
    let opened = gateway.open.enter(&pass, most, is_view).map_err(|_| Refusal::TooMany)?;
    // The files may have changed since the person was looked up: a change cuts what is noted, and this is now.
    if !may_pass(gateway, &pass) {
        return Err(Refusal::Unknown);
    }
    let look = (pass.via == Via::Look).then(|| gateway.audit.look(&pass));
    Ok(agents::pass(
        gateway,
        &pass,
        path,
        request,
        Opened::new(opened, look, &gateway.metrics, is_view),
    )
    .await)
}

fn may_look(gateway: &Gateway, person: &Person, user: &str) -> Result<(), Refusal> {
    let known = gateway.people.now();
    if !known.is_admin(&person.user) {
        return Err(Refusal::NotAdmin);
    }
    if known.is_user(user) { Ok(()) } else { Err(Refusal::NoSuchUser) }
}

/// A file of the page's.
fn shown(path: &str, request: &Request<Incoming>) -> Result<Response<Body>, Refusal> {
    if request.headers().contains_key(header::UPGRADE) {
        return Err(Refusal::NoSuchPath);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Refusal::Method);
    }
    Ok(page::serve(path, request.headers()))
}

/// Refuses what two programs may read differently, and what is not used here.
fn is_valid<B>(request: &Request<B>) -> Result<(), Refusal> {
    if request.version() != Version::HTTP_11 {
        return Err(Refusal::Version);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::POST) {
        return Err(Refusal::Method);
    }
    let uri = request.uri();
    if uri.scheme().is_some() || uri.authority().is_some() {
        return Err(Refusal::Target);
    }
    let headers = request.headers();
    if headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get_all(header::CONTENT_LENGTH).iter().count() > 1
        || headers.get_all(header::UPGRADE).iter().count() > 1
    {
        return Err(Refusal::Framing);
    }
    if let Some(upgrade) = headers.get(header::UPGRADE)
        && (!upgrade.as_bytes().eq_ignore_ascii_case(b"websocket")
            || *request.method() != Method::GET)
    {
        return Err(Refusal::Framing);
    }
    if paths::is_plain(uri.path()) { Ok(()) } else { Err(Refusal::Path) }
}
