//! The arrangement of sessions: changed by several pages at once, through kills and damage, and there again after a restore.

use super::client::Client;
use super::lab::{Lobby, scenario};
use super::page::can_run;
use crate::support::run::run_within;
use crate::support::wait_until;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// Asks as the page does; gives the status, 0 without an answer, and what is said.
pub(super) fn ask(lobby: &Lobby, method: &str, path: &str, body: &str) -> (u16, Value) {
    let port = lobby.port();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nCookie: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        lobby.cookie(),
        body.len()
    );
    let mut answer = Vec::new();
    let said = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(request.as_bytes())?;
        stream.read_to_end(&mut answer)
    });
    let text = String::from_utf8_lossy(&answer);
    if said.is_err() && answer.is_empty() {
        return (0, Value::Null);
    }
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

fn change(lobby: &Lobby, version: u64, change: &Value) -> (u16, Value) {
    let body = json!({ "version": version, "change": change }).to_string();
    ask(lobby, "POST", "/api/layout", &body)
}

fn pin(session: &str, is: bool) -> Value {
    json!({"type": "pin", "session": session, "is": is})
}

fn layout(lobby: &Lobby) -> Value {
    let (status, layout) = ask(lobby, "GET", "/api/layout", "");
    assert_eq!(status, 200, "{layout}");
    layout
}

/// The ids of the rows, by their names.
pub(super) fn ids(lobby: &Lobby) -> std::collections::BTreeMap<String, String> {
    let list = Client::connect(lobby, "/api/events").next_json();
    let word = |session: &Value, field: &str| session[field].as_str().unwrap().to_owned();
    let sessions = list["sessions"].as_array().unwrap();
    sessions.iter().map(|session| (word(session, "name"), word(session, "id"))).collect()
}

/// The next arrangement that a page gets.
fn next(page: &mut Client) -> Value {
    loop {
        let said = page.next_json();
        if said["type"] == "layout" {
            return said;
        }
    }
}

/// The file, in the state directory of the sandbox's user.
fn file(lobby: &Lobby) -> PathBuf {
    let mut users = std::fs::read_dir(lobby.sandbox.state()).unwrap();
    let found = users.find_map(|user| {
        let dir = user.unwrap().path().join("lobby");
        dir.is_dir().then(|| dir.join("layout.json"))
    });
    found.expect("the lobby has a directory of its own")
}

#[test]
fn changes_of_two_pages_merge_unless_they_are_of_the_same_thing() {
    let lobby = Lobby::with_sessions(&["a", "b"]);
    let ids = ids(&lobby);
    let (mut one, mut two) =
        (Client::connect(&lobby, "/api/events"), Client::connect(&lobby, "/api/events"));
    assert_eq!(
        (&next(&mut one)["layout"]["version"], next(&mut two)["layout"]["version"].as_u64()),
        (&json!(0), Some(0))
    );
    assert_eq!(change(&lobby, 0, &pin(&ids["a"], true)).0, 200);
    assert_eq!(change(&lobby, 0, &pin(&ids["b"], true)).0, 200);
    let said = next(&mut one);
    assert_eq!(said["layout"]["pins"], json!([ids["a"]]), "{said}");
    let mut both = [ids["a"].clone(), ids["b"].clone()];
    both.sort();
    for page in [&mut one, &mut two] {
        wait_until("the page has both", || next(page)["layout"]["pins"] == json!(both));
    }
    let (status, now) = change(&lobby, 0, &pin(&ids["a"], false));
    assert_eq!((status, &now["version"]), (409, &json!(2)), "{now}");
    assert_eq!(change(&lobby, 2, &pin(&ids["a"], false)).0, 200);
    assert_eq!(layout(&lobby)["pins"], json!([ids["b"]]));
    // Another lobby of the same user.
    let other = lobby.another();
    assert_eq!(change(&other, 3, &pin(&ids["a"], true)).1["version"], 4);
    assert_eq!(change(&lobby, 3, &pin(&ids["a"], false)).0, 409);
    assert_eq!(layout(&lobby), layout(&other));
}

#[test]
fn odd_and_large_changes_are_refused_and_change_nothing() {
    let lobby = Lobby::with_sessions(&["a"]);
    let id = &ids(&lobby)["a"];
    for (wrong, status) in [
        (pin("../../etc/passwd", true), 422),
        (json!({"type": "pin", "session": id, "is": true, "more": 1}), 422),
        (json!({"type": "unheard of"}), 422),
        (json!({"type": "add_group", "group": "0000000a", "name": "\u{202e}x"}), 422),
        (json!({"type": "collapse", "name": "x".repeat(2000), "is": true}), 422),
        (json!({"type": "collapse", "name": "x".repeat(100_000), "is": true}), 413),
        (json!({"type": "size_tiles", "columns": vec![50; 7], "rows": []}), 422),
    ] {
        assert_eq!(
            change(&lobby, 0, &wrong).0,
            status,
            "{}",
            &wrong.to_string()[..60.min(wrong.to_string().len())]
        );
    }
    assert_eq!(ask(&lobby, "POST", "/api/layout", "{\"version\":-1}").0, 422);
    assert_eq!(ask(&lobby, "POST", "/api/layout", "{").0, 400);
    assert_eq!(layout(&lobby)["version"], 0);
}

#[test]
fn what_was_answered_is_there_after_a_kill_at_any_moment() {
    let mut lobby = Lobby::with_sessions(&["a"]);
    let mut groups: Vec<String> = Vec::new();
    for round in 0_u32..8 {
        let pid = nix::unistd::Pid::from_raw(lobby.pid().try_into().unwrap());
        let mut version = layout_or_none(&lobby);
        let killer = std::thread::spawn(move || {
            // A different moment in each round.
            let end = std::time::Instant::now() + Duration::from_millis(u64::from(13 * round + 40));
            while std::time::Instant::now() < end {
                std::thread::yield_now();
            }
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
        });
        for number in 0_u32.. {
            let id = format!("{round:04x}{number:04x}");
            let add = json!({"type": "add_group", "group": id, "name": id});
            let Some(known) = version else { break };
            let (status, now) = change(&lobby, known, &add);
            if status != 200 || now["version"].is_null() {
                break;
            }
            version = now["version"].as_u64();
            groups.push(id);
            if groups.len() >= 90 {
                break;
            }
        }
        killer.join().unwrap();
        let sandbox = Rc::clone(&lobby.sandbox);
        drop(lobby);
        lobby = Lobby::beside(sandbox);
        let now = layout(&lobby);
        let kept: Vec<&str> = now["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["id"].as_str().unwrap())
            .collect();
        for id in &groups {
            assert!(kept.contains(&id.as_str()), "{id} was answered and is gone");
        }
        assert!(kept.len() <= groups.len() + 8, "at most one of each kill was not answered");
    }
    assert!(!groups.is_empty());
}

/// The version; `None` if the lobby does not answer.
fn layout_or_none(lobby: &Lobby) -> Option<u64> {
    ask(lobby, "GET", "/api/layout", "").1["version"].as_u64()
}

#[test]
fn a_damaged_file_is_named_and_the_list_goes_on() {
    let lobby = Lobby::with_sessions(&["a"]);
    let id = ids(&lobby)["a"].clone();
    assert_eq!(change(&lobby, 0, &pin(&id, true)).0, 200);
    let file = file(&lobby);
    let whole = std::fs::read(&file).unwrap();
    let half = &whole[..whole.len() / 2];
    std::fs::write(&file, half).unwrap();
    let is_named = |said: &Value| said.as_str().is_some_and(|said| said.contains("layout.json"));
    let mut page = Client::connect(&lobby, "/api/events");
    let list = page.next_json();
    assert_eq!(list["sessions"][0]["name"], "a");
    let said = next(&mut page);
    assert!(is_named(&said["problem"]) && said["layout"].is_null(), "{said}");
    let (status, said) = change(&lobby, 1, &pin(&id, false));
    assert!(status == 500 && is_named(&said["error"]), "{status} {said}");
    assert_eq!(std::fs::read(&file).unwrap(), half, "it stays as it is");
    // A pipe, a link and a directory in its place hang nothing.
    std::fs::remove_file(&file).unwrap();
    nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(ask(&lobby, "GET", "/api/layout", "").0, 409);
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    assert!(next(&mut Client::connect(&lobby, "/api/events"))["layout"].is_null());
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(layout(&lobby)["pins"], json!([id]));
}

#[test]
fn after_a_restore_sessions_are_where_they_were() {
    let lobby = Lobby::with_sessions(&["a", "b"]);
    let before = ids(&lobby);
    for session in before.values() {
        let version = layout(&lobby)["version"].as_u64().unwrap();
        assert_eq!(change(&lobby, version, &pin(session, true)).0, 200);
    }
    // Saves get to know the options of sessions, and so their ids, by and by.
    let mut names = 0..;
    wait_until("a snapshot has both ids", || {
        let name = format!("w{}", names.next().unwrap());
        lobby.sandbox.tmux(["rename-window", "-t", "a", &name]).ok();
        lobby.sandbox.persist(["save"]).ok();
        let users = std::fs::read_dir(lobby.sandbox.state()).unwrap();
        let files = users.filter_map(|user| std::fs::read_dir(user.unwrap().path()).ok()).flatten();
        let texts = files.filter_map(|file| std::fs::read(file.unwrap().path()).ok());
        texts
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .any(|text| before.values().all(|id| text.contains(id.as_str())))
    });
    lobby.sandbox.tmux(["kill-server"]).ok();
    lobby.sandbox.persist(["restore"]).ok();
    assert_eq!(ids(&lobby), before);
    let version = layout(&lobby)["version"].as_u64().unwrap();
    let own = json!({"type": "own_order", "is": true});
    let pins = change(&lobby, version, &own).1["pins"].clone();
    assert_eq!(pins.as_array().unwrap().len(), 2, "{pins}");
}

#[test]
fn two_tabs_and_two_browsers_arrange_the_same_sessions() {
    if can_run("lobby::layout::two_tabs_and_two_browsers_arrange_the_same_sessions") {
        let lobby = Lobby::with_sessions(&["alpha", "beta", "gamma", "delta"]);
        run_within(scenario("layout.mjs").arg(&lobby.url), Duration::from_mins(2)).ok();
    }
}
