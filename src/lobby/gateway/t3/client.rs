//! Requests to an instance: over loopback, to a port whose owner is asked of the kernel first.

use super::failure::Failure;
use super::parts::T3;
use super::pool::Sender;
use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use terminal_lobby::sys::accounts;
use terminal_lobby::sys::net::listener::owner;
use terminal_lobby::t3::table::Instance;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::gateway::relay::stream::Stream;

/// How long a connection over loopback may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an instance may take no byte that is sent to it.
const STALLED: Duration = Duration::from_secs(30);
/// What an answer may have before its body, in bytes and headers.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 64;
/// The longest body of an answer that the gateway itself reads, in bytes.
const MAX_BODY: usize = 64 << 10;

/// An answer that the gateway reads itself.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Connects to an instance. Nothing is sent before it is known that the port is its user's: while the instance is down,
/// any account may listen there.
pub(super) async fn connect(instance: &Instance) -> Result<Sender, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, instance.port));
    let stream = match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(_)) => return Err(Failure::Refused),
        Err(_) => return Err(Failure::Slow),
    };
    let _ = stream.set_nodelay(true); // it is slower without
    let (user, port) = (instance.os_user.clone(), instance.port);
    let is_own = move || match (owner(port), accounts::uid_of(&user)) {
        (Ok(Some(owner)), Ok(Some(uid))) if owner == uid => Ok(()),
        (Ok(None), _) => Err(Failure::Refused),
        _ => Err(Failure::Foreign),
    };
    let asked = tokio::task::spawn_blocking(is_own);
    timeout(CONNECT, asked).await.map_err(|_| Failure::Slow)?.unwrap_or(Err(Failure::Foreign))?;
    let mut client = http1::Builder::new();
    client.max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS);
    let io = TokioIo::new(Stream::tcp(stream, STALLED));
    let (sender, connection) = client.handshake(io).await.map_err(|_| Failure::Garbled)?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to an instance ended");
        }
    });
    Ok(sender)
}

/// Sends one request over a connection; waits so long for the head of the answer.
pub(super) async fn send(
    sender: &mut Sender,
    request: Request<Body>,
    within: Duration,
) -> Result<Response<Incoming>, Failure> {
    match timeout(within, sender.send_request(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            tracing::debug!(%error, "an instance gave no answer");
            Err(Failure::Garbled)
        }
        Err(_) => Err(Failure::Slow),
    }
}

/// Asks an instance on the gateway's own behalf; the whole takes at most so long.
pub(super) async fn ask(
    t3: &T3,
    instance: &Instance,
    (method, path): (Method, &str),
    cookie: Option<&str>,
    body: Option<String>,
    within: Duration,
) -> Result<Answer, Failure> {
    let build = || {
        let mut request = Request::builder().method(method.clone()).uri(path);
        request = request.header(header::HOST, &t3.settings.site.host);
        request = request.header(header::ACCEPT, "application/json");
        if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(cookie).ok()) {
            request = request.header(header::COOKIE, cookie);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.clone().map_or_else(Body::empty, Body::from);
        request.body(body).map_err(|_| Failure::Garbled)
    };
    let asked = async {
        let pooled = if body.is_none() { t3.pool.take(instance).await } else { None };
        let pooled = match pooled {
            Some(mut sender) => {
                send(&mut sender, build()?, within).await.ok().map(|answer| (sender, answer))
            }
            None => None,
        };
        let (sender, answer) = if let Some(pooled) = pooled {
            pooled
        } else {
            let mut sender = connect(instance).await?;
            let answer = send(&mut sender, build()?, within).await?;
            (sender, answer)
        };
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Failure::Garbled)?;
        t3.pool.put(instance, sender);
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    };
    timeout(within, asked).await.unwrap_or(Err(Failure::Slow))
}
