//! The gateway is killed, or ended for an upgrade, while people type.

use super::cut::closed;
use super::lab::Lab;
use crate::lobby::client::{Client, Event};
use crate::support::random::Random;
use crate::support::wait::{wait_for, wait_until};
use std::time::Duration;

const ANN: &str = "ann@example.org";
/// How often it is killed here.
const KILLS: usize = 20;

fn view(lab: &Lab, id: &str, received: u64) -> Option<(Client, u64, bool)> {
    let mut view = lab.socket("/api/terminal", &Lab::as_user(ANN)).ok()?;
    view.send_text(&format!(
        r#"{{"type":"hello","view":"{}","session":"{id}","columns":100,"rows":30,"received":{received}}}"#,
        "d".repeat(32)
    ));
    match view.next(Duration::from_secs(5)) {
        Event::Json(welcome) if welcome["type"] == "welcome" => {
            Some((view, welcome["taken"].as_u64().unwrap(), welcome["resumed"].as_bool().unwrap()))
        }
        _ => None,
    }
}

#[test]
fn no_key_is_lost_or_doubled_though_the_gateway_is_killed_under_typing() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let typed = "/home/ann/typed";
    let program = format!("stty raw -echo; echo ready; exec cat >{typed}");
    lab.host
        .tmux(
            "ann",
            [
                "new-session",
                "-d",
                "-s",
                "typing",
                "-x",
                "100",
                "-y",
                "30",
                "--",
                "sh",
                "-c",
                &program,
            ],
        )
        .ok();
    wait_until("the program runs", || {
        lab.host.sh(&format!("test -e {typed} && echo yes || :")).trim() == "yes"
    });
    let id = lab.birth_id(ANN, "typing");
    let kills = std::env::var("TL_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let all = (0..kills * 200).fold(String::new(), |all, number| all + &format!("{number:05};"));
    let bytes = all.as_bytes();
    let mut random = Random(20_261_129);
    let (mut received, mut taken) = (0, 0);
    for round in 0..=kills {
        let (mut client, now_taken, resumed) =
            wait_for("the view goes on", || view(&lab, &id, received));
        assert_eq!(resumed, round > 0, "round {round}");
        assert!(now_taken >= taken);
        taken = now_taken;
        let mut at = usize::try_from(taken).unwrap();
        if round == kills {
            for piece in bytes[at..].chunks(16 << 10) {
                assert!(client.type_in(piece));
            }
            wait_until("all was typed", || {
                lab.host.sh(&format!("wc -c <{typed}")).trim() == all.len().to_string()
            });
            break;
        }
        for _ in 0..2 + random.below(20) {
            let end = (at + 1 + random.below(40)).min(bytes.len());
            if !client.type_in(&bytes[at..end]) {
                break;
            }
            at = end;
            match client.next(Duration::from_millis(1)) {
                Event::Output(bytes) => received += bytes.len() as u64,
                Event::Taken(bytes) => taken = taken.max(bytes),
                _ => {}
            }
        }
        lab.kill();
        lab.start();
    }
    assert_eq!(lab.host.sh(&format!("cat {typed}")), all);
}

#[test]
fn what_is_open_is_closed_with_the_code_of_a_restart_and_comes_back() {
    let Some(lab) = Lab::new("lobby::gateway") else { return };
    let mut list = lab.socket("/api/events", &Lab::as_user(ANN)).ok().unwrap();
    list.next_json();
    let id = lab.birth_id(ANN, "of-ann");
    let (mut terminal, ..) = view(&lab, &id, 0).unwrap();
    assert!(lab.terminate(), "it ends well");
    for socket in [&mut list, &mut terminal] {
        let (took, code) = closed(socket);
        assert!(took < Duration::from_secs(1) && code == Some(1012), "{took:?} {code:?}");
    }
    lab.start();
    let (_, _, resumed) = wait_for("the view goes on", || view(&lab, &id, 0));
    assert!(resumed);
}
