//! WebSockets to instances, and who ends them.

use super::lab::{ANN, BOB, T3Lab};
use crate::lobby::client::Client;
use crate::lobby::gateway::cut::closed;
use crate::lobby::gateway::lab::Lab;
use crate::support::wait::wait_until;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

impl T3Lab {
    fn request(
        path: &str,
        identity: &str,
        cookie: &str,
    ) -> tungstenite::handshake::client::Request {
        let mut request = format!("ws://t3.test{path}").into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("Origin", "http://t3.test".parse().unwrap());
        if !cookie.is_empty() {
            headers.insert("Cookie", cookie.parse().unwrap());
        }
        for line in Lab::as_user(identity).lines() {
            let (name, value) = line.split_once(": ").unwrap();
            let name: tungstenite::http::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        request
    }

    fn open(&self, identity: &str, cookie: &str) -> Result<Client, u16> {
        Client::open(Self::request("/ws", identity, cookie), self.connect())
    }

    fn socket(&self, path: &str, cookie: &str) -> WebSocket<std::net::TcpStream> {
        tungstenite::client(Self::request(path, ANN, cookie), self.connect()).unwrap().0
    }
}

#[test]
fn a_websocket_is_passed_on_byte_for_byte_and_its_end_is_in_the_journal() {
    let Some(lab) = T3Lab::new("") else { return };
    let session = lab.session(ANN);
    assert_eq!(lab.open(ANN, "").err(), Some(401));
    assert_eq!(lab.open(ANN, "t3_session=garbage").err(), Some(401));
    let mut socket = lab.socket("/ws", &format!("t3_session=stale; {session}"));
    socket.send(Message::text(r#"{"_tag":"Ping"}"#)).unwrap();
    assert_eq!(socket.read().unwrap().into_text().unwrap(), r#"{"_tag":"Pong"}"#);
    let large = vec![7; 300_000];
    socket.send(Message::binary(large.clone())).unwrap();
    assert_eq!(socket.read().unwrap().into_data(), large);
    assert!(lab.metrics().contains("lobby_t3_sockets 1\n"));
    socket.close(None).unwrap();
    while socket.read().is_ok() {}
    let said = || lab.lab.said();
    wait_until("the end is said", || said().contains("side=browser cause=closed"));
    lab.lab.says("ws open user=ann ip=127.0.0.1");
    // One that is gone without a word, and an instance that dies.
    drop(lab.socket("/ws", &session));
    wait_until("the end is said", || {
        said().contains("side=browser cause=ended") || said().contains("side=browser cause=reset")
    });
    let mut socket = lab.socket("/ws", &session);
    lab.end("ann");
    while socket.read().is_ok() {}
    wait_until("the end is said", || said().contains("side=instance cause="));
    assert_eq!(lab.open(ANN, &session).err(), Some(502), "and not an empty 200");
    wait_until("none is open", || lab.metrics().contains("lobby_t3_sockets 0\n"));
}

#[test]
fn who_is_removed_parked_or_cut_is_out_within_a_second_with_everything_open() {
    let Some(lab) = T3Lab::bare("") else { return };
    let (of_ann, of_bob) = (lab.instance("ann", "0.0.26"), lab.instance("bob", "0.0.34"));
    let both = [(ANN, "ann", of_ann), (BOB, "bob", of_bob)];
    lab.serve(&both);
    let (ann, bob) = (lab.session(ANN), lab.session(BOB));
    for (what, word) in [
        ("removed", "no instance of T3 Code for you"),
        ("parked", "is parked"),
        ("cut", "is closed"),
        ("moved", ""),
        ("off the map", "no account on this host"),
    ] {
        let (mut socket, mut other) =
            (lab.open(ANN, &ann).ok().unwrap(), lab.open(BOB, &bob).ok().unwrap());
        match what {
            "removed" => lab.table(&both[1..]),
            "parked" | "cut" => lab.closed(&format!(r#"{{"{ANN}": "{what}"}}"#)),
            "moved" => lab.table(&[(ANN, "ann", 1), both[1]]),
            _ => lab.lab.map(&format!("{BOB}=bob")),
        }
        let (took, code) = closed(&mut socket);
        assert!(took < Duration::from_secs(1), "{what}: {took:?}");
        assert_eq!(code, Some(4403), "{what}");
        let answer = lab.navigate("/", ANN, &ann);
        assert!(answer.status == if what == "moved" { 502 } else { 403 }, "{what}: {answer:?}");
        assert!(answer.text().contains(word), "{what}: {answer:?}");
        assert_eq!(lab.get("/api/auth/session", BOB, &bob).json()["authenticated"], true, "{what}");
        other.close();
        lab.closed("{}");
        lab.lab.map(&format!("{ANN}=ann\n{BOB}=bob"));
        lab.table(&both);
        wait_until("ann is served again", || lab.open(ANN, &ann).is_ok());
    }
    // One who left is told so even when no map knows them any more.
    lab.closed(r#"{"eve@example.org": "cut"}"#);
    wait_until("it is said", || {
        let answer = lab.navigate("/", "eve@example.org", "");
        answer.status == 403 && answer.text().contains("your account on this host is closed")
    });
}

#[test]
fn probes_need_no_identity_and_echo_what_they_are_sent() {
    let Some(lab) = T3Lab::bare("") else { return };
    for path in ["/healthz", "/probe/healthz"] {
        let answer =
            lab.raw(&format!("GET {path} HTTP/1.1\r\nHost: t3.test\r\nConnection: close\r\n\r\n"));
        assert_eq!((answer.status, answer.text()), (200, "ok\n".to_owned()));
    }
    let mut request = "ws://t3.test/probe/ws".into_client_request().unwrap();
    request.headers_mut().insert("Origin", "http://t3.test".parse().unwrap());
    request.headers_mut().insert("X-Lobby-Secret", T3Lab::proof()[16..].trim().parse().unwrap());
    let (mut socket, _) = tungstenite::client(request, lab.connect()).unwrap();
    for text in ["one", "two"] {
        socket.send(Message::text(text)).unwrap();
        assert_eq!(socket.read().unwrap().into_text().unwrap(), text);
    }
    let _ = socket.send(Message::text("x".repeat(70_000)));
    assert!(socket.read().is_err(), "too long");
    let answer = lab.ask("GET /manifest.webmanifest", ANN, "", "");
    assert_eq!(answer.header("content-type"), Some("application/manifest+json"));
    assert_eq!(answer.json()["display"], "standalone");
}
