//! Probes for monitors and for the way to a browser: they reach the gateway and no instance.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Says that the gateway runs.
pub(super) const HEALTH: &str = "/probe/healthz";
/// Sends back what it is sent.
pub(super) const ECHO: &str = "/probe/ws";
/// How long nothing may be sent.
const IDLE: Duration = Duration::from_secs(90);
/// The longest message, in bytes.
const MAX: usize = 64 << 10;
/// How many are open at once.
const MOST: usize = 64;

/// The places of open probes.
#[derive(Debug)]
pub(super) struct Probes(Arc<Semaphore>);

impl Default for Probes {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl Probes {
    /// Answers a request for the echo.
    pub(super) async fn echo(&self, request: Request<Incoming>) -> Response<Body> {
        let Ok(place) = Arc::clone(&self.0).try_acquire_owned() else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        let (mut parts, _) = request.into_parts();
        match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => {
                let upgrade = upgrade.max_message_size(MAX).max_frame_size(MAX);
                upgrade.on_upgrade(move |socket| async move {
                    let _place = place;
                    echo(socket, IDLE).await;
                })
            }
            Err(rejection) => rejection.into_response(),
        }
    }
}

async fn echo(mut socket: WebSocket, idle: Duration) {
    loop {
        match timeout(idle, socket.recv()).await {
            Ok(Some(Ok(message @ (Message::Text(_) | Message::Binary(_))))) => {
                if !matches!(timeout(idle, socket.send(message)).await, Ok(Ok(()))) {
                    return;
                }
            }
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
            Ok(_) => return,
            Err(_) => {
                let frame = CloseFrame { code: 1000, reason: "idle".into() };
                let _ = timeout(idle, socket.send(Message::Close(Some(frame)))).await; // it may be gone
                return;
            }
        }
    }
}
