//! The agent's Unix socket: who may connect, and whether anybody does.

use rustix::process::Uid;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// Most connections at once: with the descriptors of 200 views no more than the 1024 that a process may have.
const MAX_CONNECTIONS: usize = 380;

/// A listener that takes only connections of these uids, as the kernel says them. Others are closed at once.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: UnixListener,
    allowed: Vec<Uid>,
    connections: watch::Sender<usize>,
}

impl Listener {
    pub(crate) fn new(socket: UnixListener, allowed: Vec<Uid>) -> Self {
        Self { socket, allowed, connections: watch::Sender::default() }
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> watch::Receiver<usize> {
        self.connections.subscribe()
    }

    fn is_allowed(&self, stream: &UnixStream) -> bool {
        let peer = rustix::net::sockopt::socket_peercred(stream);
        peer.is_ok_and(|peer| self.allowed.contains(&peer.uid))
            && *self.connections.borrow() < MAX_CONNECTIONS
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = axum::serve::Listener::accept(&mut self.socket).await;
            if self.is_allowed(&stream) {
                self.connections.send_modify(|count| *count += 1);
                let counted = self.connections.clone();
                return (Connection { stream, counted }, address);
            }
            tracing::warn!("a connection was refused");
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.socket.local_addr()
    }
}

/// A connection that is counted for as long as it lives.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    counted: watch::Sender<usize>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.counted.send_modify(|count| *count -= 1);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
