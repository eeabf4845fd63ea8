//! Where connections come from: sockets that systemd made, or one of our own.

use super::error::GatewayError;
use super::people::who::Peer;
use super::relay::stream::Stream;
use super::settings::Settings;
use super::site::Listen;
use rustix::net::AddressFamily;
use std::io;
use std::net::TcpListener as StdTcp;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener as StdUnix;
use std::path::Path;
use std::time::Duration;
use terminal_lobby::sys::fs::Dir;
use terminal_lobby::sys::passed::Passed;
use terminal_lobby::text::shown;
use tokio::net::{TcpListener, UnixListener};

/// The name of the link socket in its socket unit (systemd.socket(5), `FileDescriptorName=`); all others are for HTTP.
const LINK: &str = "link";
/// How many connections may wait; `std` lets 128.
const BACKLOG: i32 = 4096;
/// Between two tries to accept when the host has no file or memory left for it.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket that browsers or login proxies connect to.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// All sockets.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) http: Vec<Listener>,
    pub(super) link: Vec<UnixListener>,
}

impl Listener {
    /// One that systemd made: TCP on this machine alone, or a Unix socket.
    fn given(name: &str, socket: OwnedFd) -> Result<Self, GatewayError> {
        let failed =
            |source: io::Error| listen_error(&format!("the socket '{name}' of systemd"), source);
        let domain =
            rustix::net::sockopt::socket_domain(&socket).map_err(|error| failed(error.into()))?;
        if domain == AddressFamily::UNIX {
            let socket = StdUnix::from(socket);
            socket.set_nonblocking(true).map_err(failed)?;
            return UnixListener::from_std(socket).map(Self::Unix).map_err(failed);
        }
        let socket = StdTcp::from(socket);
        let address = socket.local_addr().map_err(failed)?;
        if !address.ip().is_loopback() {
            let why = format!(
                "{address} is no loopback address: a proxy with TLS belongs before the lobby"
            );
            return Err(GatewayError::Refused(why));
        }
        socket.set_nonblocking(true).map_err(failed)?;
        TcpListener::from_std(socket).map(Self::Tcp).map_err(failed)
    }
}

impl Listeners {
    /// Takes what was given, and makes what was not.
    pub(super) fn new(given: Vec<Passed>, settings: &Settings) -> Result<Self, GatewayError> {
        let mut all = Self { http: Vec::new(), link: Vec::new() };
        for Passed { name, descriptor } in given {
            match Listener::given(&name, descriptor)? {
                Listener::Unix(socket) if name == LINK => all.link.push(socket),
                Listener::Tcp(_) if name == LINK => {
                    return Err(GatewayError::Refused(format!(
                        "the socket '{LINK}' is no Unix socket"
                    )));
                }
                listener => all.http.push(listener),
            }
        }
        if all.http.is_empty() {
            let Some(listen) = &settings.listen else {
                let why = "no socket from systemd, and no 'listen' in the configuration";
                return Err(GatewayError::Refused(why.to_owned()));
            };
            all.http.push(Listener::own(listen)?);
        }
        // One more: which address a request is for is said by its Host, not by the socket.
        if let Some(listen) = settings.t3.as_ref().and_then(|t3| t3.listen.as_ref()) {
            all.http.push(Listener::own(listen)?);
        }
        if all.link.is_empty() {
            all.link.push(bind(&settings.link_socket)?);
        }
        Ok(all)
    }
}

impl Listener {
    /// One of our own.
    fn own(listen: &Listen) -> Result<Self, GatewayError> {
        match listen {
            Listen::Tcp(address) => {
                let failed = |source| listen_error(&address.to_string(), source);
                let socket = StdTcp::bind(address).map_err(failed)?;
                rustix::net::listen(&socket, BACKLOG).map_err(|error| failed(error.into()))?;
                socket.set_nonblocking(true).map_err(failed)?;
                Ok(Self::Tcp(TcpListener::from_std(socket).map_err(failed)?))
            }
            Listen::Unix(path) => Ok(Self::Unix(bind(path)?)),
        }
    }

    /// Where it listens, for a person.
    pub(super) fn address(&self) -> Option<String> {
        match self {
            Self::Tcp(socket) => Some(socket.local_addr().ok()?.to_string()),
            Self::Unix(socket) => Some(shown(socket.local_addr().ok()?.as_pathname()?).to_string()),
        }
    }

    pub(super) fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }

    /// The next connection. Its small writes are sent at once.
    pub(super) async fn accept(&self, stalled: Duration) -> (Stream, Peer) {
        loop {
            let accepted = match self {
                Self::Tcp(socket) => socket.accept().await.map(|(stream, address)| {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a connection may be slow");
                    }
                    (Stream::tcp(stream, stalled), Peer::Anybody(address.ip()))
                }),
                Self::Unix(socket) => match socket.accept().await {
                    Ok((stream, _)) => stream
                        .peer_cred()
                        .map(|cred| (Stream::unix(stream, stalled), Peer::Account(cred.uid()))),
                    Err(error) => Err(error),
                },
            };
            match accepted {
                Ok(accepted) => return accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Makes a Unix socket that all may connect to: who connects is asked of the kernel. What a gateway left there that
/// was killed is replaced; nothing else is.
fn bind(path: &Path) -> Result<UnixListener, GatewayError> {
    use std::os::unix::fs::FileTypeExt;
    let failed = |source| listen_error(&shown(path).to_string(), source);
    if std::fs::symlink_metadata(path).is_ok_and(|stat| stat.file_type().is_socket()) {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(failed(io::ErrorKind::AddrInUse.into()));
        }
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(failed(io::ErrorKind::InvalidInput.into()));
        };
        Dir::open(dir)?.remove(name)?;
    }
    let socket = UnixListener::bind(path).map_err(failed)?;
    rustix::fs::chmod(path, rustix::fs::Mode::from_raw_mode(0o666))
        .map_err(|error| failed(error.into()))?;
    Ok(socket)
}

fn listen_error(address: &str, source: io::Error) -> GatewayError {
    GatewayError::Listen { address: address.to_owned(), source }
}
