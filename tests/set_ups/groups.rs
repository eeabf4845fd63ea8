//! A pane that several sessions show: its agent is in the row of one of them, whichever name comes first.

use crate::support::sandbox::{ended, kill};
use crate::support::set_up::SetUp;
use crate::support::wait_until;
use terminal_lobby::snapshot::State;

const A: &str = "11111111-0000-4000-8000-000000000001";
const B: &str = "22222222-0000-4000-8000-000000000002";

/// Two sessions that show one window, in which an agent runs.
fn grouped(first: &str, second: &str) -> SetUp {
    let set_up = SetUp::new();
    set_up.t(&format!("new-session -d -s {first} bash --norc"));
    set_up.t(&format!("new-session -d -s {second} -t ={first}"));
    start(&set_up, first, A);
    set_up
}

fn start(set_up: &SetUp, session: &str, id: &str) {
    let before = set_up.conversations().len();
    set_up.type_line(&format!("={session}:0.0"), &format!("claude --session-id {id}"));
    wait_until("it runs", || set_up.conversations().len() > before);
}

/// Another conversation that took an agent's place is there instead of it, not something else beside
/// which that agent is resumed.
fn superseded(first: &str, second: &str) {
    let set_up = grouped(first, second);
    set_up.save();
    let pid = set_up.started()[0].pid;
    kill(pid);
    wait_until("it is gone", || ended(pid));
    start(&set_up, first, B);
    for _ in 0..2 {
        let report = set_up.restore();
        assert!(report.out().contains("runs another conversation now"), "{}", report.out());
    }
    assert_eq!(set_up.started().len(), 2);
}

#[test]
fn an_agent_is_not_resumed_beside_one_that_took_its_place_in_a_group() {
    superseded("web", "api");
}

#[test]
fn an_agent_is_not_resumed_beside_one_that_took_its_place_in_a_group_that_is_named_first() {
    superseded("api", "web");
}

/// A conversation that was left for a new one, after a restore, is not lost.
fn left_for_a_new_one(first: &str, second: &str) {
    let set_up = grouped(first, second);
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    wait_until("it is on it", || set_up.conversations().len() > 1);
    set_up.type_line(&format!("={first}:0.0"), "/clear");
    wait_until("it is on a new one", || set_up.conversations().last().unwrap().conversation != A);
    let rows = set_up.save().rows;
    assert!(rows.iter().all(|row| row.state != State::Lost), "{rows:#?}");
    assert_eq!(rows.len(), 2, "{rows:#?}");
}

#[test]
fn a_conversation_that_was_left_in_a_restored_group_is_not_lost() {
    left_for_a_new_one("web", "api");
}

#[test]
fn a_conversation_that_was_left_in_a_restored_group_that_is_named_first_is_not_lost() {
    left_for_a_new_one("api", "web");
}
