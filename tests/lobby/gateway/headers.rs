//! Forged, doubled and odd requests.

use super::lab::{Lab, SECRET, status};

const ANN: &str = "ann@example.org";

#[test]
fn an_identity_counts_only_once_with_its_proof_and_as_it_is_in_the_map() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let proof = format!("X-Lobby-Secret: {SECRET}\n");
    let long = "a".repeat(5000);
    for (what, headers, expected) in [
        ("as it should be", format!("X-User: {ANN}\n{proof}"), 200),
        ("in another case", format!("x-uSER: {ANN}\nx-LOBBY-secret: {SECRET}\n"), 200),
        ("no identity", proof.clone(), 401),
        ("no proof", format!("X-User: {ANN}\n"), 403),
        ("a wrong secret", format!("X-User: {ANN}\nX-Lobby-Secret: {}\n", "f".repeat(32)), 403),
        (
            "a part of the secret",
            format!("X-User: {ANN}\nX-Lobby-Secret: {}\n", &SECRET[..31]),
            403,
        ),
        ("two secrets", format!("X-User: {ANN}\n{proof}{proof}"), 403),
        ("twice", format!("X-User: {ANN}\nX-User: {ANN}\n{proof}"), 400),
        ("two", format!("X-User: {ANN}\nX-USER: bob@example.org\n{proof}"), 400),
        ("joined", format!("X-User: {ANN},bob@example.org\n{proof}"), 400),
        ("empty", format!("X-User: \n{proof}"), 400),
        ("with a blank", format!("X-User: ann example\n{proof}"), 400),
        ("very long", format!("X-User: {long}\n{proof}"), 400),
        ("unknown", format!("X-User: eve@example.org\n{proof}"), 403),
        ("a user's name", format!("X-User: ann\n{proof}"), 403),
        ("root", format!("X-User: root\n{proof}"), 403),
        ("another case of it", format!("X-User: ANN@example.org\n{proof}"), 403),
    ] {
        let answer = lab.ask("GET /api/me", &headers);
        assert_eq!(status(&answer), expected, "{what}: {answer}");
    }
    let proof = format!("X-Lobby-Secret: {SECRET}\r\n\r\n");
    let bytes = [
        b"GET /api/me HTTP/1.1\r\nHost: lobby.test\r\nConnection: close\r\nX-User: \xff\xfe\r\n"
            .as_slice(),
        proof.as_bytes(),
    ];
    assert_eq!(status(&lab.raw(&bytes.concat())), 400, "not UTF-8");
    // The next request of a connection is another person's: nothing of the one before stays.
    let request = |user: &str, close: &str| {
        format!(
            "GET /api/me HTTP/1.1\r\nHost: lobby.test\r\n{close}{user}X-Lobby-Secret: {SECRET}\r\n\r\n"
        )
    };
    let two = request("X-User: ann@example.org\r\n", "") + &request("", "Connection: close\r\n");
    let answers = lab.raw(two.as_bytes());
    assert!(answers.starts_with("HTTP/1.1 200") && answers.contains("HTTP/1.1 401"), "{answers}");
}

#[test]
fn a_page_of_another_origin_and_a_request_for_another_host_get_nothing() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let user = Lab::as_user(ANN);
    let upgrade = "Upgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";
    let open = |host: &str, origin: &str| {
        let head = format!(
            "GET /api/events HTTP/1.1\n{host}Connection: Upgrade\n{upgrade}{origin}{user}\n"
        );
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", lab.port())).unwrap();
        std::io::Write::write_all(&mut stream, head.replace('\n', "\r\n").as_bytes()).unwrap();
        let mut answer = [0; 64];
        let length = std::io::Read::read(&mut stream, &mut answer).unwrap();
        status(&String::from_utf8_lossy(&answer[..length]))
    };
    let (host, own) = ("Host: lobby.test\n", "Origin: http://lobby.test\n");
    assert_eq!(open(host, own), 101);
    for origin in [
        "",
        "Origin: http://evil.example\n",
        "Origin: null\n",
        "Origin: https://lobby.test\n",
        "Origin: http://lobby.test.evil.example\n",
    ] {
        assert_eq!(open(host, origin), 403, "{origin}");
    }
    assert_eq!(open(host, &format!("{own}{own}")), 403, "two origins");
    assert_eq!(
        open("Host: evil.example\n", "Origin: http://evil.example\n"),
        403,
        "a name that points here"
    );
    assert_eq!(open("", own), 403, "no host");
    assert_eq!(open(&format!("{host}{host}"), own), 403, "two hosts");
    let evil = format!("Origin: http://evil.example\n{user}");
    let length = "Content-Length: 2\nContent-Type: application/json\n";
    for path in ["/api/restore", "/api/sessions", "/api/logout"] {
        let answer = lab.ask(&format!("POST {path}"), &format!("{length}{evil}"));
        assert_eq!(status(&answer), 403, "{path}: {answer}");
    }
}

#[test]
fn requests_that_two_programs_may_read_differently_are_refused() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let user = Lab::as_user(ANN);
    let send = |head: &str| status(&lab.raw(head.replace('\n', "\r\n").as_bytes()));
    let common = format!("Host: lobby.test\nConnection: close\nOrigin: http://lobby.test\n{user}");
    for (what, head, expected) in [
        (
            "both framings",
            format!(
                "POST /api/restore/plan HTTP/1.1\n{common}Content-Length: 2\nTransfer-Encoding: chunked\n\n0\n\n"
            ),
            400,
        ),
        (
            "the other way",
            format!(
                "POST /api/restore/plan HTTP/1.1\n{common}Transfer-Encoding: chunked\nContent-Length: 2\n\n0\n\n"
            ),
            400,
        ),
        (
            "chunks",
            format!("POST /api/restore/plan HTTP/1.1\n{common}Transfer-Encoding: chunked\n\n0\n\n"),
            400,
        ),
        (
            "two lengths",
            format!(
                "POST /api/restore/plan HTTP/1.1\n{common}Content-Length: 2\nContent-Length: 3\n\n{{}}"
            ),
            400,
        ),
        (
            "an odd length",
            format!("POST /api/restore/plan HTTP/1.1\n{common}Content-Length: +2\n\n{{}}"),
            400,
        ),
        ("an absolute target", format!("GET http://lobby.test/api/me HTTP/1.1\n{common}\n"), 400),
        ("connect", format!("CONNECT lobby.test:80 HTTP/1.1\n{common}\n"), 405),
        ("trace", format!("TRACE /api/me HTTP/1.1\n{common}\n"), 405),
        ("delete", format!("DELETE /api/me HTTP/1.1\n{common}\n"), 405),
        ("1.0", format!("GET /api/me HTTP/1.0\n{common}\n"), 505),
        (
            "an upgrade to something else",
            format!("GET /api/events HTTP/1.1\nUpgrade: h2c\n{common}\n"),
            400,
        ),
        (
            "a header with a blank in its name",
            format!("GET /api/me HTTP/1.1\nX-User : bob@example.org\n{common}\n"),
            400,
        ),
        ("a folded header", format!("GET /api/me HTTP/1.1\nX-A: b\n c\n{common}\n"), 400),
        ("garbage", "\u{1}\u{2}\n\n".to_owned(), 400),
    ] {
        assert_eq!(send(&head), expected, "{what}");
    }
    for path in [
        "//api/me",
        "/api//me",
        "/./api/me",
        "/api/../api/me",
        "/as/../api/me",
        "/as/bob/../ann/api/me",
        "/%61pi/me",
        "/as/%62ob/api/me",
        "/as/bob/%2e%2e/api/me",
        "/api/me;x",
        "/api\\me",
        "/as//api/me",
    ] {
        let code = send(&format!("GET {path} HTTP/1.1\n{common}\n"));
        assert!(code == 400 || code == 404, "{path}: {code}");
    }
    assert_eq!(lab.names(ANN), ["of-ann"], "and it goes on");
}

#[test]
fn what_a_browser_says_of_itself_to_agents_does_not_reach_them() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    lab.instead_of_agent("ann", super::agents::STUB_THAT_TELLS_THE_HEADERS);
    let forged = "X-Lobby-Actor: bob\nX-Lobby-Access: drive\nX-Lobby-Owner: yes\nCookie: a=b\nAuthorization: x\n\
        X-Forwarded-For: 1.2.3.4\n";
    let answer = lab.ask("GET /api/thing?a=b", &format!("{forged}{}", Lab::as_user(ANN)));
    let told = answer.to_lowercase();
    assert!(told.contains("get /api/thing?a=b http/1.1"), "{answer}");
    assert_eq!(told.matches("x-lobby-actor:").count(), 1, "{answer}");
    assert!(
        told.contains("x-lobby-actor: ann") && told.contains("x-lobby-access: drive"),
        "{answer}"
    );
    for secret in ["cookie", "authorization", "x-lobby-secret", "x-user", SECRET, "x-forwarded"] {
        assert!(!told.contains(secret), "{secret}: {answer}");
    }
}
