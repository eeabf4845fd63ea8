//! Passing requests on to the agents, and what may come back.
//!
//! An agent belongs to its user, who may make it answer anything. Its answers come from the origin that every user's
//! page has, so only what cannot harm that page is passed on.

use super::failure::Failure;
use super::opened::Opened;
use super::splice::{Already, splice};
use super::stream::Stream;
use crate::gateway::answer;
use crate::gateway::open::{Pass, Via};
use crate::gateway::share::announced;
use crate::gateway::state::Gateway;
use axum::body::Body;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::Limited;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tower_http::timeout::TimeoutBody;

/// What an agent's answer may have before its body.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 64;
/// How long the answer to something that changes things may take: a restore of many sessions is one.
const CHANGE: Duration = Duration::from_mins(10);

const ACTOR: HeaderName = HeaderName::from_static("x-lobby-actor");
const ACCESS: HeaderName = HeaderName::from_static("x-lobby-access");
const OWNER: HeaderName = HeaderName::from_static("x-lobby-owner");

const LINK: HeaderName = HeaderName::from_static("x-lobby-link");
const VIEWER: HeaderName = HeaderName::from_static("x-lobby-viewer");

/// What of a request an agent gets.
const TO_AGENT: [HeaderName; 10] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::IF_NONE_MATCH,
    header::RANGE,
    header::USER_AGENT,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::SEC_WEBSOCKET_VERSION,
];

/// What of an answer a browser gets.
const TO_BROWSER: [HeaderName; 10] = [
    header::ACCEPT_RANGES,
    header::CACHE_CONTROL,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::RETRY_AFTER,
    header::SEC_WEBSOCKET_ACCEPT,
    header::SEC_WEBSOCKET_PROTOCOL,
];

/// Types that a browser may show. Everything else of an agent's is only data.
const SHOWN: [&str; 7] = [
    "application/json",
    "text/plain",
    "text/event-stream",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
];

/// Connects to a user's agent.
pub(crate) async fn connect(
    dir: &Path,
    user: &str,
    within: Duration,
) -> Result<UnixStream, Failure> {
    let path = dir.join(format!("{user}.sock"));
    let stream = match timeout(within, UnixStream::connect(path)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Err(Failure::Missing),
        Ok(Err(_)) => return Err(Failure::Refused),
        Err(_) => return Err(Failure::Slow),
    };
    // Who listens: the service manager, or the user.
    let listener = stream.peer_cred().map_err(|_| Failure::Foreign)?.uid();
    if listener == 0 {
        return Ok(stream);
    }
    let name = user.to_owned();
    let own = tokio::task::spawn_blocking(move || terminal_lobby::sys::accounts::uid_of(&name));
    match own.await {
        Ok(Ok(Some(uid))) if uid.as_raw() == listener => Ok(stream),
        _ => Err(Failure::Foreign),
    }
}

/// Passes a request on, with the path that the agent knows it by.
pub(crate) async fn pass(
    gateway: &Gateway,
    pass: &Pass,
    path: &str,
    mut request: Request<Incoming>,
    opened: Opened,
) -> Response<Body> {
    let begin = Instant::now();
    let upgrades = request.headers().contains_key(header::UPGRADE);
    let browser = upgrades.then(|| hyper::upgrade::on(&mut request));
    // The place of the connection, which a WebSocket holds as long as it lasts.
    let held = std::mem::take(request.extensions_mut());
    let within = gateway.settings.limits.agent();
    let stalled = gateway.settings.limits.stalled();
    let is_change = *request.method() != Method::GET && *request.method() != Method::HEAD;
    let outgoing = outgoing(gateway, pass, path, request, upgrades);
    let answered = async {
        let stream = connect(&gateway.settings.agents, &pass.target, within).await?;
        let io = TokioIo::new(Stream::unix(stream, stalled));
        let mut client = http1::Builder::new();
        client.max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS);
        let (mut sender, connection) = client.handshake(io).await.map_err(|_| Failure::Garbled)?;
        tokio::spawn(connection.with_upgrades());
        let limit = if is_change { CHANGE } else { within };
        match timeout(limit, sender.send_request(outgoing)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::debug!(%error, "an agent gave no answer");
                Err(Failure::Garbled)
            }
            Err(_) => Err(Failure::Slow),
        }
    };
    let answer = answered.await.and_then(|answer| check(answer, upgrades));
    if let Ok(answer) = &answer {
        gateway.awake.note(&pass.target, answer.headers());
        announced::learn(gateway, pass, answer.headers());
    }
    gateway.metrics.passed(begin.elapsed(), answer.as_ref().err().copied());
    gateway.agents_seen.note(&pass.target, answer.as_ref().err().copied());
    match answer {
        Err(failure) => answer::of_agent(failure),
        Ok(mut answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
            let agent = hyper::upgrade::on(&mut answer);
            if let Some(browser) = browser {
                tokio::spawn(join(browser, agent, opened, held));
            }
            let mut answer = answer.map(|_| Body::empty());
            keep(answer.headers_mut(), &TO_BROWSER);
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            answer
        }
        Ok(answer) => {
            let mut answer = answer.map(|body| Body::new(super::body::Passed::new(body, opened)));
            harmless(answer.headers_mut());
            answer
        }
    }
}

/// Connects to a user's agent, which starts it, and has it say whether it is to run; whether it answered.
pub(crate) async fn wake(gateway: &Gateway, user: &str) -> bool {
    let within = gateway.settings.limits.agent();
    let answered = async {
        let stream = connect(&gateway.settings.agents, user, within).await.ok()?;
        let io = TokioIo::new(Stream::unix(stream, gateway.settings.limits.stalled()));
        let mut client = http1::Builder::new();
        client.max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS);
        let (mut sender, connection) = client.handshake(io).await.ok()?;
        let connection = tokio::spawn(connection);
        let request = Request::get("/api/push").header(header::HOST, "agent");
        let request = request.header(ACTOR, user).header(ACCESS, "drive").header(OWNER, "yes");
        let answer = sender.send_request(request.body(Body::empty()).ok()?).await.ok();
        connection.abort();
        answer
    };
    match timeout(within, answered).await {
        Ok(Some(answer)) => {
            gateway.awake.note(user, answer.headers());
            true
        }
        _ => false,
    }
}

/// What a person may do in a lobby, as agents and pages read it.
pub(crate) fn access(pass: &Pass) -> &'static str {
    match pass.via {
        Via::Own | Via::T3(_) => "drive",
        Via::Look => "watch",
        Via::Share => "share",
        Via::Link { .. } => "link",
    }
}

/// The request as the agent gets it.
fn outgoing(
    gateway: &Gateway,
    pass: &Pass,
    path: &str,
    request: Request<Incoming>,
    upgrades: bool,
) -> Request<TimeoutBody<Limited<Incoming>>> {
    let limits = &gateway.settings.limits;
    let (mut parts, body) = request.into_parts();
    let query = parts.uri.query().filter(|_| !matches!(pass.via, Via::Link { .. }));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    parts.uri = format!("{path}{query}").parse().unwrap_or_else(|_| Uri::from_static("/"));
    parts.version = Version::HTTP_11;
    keep(&mut parts.headers, &TO_AGENT);
    let headers = &mut parts.headers;
    headers.insert(header::HOST, HeaderValue::from_static("agent"));
    if let Ok(actor) = HeaderValue::from_str(&pass.person.user) {
        headers.insert(ACTOR, actor);
    }
    headers.insert(ACCESS, HeaderValue::from_static(access(pass)));
    headers.insert(OWNER, HeaderValue::from_static(if pass.is_own() { "yes" } else { "no" }));
    if let Via::Link { hash, viewer, is_known } = &pass.via {
        if !is_known {
            headers.insert(ACTOR, HeaderValue::from_static("-"));
        }
        for (name, value) in [(LINK, hash), (VIEWER, viewer)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
    }
    if upgrades {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    let body = TimeoutBody::new(limits.stalled(), Limited::new(body, limits.body_bytes));
    Request::from_parts(parts, body)
}

/// Refuses answers that no agent of ours gives.
fn check(answer: Response<Incoming>, upgrades: bool) -> Result<Response<Incoming>, Failure> {
    let status = answer.status();
    let is_switch = status == StatusCode::SWITCHING_PROTOCOLS;
    let is_plain = (status.is_success() || status.is_client_error() || status.is_server_error())
        || status == StatusCode::NOT_MODIFIED;
    if (is_switch && upgrades) || (is_plain && !is_switch) {
        Ok(answer)
    } else {
        Err(Failure::Garbled)
    }
}

fn keep(headers: &mut HeaderMap, names: &[HeaderName]) {
    let kept: Vec<_> =
        names.iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone()))).collect();
    headers.clear();
    headers.extend(kept);
}

/// Leaves what a browser cannot take for a part of the page.
fn harmless(headers: &mut HeaderMap) {
    keep(headers, &TO_BROWSER);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind =
        kind.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    if !kind.as_deref().is_none_or(|kind| SHOWN.contains(&kind)) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
}

/// Splices the two sides of a WebSocket once both have been switched.
async fn join(
    browser: hyper::upgrade::OnUpgrade,
    agent: hyper::upgrade::OnUpgrade,
    mut opened: Opened,
    held: Extensions,
) {
    let (Ok(browser), Ok(agent)) = (browser.await, agent.await) else { return };
    let (Ok(browser), Ok(agent)) =
        (browser.downcast::<TokioIo<Stream>>(), agent.downcast::<TokioIo<Stream>>())
    else {
        return;
    };
    let already = Already { of_browser: browser.read_buf.into(), of_agent: agent.read_buf.into() };
    let (browser, agent) = (browser.io.into_inner(), agent.io.into_inner());
    let ended = splice(browser, agent, already, &mut opened.cut).await;
    tracing::debug!(?ended, "a WebSocket ended");
    drop(held);
}
