//! Links to a conversation's text: what one who has the secret reads, how often, and what no one else does.

use super::lab::{Lab, SECRET, parse, status};
use crate::lobby::client::{Client, Event};
use crate::support::wait::wait_for;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

const ANN: &str = "ann@example.org";
const BOB: &str = "bob@example.org";
const CONVERSATION: &str = "0d0a8f5e-3c1b-4f6e-9a57-000000000001";
const LATER: &str = "0d0a8f5e-3c1b-4f6e-9a57-000000000002";

/// A lab in which bob has a session `talk` with a conversation.
fn lab(further: &str) -> Option<(Lab, String)> {
    let lab = Lab::with("lobby::gateway", "proxy", further)?;
    let stub = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lobby/browser/stub-claude");
    lab.host.install("claude", Path::new(stub));
    for (id, text) in [(CONVERSATION, "the first words"), (LATER, "the later words")] {
        say(&lab, id, text);
    }
    talk(&lab, CONVERSATION);
    let id = lab.birth_id(BOB, "talk");
    Some((lab, id))
}

/// Starts the session with a conversation; one that is there ends.
fn talk(lab: &Lab, conversation: &str) {
    let claude = format!("{}/claude", crate::support::host::BIN);
    let run = format!("exec /bin/sh {claude} --session-id {conversation}");
    let words = [
        "new-session",
        "-d",
        "-s",
        "talk",
        "-c",
        "/home/bob",
        "-e",
        "STATUS=idle",
        "--",
        "sh",
        "-c",
        &run,
    ];
    lab.host.tmux("bob", words).ok();
}

/// Writes a prompt into a conversation's transcript.
fn say(lab: &Lab, conversation: &str, text: &str) {
    let line = json!({
        "type": "user", "uuid": conversation, "sessionId": conversation, "cwd": "/home/bob", "parentUuid": null,
        "timestamp": "2026-11-20T10:00:00.000Z", "isSidechain": false, "userType": "external", "version": "2.1.332",
        "message": {"role": "user", "content": text},
    });
    let dir = "/home/bob/.claude/projects/-home-bob";
    let file = format!("{dir}/{conversation}.jsonl");
    lab.host.sh_as("bob", &format!("mkdir -p {dir}; cat >>{file} <<'END'\n{line}\nEND"));
}

/// Bob makes a link; gives its secret.
fn link(lab: &Lab, session: &str, viewers: u32) -> String {
    let body = json!({"session": session, "days": 1, "viewers": viewers}).to_string();
    let (code, made) = parse(&lab.post("/api/links", &Lab::as_user(BOB), &body));
    assert_eq!(code, 200, "{made}");
    made["secret"].as_str().unwrap().to_owned()
}

fn links(lab: &Lab) -> Vec<Value> {
    lab.get("/api/shares", BOB).1["links"].as_array().unwrap().clone()
}

/// Asks for a ticket; gives the whole answer.
fn ask(lab: &Lab, secret: &str, headers: &str) -> String {
    lab.post("/api/link", headers, &json!({"link": secret}).to_string())
}

fn open(lab: &Lab, secret: &str, headers: &str) -> Result<Client, u16> {
    let (code, answer) = parse(&ask(lab, secret, headers));
    let Some(ticket) = answer["ticket"].as_str() else { return Err(code) };
    let path = format!("/api/link/{ticket}");
    let mut socket = lab.socket(&path, headers)?;
    assert!(lab.socket(&path, headers).is_err(), "a ticket is good once");
    // Whatever session the page names, it reads that of the link.
    socket.send_text(r#"{"type":"hello","session":"0123456789abcdef"}"#);
    Ok(socket)
}

fn text_of(said: &Value) -> String {
    said["messages"][0]["text"].as_str().unwrap_or_default().to_owned()
}

/// One who is not logged in, as a browser with a cookie or without one.
fn stranger(cookie: &str) -> String {
    let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\n") };
    format!("X-Lobby-Secret: {SECRET}\n{cookie}")
}

#[test]
fn a_link_shows_one_conversation_to_so_many_people_until_it_is_revoked() {
    let Some((lab, id)) = lab("") else { return };
    let secret = link(&lab, &id, 1);
    assert_eq!(secret.len(), 32);
    let kept = lab.host.sh("find /home/bob /var/lib -name shares.json -exec cat {} +");
    assert!(!kept.contains(&secret) && kept.contains("\"hash\""), "{kept}");
    assert_eq!(
        status(&ask(&lab, &secret, &stranger(""))),
        401,
        "only for people who are logged in"
    );
    let mut socket = open(&lab, &secret, &Lab::as_user(ANN)).ok().unwrap();
    let newest = socket.next_json();
    assert_eq!((&newest["type"], text_of(&newest)), (&json!("newest"), "the first words".into()));
    say(&lab, CONVERSATION, "more of it");
    assert_eq!(text_of(&socket.next_json()), "more of it");
    // Who looks is shown to the owner.
    let shown = wait_for("it is counted", || links(&lab).pop().filter(|link| link["looking"] == 1));
    assert_eq!((&shown["viewers"], &shown["most"]), (&json!(1), &json!(1)));
    assert!(shown["viewed"].as_u64().unwrap() > 0 && shown.get("hash").is_none(), "{shown}");
    // The same person again is no other viewer; another person is one too many.
    assert!(open(&lab, &secret, &Lab::as_user(ANN)).is_ok());
    assert!(matches!(open(&lab, &secret, &Lab::as_user(BOB)), Err(403)));
    // A later conversation of the session is not shown.
    lab.host.tmux("bob", ["kill-session", "-t", "talk"]).ok();
    talk(&lab, LATER);
    let said: Vec<String> = std::iter::from_fn(|| match socket.next(Duration::from_millis(500)) {
        Event::Json(said) => Some(said.to_string()),
        _ => None,
    })
    .collect();
    assert!(!said.concat().contains("later words"), "{said:?}");
    // Revoked: said within a second, and gone.
    let begin = Instant::now();
    let path = format!("/api/shares/{}/revoke", links(&lab)[0]["id"].as_str().unwrap());
    assert_eq!(status(&lab.post(&path, &Lab::as_user(BOB), "{}")), 204);
    let end = wait_for("it is said", || match socket.next(Duration::from_secs(1)) {
        Event::Json(said) => {
            (said["type"] == "nothing" && said["why"] == "revoked").then_some(begin.elapsed())
        }
        _ => None,
    });
    assert!(end < Duration::from_secs(1), "{end:?}");
    assert_eq!(status(&ask(&lab, &secret, &Lab::as_user(ANN))), 404);
    for kind in ["link_made", "link_opened", "link_revoked"] {
        lab.says(&format!("{kind}: session {id} of bob"));
    }
}

#[test]
fn without_login_a_link_is_read_where_the_site_allows_it_and_guesses_are_limited() {
    let further = "links_without_login = true\n\n[limits]\nfailed_logins_per_minute = 5\n";
    let Some((lab, id)) = lab(further) else { return };
    let secret = link(&lab, &id, 2);
    let answer = ask(&lab, &secret, &stranger(""));
    assert_eq!(status(&answer), 200, "{answer}");
    let cookie = answer.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    assert!(answer.contains("HttpOnly") && answer.contains("SameSite=Strict"), "{answer}");
    let mut socket = open(&lab, &secret, &stranger(&cookie)).ok().unwrap();
    assert_eq!(text_of(&socket.next_json()), "the first words");
    // A browser with the cookie is the same viewer; each other browser is one more.
    assert!(open(&lab, &secret, &stranger(&cookie)).is_ok());
    assert!(open(&lab, &secret, &stranger("")).is_ok());
    assert!(matches!(open(&lab, &secret, &stranger("")), Err(403)));
    // It opens nothing else, whatever is claimed.
    let hash = links(&lab).len().to_string();
    let forged = format!("{}X-Lobby-Link: {hash}\nX-Lobby-Actor: bob\n", stranger(&cookie));
    for path in ["/api/me", "/api/shares", "/api/agents", "/api/people", "/shared/bob/api/me"] {
        assert_eq!(status(&lab.ask(&format!("GET {path}"), &forged)), 401, "{path}");
    }
    for path in ["/api/events", "/api/terminal", "/api/conversation", "/api/shared"] {
        assert!(matches!(lab.socket(path, &forged), Err(401)), "{path}");
    }
    assert!(matches!(lab.socket("/api/link/0123", &forged), Err(404)));
    // Guesses: some, then none for a minute; the right one goes on.
    let wrong = "0".repeat(32);
    let codes: Vec<u16> = (0..8).map(|_| status(&ask(&lab, &wrong, &stranger("")))).collect();
    assert!(codes.starts_with(&[404]) && codes.ends_with(&[429]), "{codes:?}");
    assert_eq!(status(&ask(&lab, &secret, &stranger(&cookie))), 200);
    // The owner is cut: so is who reads.
    lab.map(&format!("{ANN}=ann"));
    let (took, _) = super::cut::closed(&mut socket);
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(status(&ask(&lab, &secret, &stranger(&cookie))), 404);
}
