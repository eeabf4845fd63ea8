//! One user's instance: the stand-in for the real server, and requests to it.

use crate::support::wait::wait_for;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// The program that stands in for `t3`.
pub(super) const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/t3/stand-in-t3");

/// `t3` of a version, on a base directory.
pub(super) fn t3(version: &str, args: &[&str], base: &Path) -> Command {
    let mut command = Command::new(STAND_IN);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", base.parent().unwrap());
    command.env("T3_STAND_IN_VERSION", version).args(args).arg("--base-dir").arg(base);
    command
}

/// Asks for a credential as the command line does.
pub(super) fn mint(version: &str, base: &Path) -> Output {
    t3(version, &["auth", "pairing", "create", "--ttl", "5m", "--json"], base).output().unwrap()
}

pub(super) fn credential(version: &str, base: &Path) -> String {
    let output = mint(version, base);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    made["credential"].as_str().unwrap().to_owned()
}

/// A server; killed when dropped.
pub(super) struct Instance {
    child: Child,
    port: u16,
}

/// An answer: its status, its header lines and its body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// `name=value` of the cookie that it sets.
    pub(super) fn cookie(&self) -> Option<&str> {
        let line = self.head.lines().find_map(|line| line.strip_prefix("Set-Cookie: "))?;
        line.split(';').next()
    }
}

impl Instance {
    pub(super) fn start(version: &str, host: &str, base: &Path) -> Self {
        let mut command = t3(version, &["serve", "--port", "0", "--host", host], base);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut first).unwrap();
        let port = first.trim_end().trim_end_matches(')').rsplit(' ').next().unwrap();
        Self { child, port: port.parse().expect(&first) }
    }

    pub(super) fn ask(&self, line: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let length = body.len();
        let head = format!(
            "{line} HTTP/1.1\nHost: t3\nConnection: close\nContent-Length: {length}\n{headers}\n"
        );
        stream.write_all((head.replace('\n', "\r\n") + body).as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.replace('\r', ""), body: body.to_owned() }
    }

    pub(super) fn get(&self, path: &str, cookie: &str) -> Answer {
        let header = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\n") };
        self.ask(&format!("GET {path}"), &header, "")
    }

    /// Whether a cookie is a session, by what the instance says.
    pub(super) fn is_session(&self, cookie: &str) -> bool {
        self.get("/api/auth/session", cookie).json()["authenticated"] == true
    }

    pub(super) fn exchange(&self, path: &str, credential: &str) -> Answer {
        let body = json!({ "credential": credential }).to_string();
        self.ask(&format!("POST {path}"), "Content-Type: application/json\n", &body)
    }

    /// The name of its cookie, as it says it.
    pub(super) fn cookie_name(&self) -> String {
        let said = self.get("/api/auth/session", "").json();
        said["auth"]["sessionCookieName"].as_str().unwrap().to_owned()
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Opens its WebSocket; gives the status if there is none.
    pub(super) fn socket(&self, cookie: &str) -> Result<WebSocket<TcpStream>, u16> {
        let mut request = "ws://t3/ws".into_client_request().unwrap();
        if !cookie.is_empty() {
            request.headers_mut().insert("Cookie", cookie.parse().unwrap());
        }
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Ends it as a service manager does; gives its exit status.
    pub(super) fn stop(mut self) -> Option<i32> {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        let ended = wait_for("it ends", || self.child.try_wait().unwrap());
        ended.code()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a WebSocket still answers.
pub(super) fn answers(socket: &mut WebSocket<TcpStream>) -> bool {
    socket.send(Message::text(r#"{"_tag":"Ping"}"#)).is_ok()
        && socket
            .read()
            .is_ok_and(|said| said.into_text().is_ok_and(|text| text == r#"{"_tag":"Pong"}"#))
}
