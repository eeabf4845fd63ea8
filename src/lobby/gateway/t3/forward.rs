//! Passing a request on to an instance.

use super::client;
use super::failure::Failure;
use super::headers::cookies::Session;
use super::headers::{self, inject};
use super::parts::T3;
use super::pool::{Back, Sender};
use super::socket::{self, Socket};
use super::{journal, page};
use crate::gateway::open::Person;
use crate::gateway::refusal::Refusal;
use crate::gateway::relay::body::Passed;
use crate::gateway::relay::opened::Opened;
use crate::gateway::state::Gateway;
use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};
use std::time::Instant;
use terminal_lobby::t3::table::Instance;
use tokio::time::timeout;
use tower_http::timeout::TimeoutBody;

/// The largest page into which lines are put, in bytes.
const MAX_PAGE: u64 = 1 << 20;

/// What is passed on, and for whom.
pub(super) struct Forward {
    pub(super) person: Person,
    pub(super) instance: Instance,
    pub(super) session: Option<Session>,
    pub(super) is_document: bool,
    pub(super) is_websocket: bool,
    /// Where it comes from, for the journal.
    pub(super) client: String,
}

/// Passes a request on, and the answer back.
pub(super) async fn forward(
    gateway: &Gateway,
    t3: &T3,
    what: Forward,
    mut request: Request<Incoming>,
    mut opened: Opened,
) -> Response<Body> {
    let begin = Instant::now();
    let browser = what.is_websocket.then(|| hyper::upgrade::on(&mut request));
    let (mut parts, body) = request.into_parts();
    let held = std::mem::take(&mut parts.extensions);
    outgoing(&mut parts, &what);
    let answered = tokio::select! {
        answered = exchange(gateway, t3, &what, &parts, body) => answered,
        _ = &mut opened.cut => return page::refused(Refusal::Unknown, what.is_document),
    };
    gateway.metrics.t3.answered(begin.elapsed(), answered.as_ref().err().copied());
    let (sender, mut answer) = match answered {
        Ok(answered) => answered,
        Err(failure) => {
            if failure == Failure::Foreign {
                journal::foreign_port(&what.person, what.instance.port);
            }
            return page::failed(failure, what.is_document);
        }
    };
    let is_secure = t3.settings.site.is_secure();
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let Some(browser) = browser else {
            return page::failed(Failure::Garbled, what.is_document);
        };
        let instance = hyper::upgrade::on(&mut answer);
        let Forward { person, client, .. } = what;
        let socket = Socket { gateway: gateway.clone(), person, client, opened, held };
        tokio::spawn(socket::join(browser, instance, socket));
        let mut answer = answer.map(|_| Body::empty());
        headers::to_browser(answer.headers_mut(), is_secure);
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return answer;
    }
    if answer.status().is_informational() {
        return page::failed(Failure::Garbled, what.is_document);
    }
    let back = Back { pool: t3.pool.clone(), instance: what.instance.clone(), sender };
    headers::to_browser(answer.headers_mut(), is_secure);
    if what.is_document && is_page(&answer) {
        return with_manifest(t3, answer, opened, back).await;
    }
    answer.map(|body| Body::new(Passed::new(body, opened).then(|| back.give())))
}

/// The request as the instance gets it.
fn outgoing(parts: &mut Parts, what: &Forward) {
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    parts.uri = target.parse().unwrap_or_else(|_| Uri::from_static("/"));
    headers::to_instance(&mut parts.headers, what.session.as_ref());
    if what.is_websocket {
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        parts.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    if what.is_document {
        // Since 0.0.32 pages are compressed for those who take it, and nothing could be put into them.
        parts.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
}

async fn exchange(
    gateway: &Gateway,
    t3: &T3,
    what: &Forward,
    parts: &Parts,
    body: Incoming,
) -> Result<(Sender, Response<Incoming>), Failure> {
    let within = t3.settings.answer();
    let build = |body: Body| {
        let mut request = Request::new(body);
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = parts.headers.clone();
        request
    };
    // What changes nothing may be sent twice: a connection that waited may just be closed.
    let is_repeatable = matches!(parts.method, Method::GET | Method::HEAD)
        && body.is_end_stream()
        && !what.is_websocket;
    if is_repeatable {
        let pooled = t3.pool.take(&what.instance).await;
        if let Some(mut sender) = pooled {
            match client::send(&mut sender, build(Body::empty()), within).await {
                Ok(answer) => return Ok((sender, answer)),
                Err(Failure::Slow) => return Err(Failure::Slow),
                Err(_) => {}
            }
        }
    }
    let mut sender = client::connect(&what.instance).await?;
    let body = if is_repeatable {
        Body::empty()
    } else {
        let stalled = gateway.settings.limits.stalled();
        Body::new(TimeoutBody::new(stalled, Limited::new(body, t3.settings.body_bytes)))
    };
    let answer = client::send(&mut sender, build(body), within).await?;
    Ok((sender, answer))
}

/// Whether lines can be put into an answer: a whole page of a known length that is not compressed.
fn is_page(answer: &Response<Incoming>) -> bool {
    let of = |name| answer.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    answer.status() == StatusCode::OK
        && of(header::CONTENT_TYPE).is_some_and(inject::is_html)
        && !answer.headers().contains_key(header::CONTENT_ENCODING)
        && answer.body().size_hint().exact().is_some_and(|length| length <= MAX_PAGE)
}

async fn with_manifest(
    t3: &T3,
    answer: Response<Incoming>,
    mut opened: Opened,
    back: Back,
) -> Response<Body> {
    let (mut parts, body) = answer.into_parts();
    let read = timeout(t3.settings.answer(), body.collect());
    let read = tokio::select! {
        read = read => read,
        _ = &mut opened.cut => return page::refused(Refusal::Unknown, true),
    };
    let page = match read {
        Ok(Ok(page)) => page.to_bytes(),
        Ok(Err(_)) => return page::failed(Failure::Garbled, true),
        Err(_) => return page::failed(Failure::Slow, true),
    };
    back.give();
    let page = inject::inject(&page).map_or(page, Into::into);
    parts.headers.insert(header::CONTENT_LENGTH, page.len().into());
    Response::from_parts(parts, Body::from(page))
}
