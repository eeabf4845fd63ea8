//! Every request for the address of T3 Code: whom it is from, whether they have a session, and where it goes.

use super::check::{self, Verdict};
use super::forward::{Forward, forward};
use super::headers::cookies::{self, Session};
use super::headers::{inject, navigation};
use super::pairing;
use super::parts::T3;
use super::tables::Service;
use super::{journal, page, probe};
use crate::gateway::login::logins::cookies as values;
use crate::gateway::open::{Pass, Person, Via};
use crate::gateway::people::who::{self, Peer};
use crate::gateway::refusal::Refusal;
use crate::gateway::relay::opened::Opened;
use crate::gateway::share::may_pass;
use crate::gateway::state::Gateway;
use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use terminal_lobby::t3::table::{Closed, Instance};

const HEALTH: &str = "/healthz";
/// How often a browser was redirected, in a cookie of the gateway's own.
const TRIES: &str = "lobby-t3-tries";
/// How long that is remembered, in seconds.
const TRIES_SECONDS: u32 = 30;
/// The redirect that is not made any more.
const LAST: u8 = 3;

/// Answers one request for the address of T3 Code.
pub(crate) async fn answer(
    gateway: &Gateway,
    t3: &T3,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    let is_document = navigation::is_document(request.method(), request.headers());
    let answer = match admit(gateway, t3, peer, request, is_document).await {
        Ok(answer) => answer,
        Err(refusal) => {
            gateway.metrics.refused(refusal);
            if refusal == Refusal::NotLoggedIn && is_document && gateway.settings.proxy.is_none() {
                page::log_in(&gateway.settings.site.origin())
            } else {
                page::refused(refusal, is_document)
            }
        }
    };
    gateway.metrics.answered(answer.status().as_u16());
    answer
}

async fn admit(
    gateway: &Gateway,
    t3: &T3,
    peer: Peer,
    request: Request<Incoming>,
    is_document: bool,
) -> Result<Response<Body>, Refusal> {
    let path = request.uri().path();
    if path == HEALTH || path == probe::HEALTH {
        return Ok(Response::new(Body::from("ok\n")));
    }
    is_valid(&request)?;
    // A HEAD changes as little as a GET.
    let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
    if !t3.origins.is_our_page(method, request.headers()) {
        return Err(Refusal::Origin);
    }
    if let Some(proxy) = &gateway.settings.proxy {
        let secret = gateway.proxy_secret.as_ref();
        if !who::comes_from_proxy(proxy, secret, gateway.proxy_uid, peer, request.headers()) {
            return Err(Refusal::NoProof);
        }
    }
    if path == probe::ECHO {
        return Ok(t3.probes.echo(request).await);
    }
    if path == inject::MANIFEST_PATH && *method == Method::GET {
        return Ok(manifest());
    }
    let person = match who::person(gateway, request.headers()).await {
        Err(Refusal::Unknown) => return Err(gone(gateway, t3, request.headers())),
        person => person?,
    };
    let instance = match t3.tables.now().service(&person) {
        Service::Served(instance) => instance,
        Service::Closed(closed) => return Err(of_closed(closed)),
        Service::None => return Err(Refusal::NoInstance),
        Service::Unreadable => return Err(Refusal::NoTable),
    };
    let client = journal::client(request.headers(), peer);
    let is_websocket = navigation::is_websocket(request.method(), request.headers());
    let sessions = cookies::sessions(request.headers());
    let tries = tries(request.headers());
    let is_navigation = is_document && !is_websocket;
    let session = if is_navigation {
        match check::of_navigation(t3, &instance, &sessions).await {
            Verdict::Session(session) => session,
            Verdict::None => {
                let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
                let asked = Navigation { target, sessions: &sessions, tries };
                return pair(gateway, t3, &person, &instance, asked).await;
            }
        }
    } else {
        let session = check::of_request(t3, &instance, &sessions).await;
        session.ok_or(Refusal::NoSession)?
    };
    let opened = enter(gateway, &person, &instance, gateway.settings.limits.connections_per_user)?;
    let what = Forward {
        person,
        instance,
        session: Some(session),
        is_document: is_navigation,
        is_websocket,
        client,
    };
    let mut answer = forward(gateway, t3, what, request, opened).await;
    if tries > 0 && is_navigation && answer.status().is_success() {
        set(&mut answer, &tries_cookie(t3, 0));
    }
    Ok(answer)
}

/// Notes a request as open, so that it can be cut.
fn enter(
    gateway: &Gateway,
    person: &Person,
    instance: &Instance,
    most: usize,
) -> Result<Opened, Refusal> {
    let target = instance.os_user.clone();
    let pass = Pass { person: person.clone(), target, via: Via::T3(instance.clone()) };
    let opened = gateway.open.enter(&pass, most, false).map_err(|_| Refusal::TooMany)?;
    // The files may have changed since the person was looked up: a change cuts what is noted, and this is now.
    if !may_pass(gateway, &pass) {
        return Err(Refusal::Unknown);
    }
    Ok(Opened::new(opened, None, &gateway.metrics, false))
}

/// A navigation without a session.
struct Navigation<'a> {
    target: &'a str,
    sessions: &'a [Session],
    tries: u8,
}

/// Pairs a browser, and leads it to what it asked for.
async fn pair(
    gateway: &Gateway,
    t3: &T3,
    person: &Person,
    instance: &Instance,
    asked: Navigation<'_>,
) -> Result<Response<Body>, Refusal> {
    if asked.tries + 1 >= LAST {
        journal::loops(person);
        gateway.metrics.t3.loops.inc();
        let mut answer = page::loops();
        set(&mut answer, &tries_cookie(t3, 0));
        return Ok(answer);
    }
    // Those that wait for one pairing hold no instance up: only the host's limit counts them.
    let mut opened = enter(gateway, person, instance, gateway.settings.limits.connections)?;
    let paired = tokio::select! {
        paired = pairing::pair(gateway, person, instance, asked.sessions) => paired,
        _ = &mut opened.cut => return Err(Refusal::Unknown),
    };
    let paired = match paired {
        Ok(paired) => paired,
        Err(unpaired) => return Ok(page::unpaired(unpaired)),
    };
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::FOUND;
    // The whole address, so that no path leads to another host.
    let to = format!("{}{}", t3.settings.site.origin(), asked.target);
    let to = HeaderValue::from_str(&to).map_err(|_| Refusal::Path)?;
    answer.headers_mut().insert(header::LOCATION, to);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set(&mut answer, &paired.set_cookie);
    set(&mut answer, &tries_cookie(t3, asked.tries + 1));
    Ok(answer)
}

fn set(answer: &mut Response<Body>, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// How often this browser was redirected.
fn tries(headers: &HeaderMap) -> u8 {
    values(headers, TRIES).filter_map(|value| value.parse().ok()).max().unwrap_or(0).min(LAST)
}

fn tries_cookie(t3: &T3, tries: u8) -> String {
    let secure = if t3.settings.site.is_secure() { "; Secure" } else { "" };
    let seconds = if tries == 0 { 0 } else { TRIES_SECONDS };
    format!("{TRIES}={tries}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

fn manifest() -> Response<Body> {
    let mut answer = Response::new(Body::from(inject::MANIFEST));
    let headers = answer.headers_mut();
    let kind = HeaderValue::from_static("application/manifest+json");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    answer
}

fn of_closed(closed: Closed) -> Refusal {
    match closed {
        Closed::Parked => Refusal::Parked,
        Closed::Cut => Refusal::Left,
    }
}

/// Why someone has no account on this host: they left, if the tables say so.
fn gone(gateway: &Gateway, t3: &T3, headers: &HeaderMap) -> Refusal {
    let identity = gateway.settings.proxy.as_ref().and_then(|proxy| who::named(proxy, headers));
    let closed = identity.and_then(|identity| t3.tables.now().closed(identity));
    closed.map_or(Refusal::Unknown, of_closed)
}

/// Refuses what two programs may read differently.
fn is_valid<B>(request: &Request<B>) -> Result<(), Refusal> {
    if request.version() != Version::HTTP_11 {
        return Err(Refusal::Version);
    }
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if !known.contains(request.method()) {
        return Err(Refusal::Method);
    }
    let uri = request.uri();
    if uri.scheme().is_some() || uri.authority().is_some() || !uri.path().starts_with('/') {
        return Err(Refusal::Target);
    }
    let headers = request.headers();
    let lengths = headers.get_all(header::CONTENT_LENGTH).iter().count();
    if headers.contains_key(header::TRANSFER_ENCODING) || lengths > 1 {
        return Err(Refusal::Framing);
    }
    Ok(())
}
