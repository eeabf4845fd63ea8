//! Who leaves the map is out at once, with everything that is open.

use super::lab::{Lab, status};
use crate::lobby::client::{Client, Event};
use std::time::{Duration, Instant};

const ANN: &str = "ann@example.org";
const BOB: &str = "bob@example.org";
/// How long a cut may take.
const WITHIN: Duration = Duration::from_secs(1);

/// How long it takes until a socket is closed.
pub(super) fn closed(socket: &mut Client) -> (Duration, Option<u16>) {
    let begin = Instant::now();
    loop {
        if let Event::Closed(code) = socket.next(Duration::from_secs(5)) {
            return (begin.elapsed(), code.map(u16::from));
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "it stays open");
    }
}

#[test]
fn a_person_who_leaves_the_map_or_leads_to_another_user_is_out_within_a_second() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let whole = format!("{ANN}=ann\n{BOB}=bob");
    let open = |identity: &str| {
        let mut socket = lab.socket("/api/events", &Lab::as_user(identity)).ok().unwrap();
        assert_eq!(socket.next_json()["type"], "list");
        socket
    };
    for (what, map) in [
        ("gone", format!("{BOB}=bob")),
        ("another user", format!("{ANN}=bob\n{BOB}=bob")),
        ("two users", format!("{ANN}=ann\n{ANN}=bob\n{BOB}=bob")),
        ("root", format!("{ANN}=root\n{BOB}=bob")),
        ("an account that does not exist", format!("{ANN}=nosuch\n{BOB}=bob")),
        ("no user name", format!("{ANN}=../ann\n{BOB}=bob")),
    ] {
        let (mut of_ann, mut of_bob) = (open(ANN), open(BOB));
        lab.map(&map);
        let (took, code) = closed(&mut of_ann);
        assert!(took < WITHIN, "{what}: {took:?}");
        assert_eq!(code, Some(4403), "{what}");
        let code = lab.get("/api/me", ANN).0;
        let is_bob = what == "another user";
        assert_eq!(code, if is_bob { 200 } else { 403 }, "{what}");
        assert!(
            matches!(of_bob.next(Duration::from_millis(300)), Event::Nothing | Event::Json(_)),
            "{what}"
        );
        lab.map(&whole);
        crate::support::wait::wait_until("ann is known again", || {
            lab.get("/api/me", ANN).1["user"] == "ann"
        });
    }
    lab.says("uid 0 is not a person's");
    lab.says("leads to two users");
}

#[test]
fn a_map_that_cannot_be_read_or_that_others_can_write_lets_no_one_in() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let map = "/etc/ttyd-user-map";
    for spoil in [
        format!("mv {map} {map}.kept"),
        format!("cp {map} {map}.kept; chmod 000 {map}"),
        format!("cp {map} {map}.kept; chmod 666 {map}"),
        format!("cp {map} {map}.kept; printf '\\377\\376' >>{map}"),
        format!("mv {map} {map}.kept; mkdir {map}"),
        format!("mv {map} {map}.kept; mkfifo {map}"),
        format!("mv {map} {map}.kept; ln -s {map} {map}"),
    ] {
        let mut before = lab.socket("/api/events", &Lab::as_user(ANN)).ok().unwrap();
        before.next_json();
        lab.host.sh(&spoil);
        crate::support::wait::wait_until("no one is let in", || lab.get("/api/me", ANN).0 == 503);
        let answer = lab.ask("GET /api/me", &Lab::as_user(ANN));
        assert!(
            answer.contains("retry-after") && answer.contains("cannot be read"),
            "{spoil}: {answer}"
        );
        assert!(lab.socket("/api/events", &Lab::as_user(ANN)).is_err());
        // What is open goes on for a while: generated files are not gone for long.
        assert!(
            matches!(before.next(Duration::from_millis(300)), Event::Nothing | Event::Json(_)),
            "{spoil}"
        );
        lab.host
            .sh(&format!("rm -rf {map}; mv {map}.kept {map}; chmod 644 {map}; chown root {map}"));
        crate::support::wait::wait_until("ann is let in again", || {
            lab.get("/api/me", ANN).0 == 200
        });
    }
    lab.says("no one is let in until it can be read");
    assert_eq!(status(&lab.ask("GET /healthz", "")), 200);
}
