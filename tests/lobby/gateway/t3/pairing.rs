//! Browsers without a session get one, on navigations alone and once.

use super::browser::Browser;
use super::lab::{ANN, T3Lab};
use std::io::{Read, Write};

#[test]
fn a_navigation_is_paired_with_each_version_and_led_to_what_it_asked_for() {
    let Some(lab) = T3Lab::bare("") else { return };
    for (version, fallback, name) in [
        ("0.0.24", true, "t3_session="),
        ("0.0.26", false, "t3_session="),
        ("0.0.34", false, "t3_session_PORT_"),
    ] {
        let port = lab.instance("ann", version);
        lab.serve(&[(ANN, "ann", port)]);
        let before = lab.mints();
        let mut browser = Browser::new(&lab, ANN);
        let (page, at) = browser.go("/threads/7?a=b&c=%2F");
        assert_eq!(
            (page.status, at.as_str()),
            (200, "/threads/7?a=b&c=%2F"),
            "{version}: {page:?}"
        );
        assert_eq!(browser.redirects, 1);
        let name = name.replace("PORT", &port.to_string());
        assert!(browser.cookie().starts_with(&name), "{version}: {}", browser.cookie());
        assert_eq!(browser.jar.len(), 1, "the count of redirects is gone: {:?}", browser.jar);
        assert_eq!(lab.mints(), before + 1);
        // The page can be installed, compressed or not.
        let text = page.text();
        assert!(text.contains("rel=\"manifest\"") && text.ends_with("</html>"), "{version}");
        assert_eq!(page.header("content-length"), Some(&*page.body.len().to_string()));
        assert_eq!(page.header("content-encoding"), None);
        // What follows is passed on, with no further pairing.
        let said = lab.get("/api/auth/session", ANN, &browser.cookie());
        assert_eq!((said.status, &said.json()["authenticated"]), (200, &true.into()));
        assert_eq!(browser.go("/").0.status, 200);
        assert_eq!((browser.redirects, lab.mints()), (0, before + 1));
        let line = format!("fallback={fallback} ");
        crate::support::wait::wait_until("it is in the journal", || {
            let said = lab.lab.said();
            said.lines().any(|own| own.contains("paired user=ann endpoint=") && own.contains(&line))
        });
        lab.end("ann");
        lab.lab.host.sh("rm -rf /home/ann/.t3");
    }
}

#[test]
fn only_navigations_are_paired_and_other_requests_without_a_session_are_refused() {
    let Some(lab) = T3Lab::new("") else { return };
    let origin = "Origin: http://t3.test\n";
    for (what, line, headers) in [
        ("a fetch", "GET /api/x", "Sec-Fetch-Dest: empty\nAccept: text/html\n"),
        ("a script", "GET /assets/x.js", "Sec-Fetch-Dest: script\n"),
        ("a frame", "GET /", "Sec-Fetch-Dest: iframe\nAccept: text/html\n"),
        ("a program", "GET /", "Accept: application/json\n"),
        ("nothing said", "GET /", ""),
        ("a form", "POST /", "Accept: text/html\nOrigin: http://t3.test\nContent-Length: 0\n"),
        ("a head", "HEAD /", "Accept: text/html\n"),
    ] {
        let answer = lab.ask(line, ANN, headers, "");
        assert_eq!((answer.status, answer.session()), (401, None), "{what}: {answer:?}");
    }
    let upgrade = "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";
    let answer = lab.ask("GET /ws", ANN, &format!("{upgrade}{origin}"), "");
    assert_eq!(answer.status, 401, "{answer:?}");
    assert_eq!(lab.mints(), 0);
}

#[test]
fn a_stale_session_is_replaced_on_navigations_alone_and_a_good_one_behind_it_wins() {
    let Some(lab) = T3Lab::new("") else { return };
    let good = lab.session(ANN);
    assert_eq!(lab.mints(), 1);
    let stale = "t3_session=stale";
    let answer = lab.get("/api/auth/session", ANN, stale);
    assert_eq!((answer.status, &answer.json()["authenticated"]), (200, &false.into()));
    // On what is no navigation, too, whichever comes first.
    for both in [
        format!("{stale}; {good}"),
        format!("{good}; {stale}"),
        format!("t3_session=older; {stale}; t3_session_9_abc=x; {good}; a=b"),
    ] {
        let answer = lab.get("/api/auth/session", ANN, &both);
        assert_eq!(answer.json()["authenticated"], true, "{both}: {answer:?}");
        let answer = lab.navigate("/", ANN, &both);
        assert_eq!(answer.status, 200, "{both}");
    }
    assert_eq!(lab.mints(), 1);
    let answer = lab.navigate("/x", ANN, stale);
    assert_eq!((answer.status, answer.header("location")), (302, Some("http://t3.test/x")));
    assert!(answer.session().is_some());
    // In doubt it is good: nothing is paired, and the instance decides.
    lab.faults("ann", r#"{"broken_auth": true}"#);
    let (before, answer) = (lab.mints(), lab.navigate("/", ANN, stale));
    assert_eq!((answer.status, lab.mints()), (200, before), "{answer:?}");
}

#[test]
fn a_thousand_navigations_at_once_are_one_credential() {
    const MANY: usize = 1000;
    let Some(lab) = T3Lab::new("") else { return };
    lab.faults("ann", r#"{"mint_seconds": 1}"#);
    let headers = "Sec-Fetch-Dest: document\nConnection: close\n";
    let user = crate::lobby::gateway::lab::Lab::as_user(ANN);
    let request =
        format!("GET /a/b?c HTTP/1.1\nHost: t3.test\n{headers}{user}\n").replace('\n', "\r\n");
    let mut all: Vec<_> = (0..MANY).map(|_| lab.connect()).collect();
    for stream in &mut all {
        stream.write_all(request.as_bytes()).unwrap();
    }
    let mut sessions = std::collections::BTreeSet::new();
    for mut stream in all {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 302"), "{text}");
        assert!(text.contains("location: http://t3.test/a/b?c\r\n"), "{text}");
        let (_, session) = text.split_once("set-cookie: t3_session=").unwrap();
        sessions.insert(session.split(';').next().unwrap().to_owned());
    }
    assert_eq!((lab.mints(), sessions.len()), (1, 1));
    let session = format!("t3_session={}", sessions.pop_first().unwrap());
    assert_eq!(lab.navigate("/", ANN, &session).status, 200);
}

#[test]
fn no_path_leads_to_another_host() {
    let Some(lab) = T3Lab::new("") else { return };
    for path in [
        "//evil.example/x",
        "///evil.example",
        "/\\evil.example",
        "/@evil.example",
        "/.evil.example",
    ] {
        let answer = lab.navigate(path, ANN, "");
        if answer.status == 400 {
            continue;
        }
        let expected = format!("http://t3.test{path}");
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, Some(&*expected)),
            "{answer:?}"
        );
    }
}

#[test]
fn cookies_are_secure_where_the_address_has_tls() {
    let Some(lab) = T3Lab::with("https", "") else { return };
    let port = lab.instance("ann", "0.0.26");
    lab.serve(&[(ANN, "ann", port)]);
    let answer = lab.navigate("/", ANN, "");
    assert_eq!(answer.header("location"), Some("https://t3.test/"));
    for line in answer.set() {
        assert!(
            line.ends_with("; Secure") && line.contains("HttpOnly") && !line.contains("Domain"),
            "{line}"
        );
    }
    assert_eq!(answer.set().len(), 2);
}

/// A stub: an instance that hands sessions out and accepts none.
const STUB_THAT_ACCEPTS_NO_SESSION: &str = r#"
import http.server, json
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    count = 0
    def log_message(self, *_): pass
    def say(self, body, *more):
        self.send_response(200); self.send_header("Content-Length", str(len(body)))
        for line in more: self.send_header("Set-Cookie", line)
        self.end_headers(); self.wfile.write(body)
    def do_GET(self):
        self.say(json.dumps({"authenticated": False, "auth": {"sessionCookieName": "t3_session"}}).encode())
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"])); H.count += 1
        self.say(b"{}", f"t3_session=s{H.count}; Path=/", "__Host-lobby=evil; Path=/")
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H); print(s.server_address[1], flush=True); s.serve_forever()
"#;

#[test]
fn redirects_that_lead_nowhere_end_with_a_page_that_says_so() {
    let Some(lab) = T3Lab::bare("") else { return };
    let port = lab.program("ann", STUB_THAT_ACCEPTS_NO_SESSION, &[]);
    lab.lab.host.sh("echo 0.0.26 >/run/t3-version-ann; install -d -o ann -g ann /home/ann/.t3");
    lab.serve(&[(ANN, "ann", port)]);
    let mut browser = Browser::new(&lab, ANN);
    let (page, _) = browser.go("/x");
    assert_eq!((page.status, browser.redirects), (502, 2), "{page:?}");
    assert!(page.text().contains("does not accept it"), "{page:?}");
    assert!(browser.jar.keys().all(|name| name == "t3_session"), "{:?}", browser.jar);
    // A browser that keeps no cookie is no reason for more credentials.
    for _ in 0..30 {
        lab.navigate("/x", ANN, "");
    }
    assert!(lab.mints() <= 12, "{}", lab.mints());
    assert_eq!(lab.navigate("/x", ANN, "").status, 502);
    assert!(lab.metrics().contains("lobby_t3_loops_total 1\n"));
}
