//! Bounds: nobody can make the gateway hold much, or keep others out for long.

use super::lab::{Lab, memory, status};
use super::link::{link, use_link};
use crate::support::wait::wait_until;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const ANN: &str = "ann@example.org";

fn connect(lab: &Lab) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", lab.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

#[test]
fn slow_and_large_requests_end_and_cost_nothing() {
    let Some(lab) = Lab::with(
        "lobby::gateway",
        "proxy",
        "\n\n[limits]\nheader_seconds = 1\nstalled_seconds = 1\n",
    ) else {
        return;
    };
    let before = memory(lab.pid());
    // Headers that come slowly.
    let mut slow = connect(&lab);
    slow.write_all(b"GET /api/me HTTP/1.1\r\nHost: lobby.test\r\n").unwrap();
    let begin = Instant::now();
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    // Headers that are too large or too many.
    let user = Lab::as_user(ANN);
    let large = lab.ask("GET /api/me", &format!("{user}X-Large: {}\n", "a".repeat(64 << 10)));
    assert!([0, 400, 431].contains(&status(&large)), "{large}");
    let many: Vec<String> = (0..500).map(|number| format!("X-{number}: a\n")).collect();
    let many = many.concat();
    let many = lab.ask("GET /api/me", &format!("{user}{many}"));
    assert!([0, 400, 431].contains(&status(&many)), "{many}");
    let long = lab.ask(&format!("GET /{}", "a".repeat(100_000)), &user);
    assert!([0, 400, 414, 431].contains(&status(&long)), "{long}");
    // A body that is too large, and one that never comes.
    let head = |length: usize| {
        format!(
            "POST /api/restore/plan HTTP/1.1\nHost: lobby.test\nConnection: close\nOrigin: http://lobby.test\n\
             Content-Type: application/json\nContent-Length: {length}\n{user}\n"
        )
        .replace('\n', "\r\n")
    };
    let mut stream = connect(&lab);
    let _ = stream.write_all(head(256 << 20).as_bytes());
    let part = vec![b'x'; 1 << 20];
    let sent = (0..256).take_while(|_| stream.write_all(&part).is_ok()).count();
    assert!(sent < 64, "it took {sent} MiB");
    let mut stream = connect(&lab);
    stream.write_all(head(1000).as_bytes()).unwrap();
    let begin = Instant::now();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?} {answer}", begin.elapsed());
    let after = memory(lab.pid());
    assert!(after < before + 4096, "{before} KiB grew to {after}");
    assert_eq!(lab.names(ANN), ["of-ann"]);
}

#[test]
fn one_user_cannot_take_all_connections_and_all_together_not_more_than_there_may_be() {
    let Some(lab) = Lab::with(
        "lobby::gateway",
        "proxy",
        "metrics = \"127.0.0.1:0\"\n\n[limits]\nconnections = 40\nconnections_per_user = 5\n",
    ) else {
        return;
    };
    let open = |identity: &str| lab.socket("/api/events", &Lab::as_user(identity));
    let mut all: Vec<_> = (0..5).map(|_| open(ANN).ok().unwrap()).collect();
    assert!(matches!(open(ANN), Err(429)));
    assert!(open("bob@example.org").is_ok(), "another user comes in");
    drop(all.pop());
    wait_until("there is room again", || open(ANN).is_ok());
    drop(all);
    // Connections that say nothing.
    let idle: Vec<_> =
        (0..60).map(|_| TcpStream::connect(("127.0.0.1", lab.port())).unwrap()).collect();
    let refused = idle
        .iter()
        .filter(|stream| {
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let mut stream = *stream;
            matches!(stream.read(&mut [0; 1]), Ok(0))
        })
        .count();
    assert!(refused >= 15, "{refused} of 60 refused");
    drop(idle);
    wait_until("others come in again", || lab.get("/api/me", ANN).0 == 200);
}

#[test]
fn a_websocket_holds_the_place_of_its_connection() {
    let Some(lab) = Lab::with(
        "lobby::gateway",
        "proxy",
        "metrics = \"127.0.0.1:0\"\n\n[limits]\nconnections = 6\n",
    ) else {
        return;
    };
    let open = || lab.socket("/api/events", &Lab::as_user(ANN));
    let mut sockets = Vec::new();
    wait_until("all but one place are taken by WebSockets", || {
        sockets.extend(open().ok());
        sockets.len() == 5
    });
    let is_refused = |mut stream: TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        matches!(stream.read(&mut [0; 1]), Ok(0))
    };
    let connect = || TcpStream::connect(("127.0.0.1", lab.port())).unwrap();
    let last = connect();
    let mut beyond = Vec::new();
    wait_until("there is no seventh place", || {
        beyond.push(is_refused(connect()));
        beyond.last() == Some(&true)
    });
    drop((last, sockets));
    wait_until("others come in again", || lab.get("/api/me", ANN).0 == 200);
}

#[test]
fn ten_thousand_idle_connections_do_no_harm() {
    let Some(lab) = Lab::with("lobby::gateway", "proxy", "\n\n[limits]\nheader_seconds = 600\n")
    else {
        return;
    };
    let wanted: u64 = 10_000;
    let has = terminal_lobby::sys::process::limits::raise_open_files_to(wanted + 500);
    if has < wanted + 500 {
        return crate::support::lacks::lacks(
            "lobby::gateway",
            &format!("{has} open files are too few"),
        );
    }
    let before = memory(lab.pid());
    let idle: Vec<_> = (0..wanted - 50)
        .map(|_| {
            let stream = TcpStream::connect(("127.0.0.1", lab.port())).unwrap();
            (&stream).write_all(b"GET /").unwrap();
            stream
        })
        .collect();
    let begin = Instant::now();
    assert_eq!(lab.names(ANN), ["of-ann"]);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    let each = (memory(lab.pid()) - before) * 1024 / wanted;
    assert!(each < 24 << 10, "{each} bytes each");
    drop(idle);
    wait_until("they are gone", || {
        std::fs::read_dir(format!("/proc/{}/fd", lab.pid())).unwrap().count() < 100
    });
}

#[test]
fn failed_logins_are_counted_and_keep_no_one_out() {
    let Some(lab) =
        Lab::with("lobby::gateway", "link", "\n\n[limits]\nfailed_logins_per_minute = 5\n")
    else {
        return;
    };
    let codes: Vec<u16> =
        (0..7).map(|_| status(&lab.post("/api/login", "", r#"{"link":"x"}"#))).collect();
    assert_eq!(codes, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(status(&lab.post("/api/login", "", &"x".repeat(5000))), 400);
    // Who has a link gets in.
    assert_eq!(status(&use_link(&lab, &link(&lab, "ann"))), 204);
}
