//! `lobby agent`: who may connect, what they may do, and that it ends when it is not used.

use super::client::{Client, Event};
use super::managed::{Managed, OWN};
use crate::support::lacks::lacks;
use crate::support::wait::wait_until;
use crate::support::{Sandbox, lobby_program};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const VIEW: &str = "00112233445566778899aabbccddeeff";
pub(super) const WATCHER: [(&str, &str); 3] =
    [("x-lobby-actor", "root@example.org"), ("x-lobby-access", "watch"), ("x-lobby-owner", "no")];

fn with_session(more: &[&str]) -> Managed {
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "a", "-x", "100", "-y", "30", "exec cat >typed"]).ok();
    Managed::start(sandbox, more)
}

/// What it answers to a request of the gateway's.
pub(super) fn answer(
    socket: &Path,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let headers: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: agent\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(super) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

#[test]
fn only_what_the_gateway_says_is_done_and_a_watcher_changes_nothing() {
    let managed = with_session(&[]);
    let id = managed.birth_id("a");
    let socket = managed.socket();
    let ask = |headers: &[(&str, &str)], path: &str| {
        status(&answer(&socket, "POST", path, headers, r#"{"name":"b"}"#))
    };
    let rename = format!("/api/sessions/{id}/rename");
    for unsaid in [&[][..], &OWN[..1], &OWN[1..2], &[OWN[0], OWN[0], OWN[1]]] {
        assert_eq!(ask(unsaid, &rename), 400, "{unsaid:?}");
    }
    for path in ["end", "rename", "keep"] {
        assert_eq!(ask(&WATCHER, &format!("/api/sessions/{id}/{path}")), 403, "{path}");
    }
    for path in ["/api/sessions", "/api/restore", "/api/restore/plan"] {
        assert_eq!(ask(&WATCHER, path), 403, "{path}");
    }
    assert_eq!(managed.sandbox.panes("#{session_name}"), ["a"]);
    assert_eq!(ask(&OWN, &rename), 204);
    assert_eq!(managed.sandbox.panes("#{session_name}"), ["b"]);
    // Whatever its page asks, it only watches.
    let mut watcher = managed.page_of("/api/terminal", &WATCHER);
    watcher.hello(VIEW, &id, 0, false).unwrap();
    watcher.type_in(b"secret\r");
    watcher.send_text(r#"{"type":"drive","columns":50,"rows":10}"#);
    wait_until("it was dropped", || {
        matches!(watcher.next(Duration::from_secs(1)), Event::Taken(7) | Event::Closed(_))
    });
    let read_only = managed.sandbox.tmux(["list-clients", "-F", "#{client_readonly}"]).ok().out();
    assert_eq!(read_only.trim(), "1");
    assert_eq!(managed.sandbox.panes("#{window_width}"), ["100"]);
}

#[test]
fn the_user_sees_who_else_looks_and_a_page_that_vanished_is_noticed() {
    let managed = with_session(&[]);
    let id = managed.birth_id("a");
    let mut own = managed.page("/api/events");
    let looks = |own: &mut Client, by: &serde_json::Value, time: Duration| {
        let begin = Instant::now();
        loop {
            assert!(begin.elapsed() < time, "the page does not know that {by} look");
            let Event::Json(said) = own.next(Duration::from_secs(1)) else { continue };
            if said["type"] == "watched" && said["by"] == *by {
                return begin.elapsed();
            }
        }
    };
    let (one, none) = (serde_json::json!(["root@example.org"]), serde_json::json!([]));
    let soon = Duration::from_secs(10);
    let list = managed.page_of("/api/events", &WATCHER);
    looks(&mut own, &one, soon);
    drop(list);
    looks(&mut own, &none, soon);
    // These say no more and read no more, as behind a network that is gone.
    let _list = managed.page_of("/api/events", &WATCHER);
    looks(&mut own, &one, soon);
    let mut terminal = managed.page_of("/api/terminal", &WATCHER);
    terminal.hello(VIEW, &id, 0, true).unwrap();
    let noticed = looks(&mut own, &none, Duration::from_secs(70));
    assert!(noticed > Duration::from_secs(40), "{noticed:?}");
}

#[test]
fn no_other_account_can_use_it() {
    let test = "lobby::agent::no_other_account_can_use_it";
    if !nix::unistd::geteuid().is_root() {
        return lacks(test, "root");
    }
    let managed = with_session(&[]);
    // Even where the socket's own mode would let them.
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(managed.sandbox.root(), 0o755);
    open(&managed.socket(), 0o666);
    let ask = "import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(sys.argv[1])
try:
    s.sendall(b'GET /api/events HTTP/1.1\\r\\nhost: a\\r\\nx-lobby-actor: a\\r\\nx-lobby-access: drive\\r\\n\\r\\n')
    print(len(s.recv(100)))
except ConnectionError: print(0)";
    let as_account = |uid: &str| {
        let mut command = managed.sandbox.command("setpriv");
        command.args(["--reuid", uid, "--clear-groups", "python3", "-c", ask]);
        crate::support::run::run(command.arg(managed.socket())).ok().out().trim().to_owned()
    };
    assert_eq!(as_account("65534"), "0", "it is closed at once");
    assert_ne!(as_account("0"), "0");
}

#[test]
fn it_ends_when_it_is_not_used_and_not_before() {
    let managed = with_session(&["--idle", "2"]);
    let mut page = managed.page("/api/events");
    page.next_json();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(4) {
        page.next(Duration::from_millis(500));
    }
    assert_eq!(managed.events("ended"), Vec::<String>::new());
    drop(page);
    assert_eq!(managed.ended(), "0");
    let hooks = managed.sandbox.tmux(["show-hooks", "-g"]).ok().out();
    assert!(!hooks.contains("[7042]"), "{hooks}");
}

#[test]
fn sessions_are_made_only_so_often() {
    let managed = with_session(&[]);
    let make = |number: usize| {
        let body = format!(r#"{{"directory":"~","name":"n{number}"}}"#);
        answer(&managed.socket(), "POST", "/api/sessions", &OWN, &body)
    };
    for number in 0..30 {
        let answer = make(number);
        assert_eq!(status(&answer), 200, "{answer}");
    }
    let refused = make(30);
    assert_eq!(status(&refused), 429, "{refused}");
    assert!(refused.contains("too many new sessions"));
}

#[test]
fn a_tmux_server_that_hangs_is_named_and_other_requests_are_answered() {
    let managed = with_session(&[]);
    let server = managed.sandbox.server_pid().unwrap();
    let pid = nix::unistd::Pid::from_raw(server);
    let mut page = managed.page("/api/events");
    page.next_json();
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    let mut late = managed.page("/api/events");
    let begin = Instant::now();
    let message = loop {
        assert!(begin.elapsed() < Duration::from_mins(1), "it says nothing");
        if let Event::Json(said) = late.next(Duration::from_secs(1))
            && said["type"] == "trouble"
        {
            break said["message"].as_str().unwrap().to_owned();
        }
    };
    assert!(!message.is_empty());
    let begin = Instant::now();
    assert_eq!(status(&answer(&managed.socket(), "GET", "/nothing", &OWN, "")), 404);
    assert!(begin.elapsed() < Duration::from_secs(1));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGCONT).unwrap();
    wait_until(
        "it is right again",
        || matches!(late.next(Duration::from_secs(1)), Event::Json(said) if said["type"] == "trouble" && said["message"] == ""),
    );
}

#[test]
fn for_a_trial_it_makes_a_socket_for_its_user_alone() {
    let sandbox = Sandbox::new();
    let socket = sandbox.root().join("own.sock");
    let start = || {
        let mut command = sandbox.command(lobby_program());
        command.arg("agent").arg("--listen").arg(&socket).arg("--state-dir").arg(sandbox.state());
        command.spawn().unwrap()
    };
    for _ in 0..2 {
        // The second finds the socket of the first, on which no process listens any more.
        let mut agent = start();
        wait_until("it answers", || UnixStream::connect(&socket).is_ok());
        assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(status(&answer(&socket, "GET", "/nothing", &OWN, "")), 404);
        let mut second = start();
        assert!(!second.wait().unwrap().success(), "it is taken");
        agent.kill().unwrap();
        agent.wait().unwrap();
    }
}
