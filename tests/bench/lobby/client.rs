//! A page of the lobby's, as far as its connections go.

use crate::world::{SECRET, World};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Bytes, Message, WebSocket};

/// A browser that is logged in.
pub(crate) struct Browser {
    address: String,
    host: String,
    headers: Vec<(&'static str, String)>,
}

pub(crate) struct Page {
    socket: WebSocket<TcpStream>,
    shown: u64,
    acknowledged: u64,
}

impl Browser {
    pub(crate) fn log_in(world: &World) -> Self {
        let rest = world.url.strip_prefix("http://").unwrap();
        let (address, link) = rest.split_once("/#").unwrap();
        let body = format!(r#"{{"link":"{link}"}}"#);
        let request = format!(
            "POST /api/login HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self {
            address: address.to_owned(),
            host: address.to_owned(),
            headers: vec![("Cookie", cookie)],
        }
    }

    /// One that a login proxy lets through to the gateway, as the person with this number.
    pub(crate) fn through(world: &World, person: usize) -> Self {
        let headers = vec![("X-User", format!("p{person}")), ("X-Lobby-Secret", SECRET.to_owned())];
        Self { address: world.address().to_owned(), host: "lobby.test".to_owned(), headers }
    }

    pub(crate) fn page(&self, path: &str) -> Page {
        let mut request = format!("ws://{}{path}", self.host).into_client_request().unwrap();
        request.headers_mut().insert("Origin", format!("http://{}", self.host).parse().unwrap());
        for (name, value) in &self.headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Page { socket: tungstenite::client(request, stream).unwrap().0, shown: 0, acknowledged: 0 }
    }

    /// The birth id of a session.
    pub(crate) fn session(&self, name: &str) -> String {
        let list = self.page("/api/events").json();
        let sessions = list["sessions"].as_array().unwrap().clone();
        let own = sessions.iter().find(|session| session["name"] == name).unwrap();
        own["id"].as_str().unwrap().to_owned()
    }

    /// A view of a session, with an id made of a number.
    pub(crate) fn view(&self, session: &str, number: usize) -> Page {
        let mut page = self.page("/api/terminal");
        let hello = serde_json::json!({
            "type": "hello", "view": format!("{number:032x}"), "session": session, "columns": 80, "rows": 24,
            "received": 0,
        });
        page.socket.send(Message::text(hello.to_string())).unwrap();
        assert_eq!(page.json()["type"], "welcome");
        page
    }
}

impl Page {
    pub(crate) fn type_in(&mut self, data: &[u8]) {
        self.socket.send(Message::Binary(Bytes::from([b"\0", data].concat()))).unwrap();
    }

    pub(crate) fn say(&mut self, message: &serde_json::Value) {
        self.socket.send(Message::text(message.to_string())).unwrap();
    }

    /// The next output. It counts as shown at once.
    pub(crate) fn output(&mut self) -> Bytes {
        let bytes = self.output_unshown();
        self.shown += bytes.len() as u64;
        if self.shown - self.acknowledged >= 16 << 10 {
            self.acknowledged = self.shown;
            let message = [&[1][..], &self.shown.to_le_bytes()].concat();
            self.socket.send(Message::Binary(Bytes::from(message))).unwrap();
        }
        bytes
    }

    /// The next output, which is never shown.
    pub(crate) fn output_unshown(&mut self) -> Bytes {
        loop {
            if let Some(bytes) = self.try_output() {
                return bytes;
            }
        }
    }

    /// The next message; empty at a deadline.
    fn try_output(&mut self) -> Option<Bytes> {
        match self.socket.read() {
            Ok(Message::Binary(bytes)) if bytes[0] == 0 => Some(bytes.slice(1..)),
            Ok(_) => None,
            Err(tungstenite::Error::Io(error))
                if error.kind() == std::io::ErrorKind::WouldBlock =>
            {
                Some(Bytes::new())
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn wait_at_most(&self, time: Duration) {
        self.socket.get_ref().set_read_timeout(Some(time)).unwrap();
    }

    pub(crate) fn json(&mut self) -> serde_json::Value {
        match self.socket.read().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}
