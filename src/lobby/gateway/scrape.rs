//! The metrics, on an address of their own.

use super::error::GatewayError;
use super::state::Gateway;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use std::net::SocketAddr;
use tokio::net::TcpListener;

const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, GatewayError> {
    let failed = |source| GatewayError::Listen { address: address.to_string(), source };
    let socket = std::net::TcpListener::bind(address).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    TcpListener::from_std(socket).map_err(failed)
}

/// Serves them for good.
pub(super) async fn serve(gateway: Gateway, socket: TcpListener) -> Result<(), GatewayError> {
    let text = move || {
        let text = gateway.metrics.text();
        async move { ([(header::CONTENT_TYPE, TEXT)], text) }
    };
    let app = Router::new().route("/metrics", get(text));
    axum::serve(socket, app)
        .await
        .map_err(|source| GatewayError::Io { doing: "serving metrics", source })
}
