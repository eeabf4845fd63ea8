//! Forged headers, foreign cookies, evil pages, and accounts that take another's port.

use super::lab::{ANN, BOB, T3Lab};
use crate::support::wait::wait_until;

#[test]
fn an_identity_counts_only_with_its_proof_and_once() {
    let Some(lab) = T3Lab::new("") else { return };
    let proof = T3Lab::proof();
    let send = |headers: &str| {
        let head = format!(
            "GET / HTTP/1.1\nHost: t3.test\nConnection: close\nSec-Fetch-Dest: document\n{headers}\n"
        );
        lab.raw(&head.replace('\n', "\r\n")).status
    };
    for (what, headers, expected) in [
        ("as it should be", format!("X-User: {ANN}\n{proof}"), 302),
        ("forged by a local account", format!("X-User: {ANN}\n"), 403),
        (
            "with a guessed secret",
            format!("X-User: {ANN}\nX-Lobby-Secret: {}\n", "0".repeat(32)),
            403,
        ),
        ("the old proxy's header", format!("X-authentik-username: {ANN}\n"), 403),
        ("two identities", format!("X-User: {ANN}\nX-User: {BOB}\n{proof}"), 400),
        ("the same twice", format!("X-User: {ANN}\nX-User: {ANN}\n{proof}"), 400),
        ("joined", format!("X-User: {ANN},{BOB}\n{proof}"), 400),
        ("none", proof.clone(), 401),
        ("one local part, another domain", format!("X-User: ann@evil.example\n{proof}"), 403),
        ("the local part alone", format!("X-User: ann\n{proof}"), 403),
        ("someone without an instance", format!("X-User: {BOB}\n{proof}"), 403),
    ] {
        assert_eq!(send(&headers), expected, "{what}");
    }
    let answer = lab.navigate("/", BOB, "");
    assert!(answer.text().contains("no instance of T3 Code for you"), "{answer:?}");
    // Two lines of the map with one local part are two people.
    lab.lab.map(&format!("{ANN}=ann\nann@other.example=bob\n{BOB}=bob"));
    wait_until("the map counts", || lab.lab.get("/api/me", "ann@other.example").0 == 200);
    assert_eq!(lab.navigate("/", "ann@other.example", "").status, 403);
    // A table that contradicts the map gives no one another's instance.
    let of_ann = lab.lab.host.sh("cat /etc/t3-serve/dispatch.json");
    lab.spoil(&of_ann.replace(ANN, BOB));
    wait_until("the table counts", || lab.navigate("/", ANN, "").status == 403);
    assert_eq!(lab.navigate("/", BOB, "").status, 403);
}

/// A stub: an instance that says what it was sent.
const STUB_THAT_TELLS_THE_HEADERS: &str = r#"
import http.server, json
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self):
        if self.path == "/api/auth/session":
            body = json.dumps({"authenticated": True, "auth": {"sessionCookieName": "t3_session_7_ab"}}).encode()
        else:
            body = str(self.headers).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Accel-Redirect", "/secret"); self.send_header("Set-Cookie", "lobby=x; Path=/")
        self.send_header("Cache-Control", "public, max-age=60")
        self.end_headers(); self.wfile.write(body)
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H); print(s.server_address[1], flush=True); s.serve_forever()
"#;

#[test]
fn an_instance_gets_its_own_session_and_nothing_of_who_someone_is() {
    let Some(lab) = T3Lab::bare("") else { return };
    let port = lab.program("ann", STUB_THAT_TELLS_THE_HEADERS, &[]);
    lab.serve(&[(ANN, "ann", port)]);
    let headers = "Cookie: t3_session=of-another; t3_session_7_ab=own; __Host-lobby=secret; t3_session_8_cd=third\n\
                   Cookie: authentik_proxy=sso\nAuthorization: Basic YTpi\nX-Forwarded-For: 1.2.3.4\n\
                   X-authentik-email: a@b\nX-Auth-Request-Access-Token: tok\nSec-Fetch-Dest: empty\n";
    let answer = lab.ask("GET /x", ANN, headers, "");
    let told = answer.text().to_lowercase();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        told.contains("cookie: t3_session_7_ab=own\n") && told.contains("host: t3.test"),
        "{told}"
    );
    for secret in [
        "of-another",
        "third",
        "lobby",
        "authentik",
        "authorization",
        "forwarded",
        "x-user",
        "secret",
        "tok",
    ] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    for name in ["x-accel-redirect", "set-cookie"] {
        assert_eq!(answer.header(name), None, "{answer:?}");
    }
    assert_eq!(answer.header("cache-control"), Some("private, max-age=60"));
}

#[test]
fn pages_of_other_origins_open_no_websocket_and_change_nothing() {
    let Some(lab) = T3Lab::new("") else { return };
    let session = lab.session(ANN);
    let upgrade = format!(
        "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nCookie: {session}\n"
    );
    for origin in [
        "http://evil.example",
        "null",
        "https://t3.test",
        "http://t3.test.evil.example",
        "http://lobby.test",
        "http://t3.test:8080",
        "",
    ] {
        let line = if origin.is_empty() { String::new() } else { format!("Origin: {origin}\n") };
        for path in ["/ws", "/probe/ws"] {
            let answer = lab.ask(&format!("GET {path}"), ANN, &format!("{upgrade}{line}"), "");
            assert_eq!(answer.status, 403, "{path} {origin}: {answer:?}");
        }
        let headers = format!("Cookie: {session}\n{line}Content-Type: application/json\n");
        let answer = lab.ask("POST /api/auth/browser-session", ANN, &headers, "{}");
        assert_eq!(answer.status, 403, "{origin}: {answer:?}");
    }
    let own =
        format!("Cookie: {session}\nOrigin: http://t3.test\nContent-Type: application/json\n");
    assert_eq!(
        lab.ask("POST /api/auth/browser-session", ANN, &own, "{}").status,
        400,
        "the instance's word"
    );
    // The lobby's own page is not there, and T3 Code not at the lobby's name.
    assert_eq!(lab.lab.get("/api/me", ANN).0, 200);
    let answer = lab.get("/api/me", ANN, &session);
    assert!(answer.text().starts_with("<!doctype html"), "{answer:?}");
}

/// A program that takes a port and keeps what it is sent.
const THIEF: &str = r#"
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(64); print(s.getsockname()[1], flush=True)
while True:
    c, _ = s.accept(); c.settimeout(2)
    try: data = c.recv(65536)
    except OSError: data = b""
    open("/home/bob/taken", "ab").write(data)
    try: c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
    except OSError: pass
    c.close()
"#;

#[test]
fn a_port_that_another_account_took_gets_neither_a_cookie_nor_a_credential() {
    let Some(lab) = T3Lab::new("") else { return };
    let session = lab.session(ANN);
    let (before, table) = (lab.mints(), lab.lab.host.sh("cat /etc/t3-serve/dispatch.json"));
    let table: serde_json::Value = serde_json::from_str(&table).unwrap();
    let port = table[ANN]["port"].to_string();
    lab.end("ann");
    lab.program("bob", THIEF, &[&port]);
    for answer in [
        lab.navigate("/", ANN, &session),
        lab.navigate("/", ANN, ""),
        lab.get("/api/secret", ANN, &session),
    ] {
        assert_eq!(answer.status, 502, "{answer:?}");
        assert!(answer.text().contains("another account"), "{answer:?}");
    }
    let taken = lab.lab.host.sh("cat /home/bob/taken 2>/dev/null || :");
    assert_eq!((taken.as_str(), lab.mints()), ("", before));
    wait_until("it is in the journal", || {
        lab.lab.said().contains(&format!("port {port} of ann is another account's"))
    });
}

#[test]
fn requests_that_two_programs_may_read_differently_are_refused() {
    let Some(lab) = T3Lab::new("") else { return };
    let user = crate::lobby::gateway::lab::Lab::as_user(ANN);
    let common = format!("Host: t3.test\nConnection: close\nOrigin: http://t3.test\n{user}");
    for (what, head, expected) in [
        (
            "both framings",
            format!(
                "POST / HTTP/1.1\n{common}Content-Length: 2\nTransfer-Encoding: chunked\n\n0\n\n"
            ),
            400,
        ),
        (
            "two lengths",
            format!("POST / HTTP/1.1\n{common}Content-Length: 2\nContent-Length: 3\n\n{{}}"),
            400,
        ),
        (
            "two codings",
            format!("POST / HTTP/1.1\n{common}Transfer-Encoding: gzip, chunked\n\n0\n\n"),
            400,
        ),
        ("an absolute target", format!("GET http://t3.test/ HTTP/1.1\n{common}\n"), 400),
        ("connect", format!("CONNECT t3.test:80 HTTP/1.1\n{common}\n"), 405),
        ("trace", format!("TRACE / HTTP/1.1\n{common}\n"), 405),
        ("1.0", format!("GET / HTTP/1.0\n{common}\n"), 505),
        ("two hosts", format!("GET / HTTP/1.1\nHost: t3.test\n{common}\n"), 403),
    ] {
        let answer = lab.raw(&head.replace('\n', "\r\n"));
        assert_eq!(answer.status, expected, "{what}: {answer:?}");
    }
}
