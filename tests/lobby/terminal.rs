//! The terminal's own protocol, without a browser: what is typed arrives once and in order whatever happens to the
//! connection, and no page can make the lobby hold more than its bounds.

use super::client::{Client, Event};
use super::lab::Lobby;
use crate::support::random::Random;
use crate::support::wait::wait_until;
use std::time::Duration;
use tungstenite::protocol::frame::coding::CloseCode;

const VIEW: &str = "00112233445566778899aabbccddeeff";

/// The list gives each session its birth id.
pub(super) fn birth_id(lobby: &Lobby, session: &str) -> String {
    let list = Client::connect(lobby, "/api/events").next_json();
    let all = list["sessions"].as_array().unwrap();
    let own = all.iter().find(|own| own["name"] == session).expect("it is listed");
    own["id"].as_str().unwrap().to_owned()
}

/// A session whose program writes what is typed to a file, as it is.
fn with_recorder() -> (Lobby, String) {
    let lobby = Lobby::with_sessions(&["a"]);
    let file = lobby.sandbox.work().join("typed");
    let command = format!("stty raw -echo; echo ready; exec cat >{}", file.display());
    lobby.sandbox.tmux(["send-keys", "-t", "a", &command, "Enter"]).ok();
    wait_until("the program runs", || file.exists());
    let id = birth_id(&lobby, "a");
    (lobby, id)
}

/// The session of each client, and whether it is read-only.
fn clients(lobby: &Lobby) -> String {
    let words = ["list-clients", "-F", "#{session_name} #{client_readonly}"];
    lobby.sandbox.tmux(words).ok().out().trim().to_owned()
}

fn typed(lobby: &Lobby) -> String {
    std::fs::read_to_string(lobby.sandbox.work().join("typed")).unwrap()
}

#[test]
fn keys_arrive_once_and_in_order_though_the_connection_is_cut_all_the_time() {
    let (lobby, id) = with_recorder();
    let mut random = Random(20_261_129);
    let all = (0..1500).fold(String::new(), |all, number| all + &format!("{number:04};"));
    let bytes = all.as_bytes();
    let (mut taken, mut received) = (0, 0);
    for round in 0..60 {
        let (mut client, now_taken, resumed) = Client::view(&lobby, VIEW, &id, received, false);
        assert_eq!(resumed, round > 0, "round {round}");
        assert!(now_taken >= taken, "what was taken stays taken");
        taken = now_taken;
        let mut at = usize::try_from(taken).unwrap();
        for _ in 0..random.below(8) {
            let size = 1 + random.below(40);
            let end = (at + size).min(bytes.len());
            client.type_in(&bytes[at..end]);
            at = end;
        }
        if random.below(2) == 0 {
            match client.next(Duration::from_millis(20)) {
                Event::Output(bytes) => received += bytes.len() as u64,
                Event::Taken(bytes) => taken = bytes,
                _ => {}
            }
        }
        client.cut();
    }
    let (mut client, taken, _) = Client::view(&lobby, VIEW, &id, received, false);
    client.type_in(&bytes[usize::try_from(taken).unwrap()..]);
    wait_until("all was typed", || typed(&lobby).len() >= all.len());
    assert_eq!(typed(&lobby), all);
}

#[test]
fn what_was_printed_while_the_line_was_down_is_shown_after_it_and_nothing_twice() {
    let lobby = Lobby::with_sessions(&["a"]);
    let id = birth_id(&lobby, "a");
    let (mut client, _, resumed) = Client::view(&lobby, VIEW, &id, 0, false);
    assert!(!resumed);
    client.type_in(b"echo first-$((1+1))\r");
    let seen = client.read_until(|text| has(text, "first-2")).len() as u64;
    client.cut();
    lobby.sandbox.tmux(["send-keys", "-t", "a", "echo meanwhile-$((2+2))", "Enter"]).ok();
    let (mut client, _, resumed) = Client::view(&lobby, VIEW, &id, seen, false);
    assert!(resumed);
    let rest = client.read_until(|text| has(text, "meanwhile-4"));
    client.cut();
    // A page that has the half of that gets the other half, byte for byte.
    let half = rest.len() / 2;
    let (mut client, _, resumed) = Client::view(&lobby, VIEW, &id, seen + half as u64, false);
    assert!(resumed);
    let again = client.read_until(|text| text.len() >= rest.len() - half);
    assert!(again.starts_with(&rest[half..]));
}

fn has(output: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(output).contains(text)
}

#[test]
fn a_view_that_only_watches_types_nothing_sizes_nothing_and_cannot_leave_its_session() {
    let (lobby, id) = with_recorder();
    lobby.sandbox.tmux(["new-session", "-d", "-s", "other"]).ok();
    let (mut client, ..) = Client::view(&lobby, VIEW, &id, 0, true);
    // The prefix and the key of the next session.
    client.type_in(b"secret\x02)");
    client.send_text(r#"{"type":"resize","columns":50,"rows":10}"#);
    wait_until("it was dropped", || matches!(client.next(Duration::from_secs(1)), Event::Taken(8)));
    assert_eq!(typed(&lobby), "");
    let shown =
        lobby.sandbox.tmux(["list-clients", "-F", "#{session_name} #{client_readonly}"]).ok().out();
    assert_eq!(shown.trim(), "a 1");
    assert_eq!(lobby.sandbox.panes("#{window_width}")[0], "100");
}

#[test]
fn a_session_that_ends_and_one_that_is_not_there_are_told_apart() {
    let lobby = Lobby::with_sessions(&["a", "b"]);
    let id = birth_id(&lobby, "a");
    let (mut client, ..) = Client::view(&lobby, VIEW, &id, 0, false);
    wait_until("its client is there", || clients(&lobby) == "a 0");
    lobby.sandbox.tmux(["detach-client", "-s", "a"]).ok();
    let ended = |client: &mut Client| loop {
        match client.next(Duration::from_secs(20)) {
            Event::Json(value) if value["type"] == "ended" => {
                break value["reason"].as_str().unwrap().to_owned();
            }
            Event::Json(_) | Event::Output(_) | Event::Taken(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ended(&mut client), "detached");
    let (mut client, ..) = Client::view(&lobby, VIEW, &id, 0, false);
    lobby.sandbox.tmux(["kill-session", "-t", "a"]).ok();
    assert_eq!(ended(&mut client), "session_ended");
    let mut client = Client::connect(&lobby, "/api/terminal");
    client.send_text(&format!(
        r#"{{"type":"hello","view":"{VIEW}","session":"{id}","columns":80,"rows":24,"received":0}}"#
    ));
    assert_eq!(client.next_json()["reason"], "no_session");
}

#[test]
fn what_is_no_message_of_ours_ends_that_connection_alone() {
    let lobby = Lobby::with_sessions(&["a"]);
    let id = birth_id(&lobby, "a");
    for wrong in [
        "{}",
        "no json",
        r#"{"type":"hello","view":"x","session":"y","columns":1,"rows":1,"received":0}"#,
    ] {
        let mut client = Client::connect(&lobby, "/api/terminal");
        client.send_text(wrong);
        assert!(
            matches!(client.next(Duration::from_secs(20)), Event::Closed(Some(CloseCode::Policy))),
            "{wrong}"
        );
    }
    let (mut client, ..) = Client::view(&lobby, VIEW, &id, 0, false);
    client.shown(u64::MAX);
    let closed = loop {
        match client.next(Duration::from_secs(20)) {
            Event::Closed(code) => break code,
            Event::Nothing => panic!("it stays open"),
            _ => {}
        }
    };
    assert_eq!(closed, Some(CloseCode::Policy));
    // More than one message may hold.
    let (mut client, ..) = Client::view(&lobby, VIEW, &id, 0, false);
    client.type_in(&vec![b'x'; 1 << 20]);
    wait_until("it is closed", || matches!(client.next(Duration::from_secs(1)), Event::Closed(_)));
    let (.., resumed) = Client::view(&lobby, VIEW, &id, 0, false);
    assert!(resumed, "the view itself goes on");
}
