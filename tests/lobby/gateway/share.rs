//! Sessions that are shared with named people: what they reach, and what they do not.

use super::cut::closed;
use super::lab::{Lab, parse, status};
use crate::lobby::client::{Client, Event};
use crate::support::wait::{wait_for, wait_until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ANN: &str = "ann@example.org";
const BOB: &str = "bob@example.org";
/// How long a revocation may take.
const WITHIN: Duration = Duration::from_secs(1);

/// Bob shares a session with ann; gives the answer's status.
fn share(lab: &Lab, session: &str, with: &str, drive: bool) -> u16 {
    let body = json!({"session": session, "with": with, "drive": drive, "hours": 1});
    status(&lab.post("/api/shares", &Lab::as_user(BOB), &body.to_string()))
}

fn shares(lab: &Lab) -> Vec<Value> {
    lab.get("/api/shares", BOB).1["shares"].as_array().unwrap().clone()
}

fn revoke_all(lab: &Lab) {
    for share in shares(lab) {
        let path = format!("/api/shares/{}/revoke", share["id"].as_str().unwrap());
        assert_eq!(status(&lab.post(&path, &Lab::as_user(BOB), "{}")), 204);
    }
}

fn hello(session: &str, view: char) -> String {
    let view = view.to_string().repeat(32);
    json!({"type": "hello", "view": view, "session": session, "columns": 50, "rows": 10, "received": 0})
        .to_string()
}

/// A terminal of a session, as ann sees it through what bob shares.
fn terminal(lab: &Lab, session: &str) -> Client {
    let path = format!("/shared/bob/api/terminal?session={session}");
    let mut socket = wait_for("it opens", || lab.socket(&path, &Lab::as_user(ANN)).ok());
    socket.send_text(&hello(session, 'a'));
    assert_eq!(socket.next_json()["type"], "welcome");
    socket
}

/// Waits for a message that is as it should be.
#[track_caller]
fn says(socket: &mut Client, is_it: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if let Event::Json(said) = socket.next(Duration::from_secs(1))
            && is_it(&said)
        {
            return said;
        }
    }
    panic!("it does not say so")
}

/// A session of bob's with a shell.
fn shell(lab: &Lab, name: &str) -> String {
    lab.host.tmux("bob", ["new-session", "-d", "-s", name, "--", "sh"]).ok();
    lab.birth_id(BOB, name)
}

/// What is on the screen of a session of bob's.
fn screen(lab: &Lab, session: &str) -> String {
    lab.host.tmux("bob", ["capture-pane", "-p", "-t", session]).out()
}

/// Every way to another session, and everything else of bob's, is refused.
fn nothing_else_is_reached(lab: &Lab, id: &str, private: &str) {
    for path in [
        format!("terminal?session={private}"),
        format!("conversation?session={private}"),
        "terminal".into(),
        format!("terminal?session={id}&session={private}"),
        format!("terminal?x=1&session={id}"),
        "conversation".into(),
        "files/upload".into(),
        format!("files/upload?session={id}"),
    ] {
        let opened = lab.socket(&format!("/shared/bob/api/{path}"), &Lab::as_user(ANN));
        assert!(matches!(opened, Err(403)), "{path}");
    }
    let mut socket = lab
        .socket(&format!("/shared/bob/api/terminal?session={id}"), &Lab::as_user(ANN))
        .ok()
        .unwrap();
    socket.send_text(&hello(private, 'b'));
    assert_eq!(socket.next_json(), json!({"type": "ended", "reason": "no_session"}));
    for (method, path) in [
        ("GET", "agents".to_owned()),
        ("GET", "shares".into()),
        ("GET", "people".into()),
        ("GET", "logins".into()),
        ("POST", "sessions".into()),
        ("POST", "shares".into()),
        ("POST", "links".into()),
        ("POST", "restore".into()),
        ("POST", "restore/plan".into()),
        ("POST", format!("sessions/{id}/rename")),
        ("POST", format!("sessions/{id}/end")),
        ("POST", format!("sessions/{id}/keep")),
        ("POST", format!("sessions/{id}/prompt")),
        ("POST", format!("sessions/{id}/hand-over")),
        ("POST", format!("shares/{id}/revoke")),
        ("POST", "share".into()),
        ("POST", "files/list".into()),
        ("POST", "files/open".into()),
        ("GET", "files/fetched/0123".into()),
        ("GET", "nosuch".into()),
    ] {
        let path = format!("/shared/bob/api/{path}");
        let answer = if method == "GET" {
            lab.ask(&format!("GET {path}"), &Lab::as_user(ANN))
        } else {
            let body = json!({"session": id, "with": "ann", "drive": true}).to_string();
            lab.post(&path, &Lab::as_user(ANN), &body)
        };
        assert!(matches!(status(&answer), 403..=405), "{method} {path}: {answer}");
        assert!(!answer.contains("x-lobby"), "{answer}");
    }
    // What a browser says of itself counts for nothing.
    let forged = "X-Lobby-Access: drive\nX-Lobby-Owner: yes\nX-Lobby-Actor: bob\n";
    let rename = format!("/shared/bob/api/sessions/{id}/rename");
    let headers = format!("{}{forged}", Lab::as_user(ANN));
    assert_eq!(status(&lab.post(&rename, &headers, r#"{"name":"taken"}"#)), 403);
    assert!(matches!(
        lab.socket(&format!("/shared/bob/api/terminal?session={private}"), &headers),
        Err(403)
    ));
    // Nobody else, and nothing of another user by the name of this one.
    for path in ["/shared/ann/api/events", "/shared/root/api/events", "/shared/nosuch/api/events"] {
        assert!(matches!(lab.socket(path, &Lab::as_user(ANN)), Err(403)), "{path}");
    }
}

#[test]
fn a_share_shows_one_session_to_one_person_until_it_is_revoked() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let (id, private) = (shell(&lab, "open"), lab.birth_id(BOB, "of-bob"));
    let mut of_ann = lab.socket("/api/shared", &Lab::as_user(ANN)).ok().unwrap();
    assert_eq!(of_ann.next_json(), json!({"by": []}));
    assert!(matches!(lab.socket("/shared/bob/api/events", &Lab::as_user(ANN)), Err(403)));
    for (session, with, expected) in [
        (&id[..], "bob", 422),
        (&id, "nosuch", 422),
        (&id, "../ann", 422),
        ("0123456789abcdef", "ann", 404),
        (&id, "ann", 204),
    ] {
        assert_eq!(share(&lab, session, with, false), expected, "{with}");
    }
    assert_eq!(of_ann.next_json(), json!({"by": ["bob"]}), "ann's page learns it at once");
    assert_eq!(lab.get("/shared/bob/api/me", ANN).1["access"], "share");
    let mut list = lab.socket("/shared/bob/api/events", &Lab::as_user(ANN)).ok().unwrap();
    let first = list.next_json();
    let names = |list: &Value| {
        let all = list["sessions"].as_array().unwrap().clone();
        all.iter().map(|own| own["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["open"]);
    let granted = says(&mut list, |said| said["type"] == "shared");
    assert_eq!(granted["sessions"][&id]["drive"], false);

    nothing_else_is_reached(&lab, &id, &private);

    // A watcher: nothing typed arrives, nor does a wish to drive.
    let mut view = terminal(&lab, &id);
    let people = says(&mut list, |said| said["type"] == "people");
    let expected = json!([{"name": "ann", "drives": false, "may_drive": false}]);
    assert_eq!(people["sessions"][&id], expected);
    let mut of_bob = lab.socket("/api/events", &Lab::as_user(BOB)).ok().unwrap();
    says(&mut of_bob, |said| said["type"] == "people" && said["sessions"][&id] == expected);
    view.send_text(r#"{"type":"drive","columns":60,"rows":12}"#);
    view.type_in(b"echo ty''ped\r");
    view.shown(0);
    wait_until(
        "what was typed was dropped",
        || matches!(view.next(Duration::from_secs(1)), Event::Taken(count) if count >= 12),
    );
    assert!(!screen(&lab, "open").contains("ty"));
    assert_eq!(shares(&lab)[0]["looking"], 1);

    // Revoked: the page hears why, within a second.
    let begin = Instant::now();
    revoke_all(&lab);
    let ended = says(&mut view, |said| said["type"] == "ended");
    assert_eq!(ended["reason"], "revoked");
    assert!(begin.elapsed() < WITHIN, "{:?}", begin.elapsed());
    assert!(closed(&mut list).0 < WITHIN && closed(&mut view).0 < WITHIN);
    assert_eq!(of_ann.next_json(), json!({"by": []}));
    assert!(matches!(lab.socket("/shared/bob/api/events", &Lab::as_user(ANN)), Err(403)));
    for kind in ["share_watch", "share_opened", "share_revoked"] {
        lab.says(&format!("{kind}: session {id} of bob, ann"));
    }
}

#[test]
fn one_who_may_drive_takes_over_is_handed_the_keyboard_and_gives_it_back() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let id = shell(&lab, "open");
    assert_eq!(share(&lab, &id, "ann", true), 204);
    let mut own = lab.socket("/api/terminal", &Lab::as_user(BOB)).ok().unwrap();
    own.send_text(&hello(&id, 'e'));
    says(&mut own, |said| said["type"] == "role" && said["drives"] == true);
    let mut view = terminal(&lab, &id);
    // Opening takes nothing.
    says(&mut view, |said| said["type"] == "role" && said["drives"] == false);
    view.type_in(b"echo n''ot\r");
    let over = format!("/api/sessions/{id}/hand-over");
    assert_eq!(status(&lab.post(&over, &Lab::as_user(BOB), r#"{"to":"eve"}"#)), 422);
    assert_eq!(status(&lab.post(&over, &Lab::as_user(BOB), r#"{"to":"ann"}"#)), 204);
    says(&mut view, |said| said["type"] == "handed");
    view.send_text(r#"{"type":"drive","columns":60,"rows":12}"#);
    says(&mut view, |said| said["type"] == "role" && said["drives"] == true);
    says(&mut own, |said| said["type"] == "role" && said["drives"] == false);
    view.type_in(b"echo by-a''nn\r");
    wait_until("ann types", || screen(&lab, "open").contains("by-ann"));
    own.send_text(r#"{"type":"drive","columns":70,"rows":14}"#);
    says(&mut view, |said| said["type"] == "role" && said["drives"] == false);
    view.type_in(b"echo no''t-any-more\r");
    own.type_in(b"echo by-b''ob\r");
    wait_until("bob types", || screen(&lab, "open").contains("by-bob"));
    let shown = screen(&lab, "open");
    assert!(!shown.contains("not-any-more") && !shown.lines().any(|line| line == "not"), "{shown}");
    // Ann drives as it is revoked: nothing that she types after that arrives.
    view.send_text(r#"{"type":"drive","columns":60,"rows":12}"#);
    says(&mut view, |said| said["type"] == "role" && said["drives"] == true);
    revoke_all(&lab);
    assert_eq!(says(&mut view, |said| said["type"] == "ended")["reason"], "revoked");
    wait_until("her client is gone", || {
        lab.host.tmux("bob", ["list-clients", "-F", "x"]).out().lines().count() == 1
    });
    lab.says(&format!("share_handed_over: session {id} of bob, ann"));
}

#[test]
fn a_watcher_sees_no_other_session_as_the_shared_one_ends() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let id = shell(&lab, "open");
    let loud = "while :; do echo secret; sleep 0.02; done";
    lab.host.tmux("bob", ["kill-session", "-t", "of-bob"]).ok();
    lab.host.tmux("bob", ["new-session", "-d", "-s", "private", "--", "sh", "-c", loud]).ok();
    lab.host.tmux("bob", ["set-option", "-g", "detach-on-destroy", "off"]).ok();
    assert_eq!(share(&lab, &id, "ann", false), 204);
    let mut view = terminal(&lab, &id);
    view.read_until(|shown| shown.windows(4).any(|text| text == b"open"));
    lab.host.tmux("bob", ["kill-session", "-t", "open"]).ok();
    let mut seen = Vec::new();
    let ended = loop {
        match view.next(Duration::from_secs(10)) {
            Event::Output(bytes) => seen.extend(bytes),
            Event::Json(said) if said["type"] == "ended" => break said,
            Event::Closed(_) => panic!("closed without a reason"),
            _ => {}
        }
    };
    assert_eq!(ended["reason"], "session_ended");
    assert!(!String::from_utf8_lossy(&seen).contains("secret"));
}

#[test]
fn who_is_cut_loses_what_is_shared_and_an_owner_who_is_cut_shares_no_more() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let whole = format!("{ANN}=ann\n{BOB}=bob");
    let id = lab.birth_id(BOB, "of-bob");
    assert_eq!(share(&lab, &id, "ann", true), 204);
    for map in [format!("{BOB}=bob"), format!("{ANN}=ann")] {
        let mut view = terminal(&lab, &id);
        lab.map(&map);
        let (took, code) = closed(&mut view);
        assert!(took < WITHIN && code == Some(4403), "{took:?} {code:?}");
        let path = format!("/shared/bob/api/terminal?session={id}");
        assert!(matches!(lab.socket(&path, &Lab::as_user(ANN)), Err(403)), "{map}");
        lab.map(&whole);
        wait_until("all are known", || {
            lab.get("/api/me", ANN).0 == 200 && lab.get("/api/me", BOB).0 == 200
        });
    }
    // The index is kept over a restart; the agent says whether it is so.
    lab.terminate();
    lab.start();
    drop(terminal(&lab, &id));
    revoke_all(&lab);
}

#[test]
fn an_agent_that_lies_shares_at_most_what_is_its_users() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let id = lab.birth_id(BOB, "of-bob");
    // Ann's agent says that ann shares with bob, and things that happened at bob's.
    let program = "import socket,sys\ns=socket.socket(socket.AF_UNIX);s.bind(sys.argv[1]);s.listen(9)\nwhile True:\n \
         c,_=s.accept();c.recv(65536);c.sendall(b'HTTP/1.1 200 OK\\r\\nx-lobby-shared-with: bob=99999999999,root=99999999999,\
         ../x=1\\r\\nx-lobby-share-event: share_drive ann bob\\r\\nx-lobby-access: drive\\r\\ncontent-type: text/html\\r\\n\
         content-length: 2\\r\\nconnection: close\\r\\n\\r\\nhi');c.close()";
    lab.instead_of_agent("ann", program);
    let answer = lab.ask("GET /api/shares", &Lab::as_user(ANN));
    assert!(!answer.contains("x-lobby") && !answer.contains("text/html"), "{answer}");
    let (code, _) = parse(&lab.ask("GET /shared/ann/api/share", &Lab::as_user(BOB)));
    assert_eq!(code, 200, "bob asks ann's agent, which is ann's");
    // Nothing of bob's is ann's by that.
    let path = format!("/shared/bob/api/terminal?session={id}");
    assert!(matches!(lab.socket(&path, &Lab::as_user(ANN)), Err(403)));
    assert!(!lab.said().contains("of bob"), "{}", lab.said());
}
