//! The WebSocket of an instance: whether it answers a message.

use super::InstanceError;
use crate::text::io_reason;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, HandshakeError, Message};

const PATH: &str = "/ws";
const PING: &str = r#"{"_tag":"Ping"}"#;
/// How many messages may come before the answer, and how long they may be, in bytes.
const MAX_MESSAGES: usize = 64;
const MAX_MESSAGE: usize = 1 << 20;

/// A connection whose every call ends at one time.
struct UntilDeadline {
    stream: TcpStream,
    end: Instant,
}

impl UntilDeadline {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

/// A timeout of a socket is reported as EAGAIN, on which the library would wait for more.
fn late(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

impl Read for UntilDeadline {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer).map_err(late)
    }
}

impl Write for UntilDeadline {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes).map_err(late)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Opens the WebSocket with these cookies, sends a ping of T3's own, and waits for its pong.
pub(super) fn ping(port: u16, cookies: &str, within: Duration) -> Result<(), InstanceError> {
    let end = Instant::now() + within;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, within.max(Duration::from_millis(1)));
    let stream = UntilDeadline { stream: stream.map_err(|error| failed(&error.into()))?, end };
    let mut request = format!("ws://127.0.0.1:{port}{PATH}")
        .into_client_request()
        .map_err(|error| failed(&error))?;
    let cookies = cookies.parse().map_err(|_| InstanceError::Answer {
        path: PATH,
        why: "what it gave as a cookie is none",
    })?;
    request.headers_mut().insert("cookie", cookies);
    let config = WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let (mut socket, _) = tungstenite::client::client_with_config(request, stream, Some(config))
        .map_err(|error| match error {
            HandshakeError::Failure(error) => failed(&error),
            HandshakeError::Interrupted(_) => failed(&Error::Io(io::ErrorKind::TimedOut.into())),
        })?;
    socket.send(Message::text(PING)).map_err(|error| failed(&error))?;
    for _ in 0..MAX_MESSAGES {
        if let Message::Text(text) = socket.read().map_err(|error| failed(&error))?
            && is_pong(&text)
        {
            // What it says to this no longer counts.
            let _ = socket.close(None);
            let _ = socket.flush();
            return Ok(());
        }
    }
    Err(InstanceError::Answer {
        path: PATH,
        why: "many messages, and none is the answer to a ping",
    })
}

fn is_pong(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Tagged {
        #[serde(rename = "_tag")]
        tag: String,
    }
    serde_json::from_str::<Tagged>(text).is_ok_and(|message| message.tag == "Pong")
}

fn failed(error: &Error) -> InstanceError {
    match error {
        Error::Http(answer) => {
            InstanceError::Status { path: PATH, status: answer.status().as_u16() }
        }
        Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            InstanceError::NoAnswer("the WebSocket: no answer in time".to_owned())
        }
        Error::Io(error) => InstanceError::NoAnswer(format!("the WebSocket: {}", io_reason(error))),
        other => InstanceError::NoAnswer(format!("the WebSocket: {other}")),
    }
}
