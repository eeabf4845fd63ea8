//! How the list follows a tmux server.

use super::client::{Client, Event};
use super::lab::Lobby;
use crate::support::wait_until;
use std::time::Duration;

/// Waits until a page has a session of this name.
fn has(page: &mut Client, name: &str) {
    wait_until(&format!("the page has {name}"), || {
        let Event::Json(said) = page.next(Duration::from_secs(1)) else { return false };
        let changed = said["changed"].as_array().cloned().unwrap_or_default();
        changed.iter().any(|session| session["name"] == name)
    });
}

/// Whether the server has a hook of a lobby.
fn hooked(lobby: &Lobby) -> bool {
    let all = ["-g", "-gw"].map(|flag| lobby.sandbox.tmux(["show-hooks", flag]).ok().out());
    all.concat().contains("[7042]")
}

#[test]
fn a_lobby_follows_on_when_another_of_the_same_user_ends_and_the_last_leaves_no_hook() {
    let mut first = Lobby::with_sessions(&["a"]);
    let mut second = first.another();
    let mut page = Client::connect(&first, "/api/events");
    page.next_json();
    let mut other = Client::connect(&second, "/api/events");
    other.next_json();
    wait_until("both follow", || hooked(&first));
    first.sandbox.tmux(["rename-session", "-t", "a", "b"]).ok();
    has(&mut page, "b");
    has(&mut other, "b");
    first.interrupt();
    first.sandbox.tmux(["rename-session", "-t", "b", "c"]).ok();
    has(&mut other, "c");
    // Read again, a configuration may have wiped them.
    first.sandbox.tmux(["set-hook", "-gu", "session-renamed"]).ok();
    first.sandbox.tmux(["new-session", "-d", "-s", "d"]).ok();
    has(&mut other, "d");
    first.sandbox.tmux(["rename-session", "-t", "d", "e"]).ok();
    has(&mut other, "e");
    second.interrupt();
    assert!(!hooked(&first));
}

#[test]
fn hooks_go_with_the_last_page() {
    let lobby = Lobby::with_sessions(&["a"]);
    let mut page = Client::connect(&lobby, "/api/events");
    page.next_json();
    wait_until("it is followed", || hooked(&lobby));
    page.cut();
    wait_until("it is not", || !hooked(&lobby));
}

/// The rows of a page that is opened now, as names and states.
fn rows(lobby: &Lobby) -> Vec<(String, String)> {
    let mut page = Client::connect(lobby, "/api/events");
    let list = page.next_json();
    let sessions = list["sessions"].as_array().unwrap();
    let word =
        |session: &serde_json::Value, field: &str| session[field].as_str().unwrap().to_owned();
    sessions.iter().map(|session| (word(session, "name"), word(session, "state"))).collect()
}

#[test]
fn a_lost_session_whose_name_is_taken_has_its_own_row_and_a_closed_one_is_shown_as_ended() {
    let lobby = Lobby::with_sessions(&["a", "b"]);
    let of = |name: &str, state: &str| (name.to_owned(), state.to_owned());
    assert_eq!(rows(&lobby), [of("a", "shell"), of("b", "shell")]);
    lobby.sandbox.persist(["save"]).ok();
    lobby.sandbox.persist(["forget", "--kill", "b"]).ok();
    assert_eq!(rows(&lobby), [of("a", "shell"), of("b", "ended")]);
    // Its snapshot is no longer the newest.
    lobby.sandbox.tmux(["rename-window", "-t", "a", "other"]).ok();
    lobby.sandbox.persist(["save"]).ok();
    assert_eq!(rows(&lobby), [of("a", "shell"), of("b", "ended")]);
    // Saves get to know the options of sessions by and by, and with them the id.
    let mut names = 0..;
    wait_until("a snapshot has its id", || {
        let name = format!("w{}", names.next().unwrap());
        lobby.sandbox.tmux(["rename-window", "-t", "a", &name]).ok();
        lobby.sandbox.persist(["save"]).ok();
        let newest = std::fs::read_dir(lobby.sandbox.state()).unwrap();
        let users = newest.filter_map(|entry| std::fs::read_dir(entry.unwrap().path()).ok());
        let files = users.flatten().map(|entry| entry.unwrap().path());
        files.filter_map(|file| std::fs::read(file).ok()).any(|bytes| {
            String::from_utf8_lossy(&bytes)
                .lines()
                .any(|line| line.starts_with("a\t") && line.contains("lobby-id"))
        })
    });
    let pid = lobby.sandbox.tmux(["display-message", "-p", "#{pid}"]).ok().out();
    let pid = nix::unistd::Pid::from_raw(pid.trim().parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    wait_until("it is lost", || rows(&lobby).contains(&of("a", "lost")));
    lobby.sandbox.tmux(["new-session", "-d", "-s", "a"]).ok();
    assert_eq!(rows(&lobby), [of("a", "shell"), of("a", "lost"), of("b", "ended")]);
}

#[test]
fn a_list_that_is_larger_than_a_buffer_arrives_whole() {
    let names: Vec<String> =
        (0..300).map(|number| format!("{number:03}-{}", "n".repeat(56))).collect();
    let lobby = Lobby::with_sessions(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let list = Client::connect(&lobby, "/api/events").next_json();
    assert!(list.to_string().len() > 64 << 10, "{}", list.to_string().len());
    assert_eq!(list["sessions"].as_array().unwrap().len(), names.len());
}
