//! Tells a page who shares something with its person, at first and whenever that changes.

use super::pass::may_pass;
use crate::gateway::open::Pass;
use crate::gateway::refusal::Refusal;
use crate::gateway::state::Gateway;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{Request, Response};
use bytes::Bytes;
use hyper::body::Incoming;
use std::time::Duration;
use terminal_lobby::sys::clock;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// The page says nothing; a message of its own is none of ours.
const MAX_MESSAGE: usize = 4 << 10;
/// How long a page may take to take a message.
const TAKES: Duration = Duration::from_secs(10);
/// A page that has gone without a word is noticed so.
const PING: Duration = Duration::from_mins(1);

/// Serves one page.
pub(crate) async fn serve(
    gateway: &Gateway,
    pass: &Pass,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    let most = gateway.settings.limits.connections_per_user;
    let (ticket, cut) = gateway.open.enter(pass, most, true).map_err(|_| Refusal::TooMany)?;
    if !may_pass(gateway, pass) {
        return Err(Refusal::Unknown);
    }
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|_| Refusal::Method)?;
    let upgrade =
        upgrade.max_message_size(MAX_MESSAGE).read_buffer_size(MAX_MESSAGE).write_buffer_size(0);
    let (gateway, person) = (gateway.clone(), pass.person.user.clone());
    Ok(upgrade.on_upgrade(async move |socket| {
        let _ticket = ticket;
        follow(&gateway, &person, socket, cut).await;
    }))
}

async fn follow(
    gateway: &Gateway,
    person: &str,
    mut socket: WebSocket,
    mut cut: oneshot::Receiver<u16>,
) {
    let mut changes = gateway.index.changes();
    let mut said: Option<Vec<String>> = None;
    loop {
        changes.mark_unchanged();
        let known = gateway.people.now();
        let mut by = gateway.index.owners_for(person, clock::now());
        by.retain(|owner| known.is_user(owner));
        let message = (said.as_ref() != Some(&by))
            .then(|| Message::Text(serde_json::json!({ "by": by }).to_string().into()));
        said = Some(by);
        if let Some(message) = message
            && !matches!(timeout(TAKES, socket.send(message)).await, Ok(Ok(())))
        {
            return;
        }
        tokio::select! {
            code = &mut cut => {
                let code = code.unwrap_or(crate::gateway::open::CUT);
                let frame = CloseFrame { code, reason: "".into() };
                let _ = timeout(TAKES, socket.send(Message::Close(Some(frame)))).await;
                return;
            }
            news = changes.changed() => if news.is_err() { return },
            () = sleep(PING) => {
                let ping = socket.send(Message::Ping(Bytes::new()));
                if !matches!(timeout(TAKES, ping).await, Ok(Ok(()))) { return }
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Pong(_) | Message::Ping(_))) => {}
                _ => return,
            },
        }
    }
}
