//! Who gets in: the link works once, and nothing of the lobby is there for a page of another origin, another host's
//! name, or without the cookie.

use super::client::{Client, Event};
use super::lab::Lobby;
use crate::support::run::run;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

/// The status of an HTTP request that is sent byte for byte.
fn status(lobby: &Lobby, request: &str) -> u16 {
    answer(lobby, request).split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn answer(lobby: &Lobby, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", lobby.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

fn post(lobby: &Lobby, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\nHost: 127.0.0.1:{}\nContent-Type: application/json\nContent-Length: {length}\n{headers}\n{body}",
        lobby.port()
    );
    answer(lobby, &request)
}

/// Posts JSON as the page does; gives the status and what is answered.
pub(super) fn post_json(lobby: &Lobby, path: &str, body: &str) -> (u16, String) {
    let headers = format!(
        "Origin: http://127.0.0.1:{}\nCookie: {}\nConnection: close\n",
        lobby.port(),
        lobby.cookie()
    );
    let answer = post(lobby, path, &headers, body);
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status, body.unwrap_or_default())
}

/// The whole answer to a request for a path, as the page makes it.
pub(super) fn get(lobby: &Lobby, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", lobby.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nCookie: {}\r\nConnection: close\r\n\r\n",
        lobby.port(),
        lobby.cookie()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Logs a browser in; gives its cookie.
pub(super) fn log_in(lobby: &Lobby) -> String {
    let origin = format!("Origin: http://127.0.0.1:{}\n", lobby.port());
    let answer = post(lobby, "/api/login", &origin, &format!(r#"{{"link":"{}"}}"#, lobby.link()));
    let line = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    line.split(';').next().unwrap().to_owned()
}

#[test]
fn a_link_works_once_and_nothing_is_there_without_it() {
    let lobby = Lobby::with_sessions(&["a"]);
    let host = format!("Host: 127.0.0.1:{}\n", lobby.port());
    assert_eq!(
        status(&lobby, &format!("GET / HTTP/1.1\n{host}\n")),
        200,
        "the page itself holds nothing"
    );
    assert_eq!(status(&lobby, &format!("GET /api/me HTTP/1.1\n{host}\n")), 401);
    let cookie = lobby.cookie();
    let me =
        |cookie: &str| status(&lobby, &format!("GET /api/me HTTP/1.1\n{host}Cookie: {cookie}\n\n"));
    assert_eq!(me(cookie), 200);
    assert_eq!(me(&cookie[..cookie.len() - 1]), 401);
    let origin = format!("Origin: http://127.0.0.1:{}\n", lobby.port());
    let again = post(&lobby, "/api/login", &origin, &format!(r#"{{"link":"{}"}}"#, lobby.link()));
    assert!(again.starts_with("HTTP/1.1 401"), "{again}");
}

#[test]
fn another_origin_another_host_and_a_missing_origin_are_refused_though_the_cookie_is_there() {
    let lobby = Lobby::with_sessions(&["a"]);
    let cookie = lobby.cookie();
    let port = lobby.port();
    let upgrade = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";
    for path in ["/api/terminal", "/api/events"] {
        let open = |host: &str, origin: &str| {
            status(
                &lobby,
                &format!(
                    "GET {path} HTTP/1.1\nHost: {host}\nCookie: {cookie}\n{upgrade}{origin}\n"
                ),
            )
        };
        let (host, own) =
            (format!("127.0.0.1:{port}"), format!("Origin: http://127.0.0.1:{port}\n"));
        assert_eq!(open(&host, &own), 101);
        assert_eq!(open(&host, ""), 403, "no origin");
        assert_eq!(open(&host, "Origin: http://evil.example\n"), 403);
        assert_eq!(open(&host, "Origin: null\n"), 403);
        assert_eq!(open(&host, &format!("{own}{own}")), 403, "two");
        assert_eq!(
            open("evil.example", "Origin: http://evil.example\n"),
            403,
            "a name that points here"
        );
        let bare = format!("GET {path} HTTP/1.1\nHost: {host}\n{upgrade}{own}\n");
        assert_eq!(status(&lobby, &bare), 401, "no cookie");
    }
    let evil = format!("Origin: http://evil.example\nCookie: {cookie}\n");
    for path in ["/api/restore", "/api/sessions", "/api/sessions/0123456789abcdef/end"] {
        let answer = post(&lobby, path, &evil, "{}");
        assert!(answer.starts_with("HTTP/1.1 403"), "{path}: {answer}");
    }
}

#[test]
fn only_the_loopback_address_is_listened_on_and_the_secret_is_in_no_argument() {
    let lobby = Lobby::with_sessions(&["a"]);
    let listening = run(Command::new("ss").args(["-Hltnp"])).ok().out();
    let own = format!("pid={},", lobby.pid());
    let addresses: Vec<&str> = listening
        .lines()
        .filter(|line| line.contains(&own))
        .filter_map(|line| line.split_whitespace().nth(3))
        .collect();
    assert_eq!(addresses, [format!("127.0.0.1:{}", lobby.port())]);
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", lobby.pid())).unwrap();
    assert!(!arguments.contains(lobby.link()));
}

#[test]
fn a_login_that_is_revoked_is_cut_at_once() {
    let lobby = Lobby::with_sessions(&["a"]);
    let mut page = Client::connect(&lobby, "/api/events");
    page.next_json();
    let get = |path: &str| {
        let (port, cookie) = (lobby.port(), lobby.cookie());
        let request = format!("GET {path} HTTP/1.1\nHost: 127.0.0.1:{port}\nCookie: {cookie}\n\n");
        answer(&lobby, &request)
    };
    let logins = get("/api/logins");
    let logins: serde_json::Value =
        serde_json::from_str(&logins[logins.find("\r\n\r\n").unwrap()..]).unwrap();
    assert_eq!(logins[0]["current"], true);
    let headers =
        format!("Origin: http://127.0.0.1:{}\nCookie: {}\n", lobby.port(), lobby.cookie());
    let revoke = format!("/api/logins/{}/revoke", logins[0]["id"].as_str().unwrap());
    let answer = post(&lobby, &revoke, &headers, "{}");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    let begin = std::time::Instant::now();
    while !matches!(page.next(Duration::from_millis(100)), Event::Closed(_)) {
        assert!(begin.elapsed() < Duration::from_secs(1));
    }
    assert!(get("/api/me").starts_with("HTTP/1.1 401"));
}
