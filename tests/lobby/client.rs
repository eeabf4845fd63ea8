//! A page of the lobby's, as far as its connections go.

use super::lab::Lobby;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::Request;
use tungstenite::http::HeaderName;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Message, WebSocket};

/// What the lobby said.
#[derive(Debug)]
pub(super) enum Event {
    Output(Vec<u8>),
    Taken(u64),
    Json(serde_json::Value),
    Closed(Option<CloseCode>),
    /// Nothing, for as long as was waited.
    Nothing,
}

pub(super) struct Client(WebSocket<Line>);

/// To a lobby of its own, or to an agent.
enum Line {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Line {
    fn wait_at_most(&self, time: Duration) {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(time)),
            Self::Unix(stream) => stream.set_read_timeout(Some(time)),
        }
        .unwrap();
    }
}

impl Read for Line {
    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(space),
            Self::Unix(stream) => stream.read(space),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Client {
    /// Opens a WebSocket; gives the status of the answer if there is none, 0 without one.
    pub(super) fn open(request: Request, stream: TcpStream) -> Result<Self, u16> {
        match tungstenite::client(request, Line::Tcp(stream)) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(_) => Err(0),
        }
    }

    pub(super) fn connect(lobby: &Lobby, path: &str) -> Self {
        let address = format!("127.0.0.1:{}", lobby.port());
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("Origin", format!("http://{address}").parse().unwrap());
        headers.insert("Cookie", lobby.cookie().parse().unwrap());
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(tungstenite::client(request, Line::Tcp(stream)).unwrap().0)
    }

    /// Connects as the gateway does; `None` if nothing answers there.
    pub(super) fn over_unix(socket: &Path, path: &str, headers: &[(&str, &str)]) -> Option<Self> {
        let mut request = format!("ws://agent{path}").into_client_request().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let line = Line::Unix(UnixStream::connect(socket).ok()?);
        line.wait_at_most(Duration::from_secs(10));
        Some(Self(tungstenite::client(request, line).ok()?.0))
    }

    /// Opens a view of a session, or goes on with it; gives how much input the view has taken, and whether it goes on.
    pub(super) fn view(
        lobby: &Lobby,
        view: &str,
        session: &str,
        received: u64,
        watch: bool,
    ) -> (Self, u64, bool) {
        let mut client = Self::connect(lobby, "/api/terminal");
        let (taken, resumed) = client.hello(view, session, received, watch).expect("a welcome");
        (client, taken, resumed)
    }

    /// Asks for a view; `None` if the connection is over.
    pub(super) fn hello(
        &mut self,
        view: &str,
        session: &str,
        received: u64,
        watch: bool,
    ) -> Option<(u64, bool)> {
        let hello = serde_json::json!({
            "type": "hello", "view": view, "session": session, "columns": 100, "rows": 30,
            "watch": watch, "received": received,
        });
        self.0.send(Message::text(hello.to_string())).ok()?;
        match self.next(Duration::from_secs(20)) {
            Event::Json(welcome) => {
                assert_eq!(welcome["type"], "welcome", "{welcome}");
                let resumed = welcome["resumed"].as_bool().unwrap();
                Some((welcome["taken"].as_u64().unwrap(), resumed))
            }
            Event::Closed(_) => None,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn send_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// Sends a binary message; `false` if the connection is over.
    pub(super) fn send(&mut self, kind: u8, data: &[u8]) -> bool {
        let message = [&[kind], data].concat();
        self.0.send(Message::Binary(Bytes::from(message))).is_ok()
    }

    /// Sends bytes as they are; `false` if the connection is over.
    pub(super) fn send_binary(&mut self, data: &[u8]) -> bool {
        self.0.send(Message::Binary(Bytes::copy_from_slice(data))).is_ok()
    }

    pub(super) fn type_in(&mut self, data: &[u8]) -> bool {
        self.send(0, data)
    }

    pub(super) fn shown(&mut self, bytes: u64) {
        self.send(1, &bytes.to_le_bytes());
    }

    /// The next event within a time.
    pub(super) fn next(&mut self, within: Duration) -> Event {
        self.0.get_ref().wait_at_most(within);
        match self.0.read() {
            Ok(Message::Binary(bytes)) if bytes[0] == 0 => Event::Output(bytes[1..].to_vec()),
            Ok(Message::Binary(bytes)) => {
                Event::Taken(u64::from_le_bytes(bytes[1..].try_into().unwrap()))
            }
            Ok(Message::Text(text)) => Event::Json(serde_json::from_str(&text).unwrap()),
            Ok(Message::Close(frame)) => Event::Closed(frame.map(|frame| frame.code)),
            Ok(_) => Event::Nothing,
            Err(tungstenite::Error::Io(error))
                if error.kind() == std::io::ErrorKind::WouldBlock =>
            {
                Event::Nothing
            }
            Err(_) => Event::Closed(None),
        }
    }

    pub(super) fn next_json(&mut self) -> serde_json::Value {
        match self.next(Duration::from_secs(20)) {
            Event::Json(value) => value,
            other => panic!("{other:?}"),
        }
    }

    /// Reads until the output is as it should be; gives all of it. None of it is acknowledged.
    #[track_caller]
    pub(super) fn read_until(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let end = Instant::now() + Duration::from_secs(20);
        let mut all = Vec::new();
        while !is_enough(&all) {
            assert!(Instant::now() < end, "{:?}", String::from_utf8_lossy(&all));
            if let Event::Output(bytes) = self.next(Duration::from_secs(1)) {
                all.extend(bytes);
            }
        }
        all
    }

    /// Leaves, as a page that is closed.
    pub(super) fn close(&mut self) {
        let _ = self.0.close(None);
        let _ = self.0.flush();
    }

    /// Cuts the connection as a network does, with nothing said.
    pub(super) fn cut(self) {
        let Line::Tcp(stream) = self.0.get_ref() else { return };
        let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
    }
}
