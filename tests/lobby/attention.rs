//! What a person is notified of, and what happened while they were away: an agent, stand-ins for Claude Code whose
//! states are set, and a push service that checks and decrypts what it gets.

use super::agent::{WATCHER, answer, status};
use super::client::Client;
use super::lab::{Lobby, scenario};
use super::managed::{Managed, OWN};
use super::page::can_run;
use crate::support::Sandbox;
use crate::support::lacks::lacks;
use crate::support::run::run_within;
use crate::support::wait::{wait_for, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use terminal_lobby::events::{self, Event, Kind};
use terminal_lobby::sys::clock;

/// How long a state has to last.
const DWELL: Duration = Duration::from_secs(5);

/// The push service of one browser; it ends when this is dropped.
struct PushService {
    child: Child,
    port: u64,
    p256dh: String,
    auth: String,
    requests: Receiver<Value>,
}

impl PushService {
    /// `None` where there is no node.
    fn start(test: &str) -> Option<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lobby/browser");
        let mut command = Command::new("node");
        command.arg("push-endpoint.mjs").current_dir(folder);
        let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
            lacks(test, "node (tests/support/install-prerequisites.sh test)");
            return None;
        };
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let own: Value = requests.recv_timeout(Duration::from_secs(20)).unwrap();
        let key = |name: &str| own[name].as_str().unwrap().to_owned();
        let (p256dh, auth) = (key("p256dh"), key("auth"));
        Some(Self { child, port: own["port"].as_u64().unwrap(), p256dh, auth, requests })
    }

    /// What a browser says that subscribes, with an endpoint of this path.
    fn subscription(&self, path: &str) -> Value {
        json!({
            "endpoint": format!("http://127.0.0.1:{}{path}", self.port),
            "p256dh": self.p256dh, "auth": self.auth, "site": "https://lobby.test",
        })
    }

    /// The next request; none of them was wrong.
    #[track_caller]
    fn next(&self) -> Value {
        let next = self.requests.recv_timeout(Duration::from_secs(30)).expect("a notification");
        assert_eq!(next["error"], Value::Null, "{next}");
        next
    }

    /// The session of the next request.
    #[track_caller]
    fn next_session(&self) -> String {
        self.next()["message"]["session"].as_str().unwrap().to_owned()
    }
}

impl Drop for PushService {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An agent of the lobby's, with sessions of stand-ins that are at work.
struct Lab {
    managed: Managed,
}

/// A sandbox with sessions of stand-ins that are at work.
fn sandbox(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    let programs = sandbox.home().join(".local/bin");
    std::fs::create_dir_all(&programs).unwrap();
    let stub = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lobby/browser/stub-claude");
    std::fs::copy(stub, programs.join("claude")).unwrap();
    for (number, name) in names.iter().enumerate() {
        let id = format!("0d0a8f5e-3c1b-4f6e-9a57-{number:012}");
        let program = programs.join("claude").display().to_string();
        let words = ["new-session", "-d", "-s", name, "-e", "STATUS=busy", "-e", "TITLE=Fix it"];
        let agent = ["--", "/bin/sh", &program, "--session-id", &id];
        sandbox.tmux(words.iter().chain(&agent)).ok();
    }
    for name in names {
        wait_until("its record is there", || record(&sandbox, name).exists());
    }
    sandbox
}

/// The live record of a session's agent.
fn record(sandbox: &Sandbox, name: &str) -> PathBuf {
    let words = ["display-message", "-p", "-t", &format!("={name}:"), "#{pane_pid}"];
    let pid = sandbox.tmux(words).ok().out();
    sandbox.home().join(format!(".claude/sessions/{}.json", pid.trim()))
}

/// The user's own state directory.
fn own_dir(sandbox: &Sandbox) -> PathBuf {
    sandbox.state().join(crate::support::sandbox::user())
}

impl Lab {
    fn new(names: &[&str], more: &[&str]) -> Self {
        Self { managed: Managed::start(sandbox(names), more) }
    }

    /// Has a session's agent be in a state, since a time.
    fn set_since(&self, name: &str, state: &str, since: u64) {
        let path = record(&self.managed.sandbox, name);
        let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        record["status"] = json!(state);
        record["statusUpdatedAt"] = json!(since * 1000);
        record["waitingFor"] =
            if state == "waiting" { json!("permission prompt") } else { Value::Null };
        let new = path.with_extension("new");
        std::fs::write(&new, record.to_string()).unwrap();
        std::fs::rename(new, path).unwrap();
    }

    fn set(&self, name: &str, state: &str) {
        self.set_since(name, state, clock::now());
    }

    /// Asks for something as the user; gives the status and the body.
    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let answer = answer(&self.managed.socket(), method, path, &OWN, &body);
        let text = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status(&answer), serde_json::from_str(text).unwrap_or(Value::Null))
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask("POST", path, body);
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Subscribes a browser; gives its id once the sessions are followed.
    fn subscribe(&self, service: &PushService, path: &str) -> String {
        self.post("/api/push/key", &json!({}));
        let id = self.post("/api/push/subscribe", &service.subscription(path))["id"].clone();
        self.wait_until_followed();
        id.as_str().unwrap().to_owned()
    }

    /// Waits until it is noted what is so at first.
    fn wait_until_followed(&self) {
        wait_until("what is so is noted", || {
            self.kept("notified.json")["since"].as_u64() > Some(0)
        });
    }

    /// A file of the lobby's own.
    fn file(&self, name: &str) -> PathBuf {
        own_dir(&self.managed.sandbox).join("lobby").join(name)
    }

    fn kept(&self, name: &str) -> Value {
        let read = std::fs::read(self.file(name)).unwrap_or_default();
        serde_json::from_slice(&read).unwrap_or(Value::Null)
    }

    fn id(&self, name: &str) -> String {
        self.managed.birth_id(name)
    }

    /// A page that can be seen, with a session open.
    fn page_at(&self, session: Option<&str>, caught_up: bool) -> Client {
        let mut page = self.managed.page("/api/events");
        page.next_json();
        let look =
            json!({"type": "looking", "session": session, "visible": true, "caught_up": caught_up});
        page.send_text(&look.to_string());
        page
    }
}

#[test]
fn what_waits_is_sent_once_and_can_be_checked_and_read_by_its_browser_alone() {
    let test = "lobby::attention::what_waits_is_sent_once_and_can_be_checked_and_read_by_its_browser_alone";
    let Some(service) = PushService::start(test) else { return };
    let lab = Lab::new(&["a", "b"], &[]);
    let (a, b) = (lab.id("a"), lab.id("b"));
    let key = lab.post("/api/push/key", &json!({}))["key"].clone();
    lab.subscribe(&service, "/ok");
    let begin = Instant::now();
    lab.set("a", "waiting");
    let request = service.next();
    assert!(begin.elapsed() >= DWELL, "{:?}", begin.elapsed());
    assert!(begin.elapsed() < DWELL + Duration::from_secs(5), "{:?}", begin.elapsed());
    let message = &request["message"];
    let expected = json!({
        "session": a, "state": "waiting", "name": "a", "title": "Fix it", "agent": true,
        "waiting_for": "permission prompt", "at": message["at"], "open": [a],
    });
    assert_eq!(*message, expected);
    assert_eq!((&request["topic"], &request["urgency"]), (&json!(a), &json!("high")));
    assert_eq!((&request["method"], &request["ttl"]), (&json!("POST"), &json!("43200")));
    let claims = &request["claims"];
    assert_eq!(claims["key"], key);
    assert_eq!(claims["aud"], format!("http://127.0.0.1:{}", service.port));
    assert_eq!(claims["sub"], "https://lobby.test");
    let left = claims["exp"].as_u64().unwrap() - clock::now();
    assert!((3600..=24 * 3600).contains(&left), "{left}");
    // Started again, it sends nothing twice, and what became true meanwhile.
    wait_until("it is noted", || lab.kept("notified.json")["sessions"][&a]["is_done"] == true);
    lab.managed.restart();
    lab.managed.wait_for_starts(2);
    lab.set("b", "idle");
    let request = service.next();
    assert_eq!(request["message"]["session"], json!(b));
    assert_eq!(
        (&request["message"]["state"], &request["urgency"]),
        (&json!("idle"), &json!("normal"))
    );
    assert_eq!(request["message"]["open"], json!([a, b]), "{request}");
    // What lasts no five seconds is nothing.
    lab.set("b", "busy");
    lab.set("b", "idle");
    lab.set("b", "busy");
    // It was seen, and its notification is no longer open.
    let _page = lab.page_at(Some(&a), false);
    wait_until("it is noted", || lab.kept("attention.json")["opened"][&a].as_u64() > Some(0));
    assert_eq!(service.requests.try_recv().ok(), None);
}

#[test]
fn of_what_is_muted_or_looked_at_nothing_is_sent_and_of_a_page_that_vanished_all() {
    let test = "lobby::attention::of_what_is_muted_or_looked_at_nothing_is_sent_and_of_a_page_that_vanished_all";
    let Some(service) = PushService::start(test) else { return };
    let lab = Lab::new(&["muted", "seen", "other"], &[]);
    let (muted, seen, other) = (lab.id("muted"), lab.id("seen"), lab.id("other"));
    lab.subscribe(&service, "/ok");
    lab.post("/api/mute", &json!({"session": muted, "muted": true}));
    let mut page = lab.page_at(Some(&seen), false);
    // A terminal of tmux's own, and a page that cannot be seen, are no evidence.
    let mut hidden = lab.managed.page("/api/events");
    hidden.next_json();
    let look = json!({"type": "looking", "session": other, "visible": false, "caught_up": false});
    hidden.send_text(&look.to_string());
    wait_until("it is seen", || lab.kept("attention.json")["opened"][&seen].as_u64() > Some(0));
    for name in ["muted", "seen", "other"] {
        lab.set(name, "waiting");
    }
    assert_eq!(service.next_session(), other);
    // The person goes to the list, and knows.
    std::thread::sleep(Duration::from_millis(1100)); // times of what was seen are in seconds
    page.send_text(
        &json!({"type": "looking", "session": null, "visible": true, "caught_up": false})
            .to_string(),
    );
    lab.set("other", "busy");
    lab.set("seen", "busy");
    lab.post("/api/mute", &json!({"session": muted, "muted": false}));
    lab.set_since("muted", "waiting", clock::now() + 1);
    assert_eq!(service.next_session(), muted);
    lab.post("/api/mute", &json!({"session": null, "muted": true}));
    lab.set_since("seen", "waiting", clock::now() + 2);
    wait_until("it is dealt with", || {
        let entry = lab.kept("notified.json")["sessions"][&seen].clone();
        entry["state"] == "waiting" && entry["is_done"] == true
    });
    assert_eq!(service.requests.try_recv().ok(), None);
    assert_eq!(lab.ask("POST", "/api/mute", &json!({"session": "../x", "muted": true})).0, 404);
}

#[test]
fn push_services_that_hang_flood_lead_elsewhere_or_have_enough_keep_nothing_from_others() {
    let test = "lobby::attention::push_services_that_hang_flood_lead_elsewhere_or_have_enough_keep_nothing_from_others";
    let Some(service) = PushService::start(test) else { return };
    let lab = Lab::new(&["a"], &[]);
    let paths = ["/hang", "/huge", "/redirect", "/gone", "/busy", "/ok"];
    for path in paths {
        lab.subscribe(&service, path);
    }
    lab.set("a", "waiting");
    let mut asked: Vec<String> = Vec::new();
    while asked.iter().filter(|path| *path == "/busy").count() < 2 {
        asked.push(service.next()["path"].as_str().unwrap().to_owned());
    }
    let all: BTreeSet<&str> = asked.iter().map(String::as_str).collect();
    assert_eq!(all, BTreeSet::from(paths), "no redirect is followed");
    for path in ["/huge", "/redirect", "/gone", "/ok"] {
        assert_eq!(asked.iter().filter(|asked| *asked == path).count(), 1, "{path}: {asked:?}");
    }
    let devices = wait_for("the one that is gone is dropped", || {
        let devices = lab.get("/api/push");
        let all = devices.as_array().unwrap().clone();
        (all.len() == 5 && all.iter().filter(|one| one["used"] != 0).count() >= 3)
            .then_some(devices)
    });
    let shown = devices.to_string();
    assert!(shown.contains("the push service answers 307"), "{shown}");
    assert!(shown.contains("127.0.0.1") && !shown.contains("/hang"), "{shown}");
}

#[test]
fn an_agent_with_a_browser_to_notify_stays_and_says_so_to_the_gateway() {
    let test =
        "lobby::attention::an_agent_with_a_browser_to_notify_stays_and_says_so_to_the_gateway";
    let Some(service) = PushService::start(test) else { return };
    let lab = Lab::new(&["a"], &["--idle", "1"]);
    let says = |method: &str, path: &str, body: &str| {
        let answer = answer(&lab.managed.socket(), method, path, &OWN, body);
        let line = answer.lines().find_map(|line| line.strip_prefix("x-lobby-wake: "));
        line.map(str::to_owned)
    };
    wait_until("it says that it need not run", || {
        says("GET", "/api/push", "").as_deref() == Some("no")
    });
    lab.post("/api/push/key", &json!({}));
    let body = service.subscription("/ok").to_string();
    assert_eq!(says("POST", "/api/push/subscribe", &body).as_deref(), Some("yes"));
    lab.wait_until_followed();
    lab.set("a", "idle");
    service.next();
    assert_eq!(lab.managed.events("ended"), Vec::<String>::new());
    lab.managed.kill();
    lab.managed.wait_for_starts(2);
    wait_until("it says so from the start", || {
        says("GET", "/api/push", "").as_deref() == Some("yes")
    });
    let id = lab.get("/api/push")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(says("POST", &format!("/api/push/{id}/remove"), "{}").as_deref(), Some("no"));
    wait_until("it ends as no one uses it", || {
        lab.managed.events("ended").last().is_some_and(|end| end == "0")
    });
    let hooks = lab.managed.sandbox.tmux(["show-hooks", "-g"]).ok().out();
    assert!(!hooks.contains("[7042]"), "{hooks}");
}

#[test]
fn only_the_user_subscribes_and_what_was_subscribed_is_shown_to_no_page() {
    let test =
        "lobby::attention::only_the_user_subscribes_and_what_was_subscribed_is_shown_to_no_page";
    let Some(service) = PushService::start(test) else { return };
    let lab = Lab::new(&["a"], &[]);
    let socket = lab.managed.socket();
    let drives = [WATCHER[0], ("x-lobby-access", "drive"), WATCHER[2]];
    for headers in [&WATCHER[..], &drives[..]] {
        for (method, path) in [
            ("GET", "/api/push"),
            ("GET", "/api/away"),
            ("POST", "/api/push/key"),
            ("POST", "/api/push/test"),
            ("POST", "/api/push/subscribe"),
            ("POST", "/api/mute"),
        ] {
            assert_eq!(status(&answer(&socket, method, path, headers, "{}")), 403, "{path}");
        }
    }
    assert!(!lab.file("push.json").exists(), "to look makes no key");
    let good = service.subscription("/ok");
    assert_eq!(lab.ask("POST", "/api/push/subscribe", &good).0, 422, "it has no key of ours");
    for (field, value) in [
        ("endpoint", json!("http://push.example/x")),
        ("endpoint", json!("file:///etc/passwd")),
        ("endpoint", json!("https://a:b@push.example/")),
        ("auth", json!("x")),
        ("p256dh", json!("x".repeat(10_000))),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        assert_eq!(lab.ask("POST", "/api/push/subscribe", &wrong).0, 422, "{wrong}");
    }
    let mut other = good.clone();
    other["more"] = json!(1);
    assert_eq!(lab.ask("POST", "/api/push/subscribe", &other).0, 422);
    let id = lab.subscribe(&service, "/ok");
    assert_eq!(lab.subscribe(&service, "/ok"), id, "a browser that comes again is the same");
    let mode = lab.file("push.json").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let shown = lab.get("/api/push").to_string();
    let private = lab.kept("push.json")["private"].as_str().unwrap().to_owned();
    for secret in [&private, &service.auth, &service.p256dh, "/ok"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(lab.post("/api/push/test", &json!({})), json!({"taken": 1, "failed": []}));
    assert_eq!(service.next()["message"], json!({"state": "test"}));
    // What is no file of the lobby's is neither followed nor waited for.
    let file = lab.file("push.json");
    std::fs::rename(&file, file.with_extension("away")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &file,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    assert_eq!(lab.ask("GET", "/api/push", &Value::Null).0, 500);
    assert_eq!(lab.ask("POST", "/api/push/key", &json!({})).0, 500);
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("push.away", &file).unwrap();
    assert_eq!(lab.ask("POST", "/api/push/key", &json!({})).0, 500);
}

#[test]
fn what_happened_is_known_to_one_who_was_there_and_shown_to_one_who_was_away() {
    let lab = Lab::new(&["a"], &[]);
    let happens = |text: &str| {
        let event = Event {
            time: clock::now(),
            kind: Kind::Death,
            session: Some(b"a".to_vec()),
            text: text.into(),
            ..Event::default()
        };
        events::append(&own_dir(&lab.managed.sandbox), &event).unwrap();
    };
    let tick = || std::thread::sleep(Duration::from_millis(1100)); // these times are in seconds
    let away = || {
        let away = lab.get("/api/away");
        let all = away["events"].as_array().unwrap().clone();
        all.iter().map(|one| one["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(away(), Vec::<String>::new());
    drop(lab.page_at(None, true));
    wait_until("the first visit is noted", || {
        lab.kept("attention.json")["seen"].as_u64() > Some(0)
    });
    tick();
    happens("while away\x1b[2J");
    let known = away();
    assert_eq!(known.len(), 1);
    assert!(known[0].contains("'a'") && known[0].ends_with("while away\\x1b[2J"), "{known:?}");
    // A page that shows that it happened, and is left, does not make it seen.
    let before = lab.kept("attention.json")["seen"].clone();
    let mut page = lab.page_at(None, false);
    page.close();
    tick();
    assert_eq!((away().len(), &lab.kept("attention.json")["seen"]), (1, &before));
    let now = lab.get("/api/away")["now"].clone();
    lab.post("/api/away/seen", &json!({"until": now}));
    assert_eq!(away(), Vec::<String>::new());
    // Who is there and knows all sees what happens.
    let mut page = lab.page_at(None, true);
    tick();
    happens("while there");
    tick();
    page.close();
    wait_until("it was seen", || away().is_empty());
    // Nothing is seen before it happens.
    lab.post("/api/away/seen", &json!({"until": u64::MAX}));
    tick();
    happens("later");
    assert_eq!(away().len(), 1);
}

#[test]
fn a_browser_shows_what_is_unread_what_is_pushed_and_what_happened_while_away() {
    let test = "lobby::attention::a_browser_shows_what_is_unread_what_is_pushed_and_what_happened_while_away";
    if !can_run(test) {
        return;
    }
    for phone in ["", "phone"] {
        let lobby = Lobby::start(sandbox(&["orders"]));
        let record = record(&lobby.sandbox, "orders");
        let events = own_dir(&lobby.sandbox).join("events.tsv");
        let mut play = scenario("attention.mjs");
        play.arg(&lobby.url).arg(record).arg(events).arg(phone);
        run_within(&mut play, Duration::from_mins(3)).ok();
    }
}
