//! Admins who look at another's lobby.

use super::cut::closed;
use super::lab::{Lab, parse, status};
use crate::lobby::client::Event;
use std::time::Duration;

const ANN: &str = "ann@example.org";
const BOB: &str = "bob@example.org";

#[test]
fn an_admin_watches_another_lobby_changes_nothing_and_is_in_the_journal() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let (code, _) = lab.get("/as/bob/api/me", ANN);
    assert_eq!(code, 403, "ann is no admin yet");
    assert!(matches!(lab.socket("/as/bob/api/events", &Lab::as_user(ANN)), Err(403)));
    lab.admins("# admins\nann\nroot");
    crate::support::wait::wait_until("ann is an admin", || {
        lab.get("/api/me", ANN).1["admin"] == true
    });
    assert_eq!(lab.get("/api/me", ANN).1["users"], serde_json::json!(["ann", "bob"]));
    let (_, me) = lab.get("/as/bob/api/me", ANN);
    for (key, value) in [("user", "bob"), ("actor", "ann"), ("access", "watch")] {
        assert_eq!(me[key], value, "{me}");
    }
    for user in ["root", "lobby", "nosuch", "nobody"] {
        assert_eq!(lab.get(&format!("/as/{user}/api/me"), ANN).0, 404, "{user}");
    }
    assert_eq!(status(&lab.ask("GET /as/bob/", &Lab::as_user(ANN))), 200);
    assert!(lab.ask("GET /as/bob", &Lab::as_user(ANN)).contains("location: /as/bob/\r\n"));
    let list = lab.list("/as/bob/api/events", ANN);
    let (name, id) = (&list["sessions"][0]["name"], list["sessions"][0]["id"].as_str().unwrap());
    assert_eq!(name, "of-bob");
    let rename = format!("/as/bob/api/sessions/{id}/rename");
    let answer = lab.post(&rename, &Lab::as_user(ANN), r#"{"name":"taken"}"#);
    assert_eq!(status(&answer), 403, "{answer}");
    let pin = format!(r#"{{"version":0,"change":{{"type":"pin","session":"{id}","is":true}}}}"#);
    for (path, body) in [
        ("/as/bob/api/layout", pin.as_str()),
        ("/as/bob/api/sessions", r#"{"directory":"~","prompt":"x"}"#),
    ] {
        assert_eq!(status(&lab.post(path, &Lab::as_user(ANN), body)), 403, "{path}");
    }
    assert_eq!(lab.get("/as/bob/api/layout", ANN).1["version"], 0);
    assert_eq!(status(&lab.post("/as/bob/api/logout", &Lab::as_user(ANN), "{}")), 404);
    // A terminal only watches, though the page asks to drive.
    let mut view = lab.socket("/as/bob/api/terminal", &Lab::as_user(ANN)).ok().unwrap();
    view.send_text(&format!(
        r#"{{"type":"hello","view":"{}","session":"{id}","columns":50,"rows":10,"received":0,"watch":false}}"#,
        "c".repeat(32)
    ));
    assert_eq!(view.next_json()["type"], "welcome");
    crate::support::wait::wait_until("its client is there", || {
        lab.host.tmux("bob", ["list-clients", "-F", "#{client_readonly}"]).out().trim() == "1"
    });
    // What is in no session is not for ann: she neither searches nor reads past conversations.
    assert!(matches!(lab.socket("/as/bob/api/search", &Lab::as_user(ANN)), Err(403)));
    let mut past = lab.socket("/as/bob/api/conversation", &Lab::as_user(ANN)).ok().unwrap();
    past.send_text(
        r#"{"type":"past","agent":"claude","id":"0d0a8f5e-0000-4000-8000-000000000001"}"#,
    );
    assert!(matches!(past.next(Duration::from_secs(10)), Event::Closed(_)));
    let resume = "/as/bob/api/conversations/resume";
    let body = r#"{"agent":"claude","id":"0d0a8f5e-0000-4000-8000-000000000001"}"#;
    assert_eq!(status(&lab.post(resume, &Lab::as_user(ANN), body)), 403);
    assert!(lab.socket("/api/search", &Lab::as_user(BOB)).is_ok(), "bob searches his own");
    // Nor does she upload or fetch files.
    assert!(matches!(lab.socket("/as/bob/api/files/upload", &Lab::as_user(ANN)), Err(403)));
    for what in ["list", "open"] {
        let body = format!(r#"{{"session":"{id}","path":""}}"#);
        let answer = lab.post(&format!("/as/bob/api/files/{what}"), &Lab::as_user(ANN), &body);
        assert_eq!(status(&answer), 403, "{answer}");
    }
    assert_eq!(lab.get("/as/bob/api/files/fetched/0123", ANN).0, 403);
    // Through the gateway a file may be larger than any other request.
    let mut own = lab.socket("/api/files/upload", &Lab::as_user(BOB)).ok().unwrap();
    let upload = "0".repeat(32);
    own.send_text(&format!(
        r#"{{"type":"begin","session":"{id}","upload":"{upload}","name":"a","size":3072000}}"#
    ));
    assert_eq!(own.next_json()["type"], "ready");
    let bytes = vec![b'x'; 61_440];
    for _ in 0..50 {
        assert!(own.send_binary(&bytes));
        assert_eq!(own.next_json()["type"], "taken");
    }
    let done = own.next_json();
    assert_eq!(done["type"], "done");
    let asked = serde_json::json!({"session": id, "path": done["path"]}).to_string();
    let answer = lab.post("/api/files/open", &Lab::as_user(BOB), &asked);
    let (code, file) = parse(&answer);
    assert_eq!((code, &file["size"]), (200, &serde_json::json!(3_072_000)), "{answer}");
    let address = format!("GET /api/files/fetched/{}", file["word"].as_str().unwrap());
    let answer = lab.ask(&address, &Lab::as_user(BOB));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    for line in ["application/octet-stream", "attachment", "default-src 'none'; sandbox"] {
        assert!(head.contains(line), "{line}: {head}");
    }
    assert!(body.len() == 3_072_000 && body.bytes().all(|byte| byte == b'x'), "{}", body.len());
    // Out as soon as the file no longer names ann.
    lab.admins("bob");
    let (took, code) = closed(&mut view);
    assert!(took < Duration::from_secs(1) && code == Some(4403), "{took:?} {code:?}");
    crate::support::wait::wait_until("ann is no admin", || lab.get("/as/bob/api/me", ANN).0 == 403);
    let mut own = lab.socket("/api/events", &Lab::as_user(ANN)).ok().unwrap();
    assert!(matches!(own.next(Duration::from_secs(10)), Event::Json(_)), "ann's own goes on");
    assert_eq!(lab.get("/as/ann/api/me", BOB).0, 200);
    crate::support::wait::wait_until("begin and end are in the journal", || {
        let said = lab.said();
        let line = |what: &str| said.contains(&format!("ann ({ANN}) {what} the lobby of bob"));
        line("looks at") && line("no longer looks at")
    });
}
