//! The watchdog: which instances it restarts, and which it leaves alone.

use super::served::Served;
use crate::support::wait::wait_until;
use serde_json::Value;
use std::time::{Duration, Instant};

const SETTINGS: &str = "[watchdog]\ngrace_seconds = 0.01\ndeadline_seconds = 2";

/// What a run says, by user.
fn run(served: &Served) -> Vec<(String, String)> {
    let run = served.t3(&["--json", "watchdog"]);
    let said: Value = run.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let users = said["users"].as_array().unwrap();
    users.iter().map(|one| (text(&one["user"]), text(&one["result"]))).collect()
}

fn calls(served: &Served, word: &str) -> usize {
    let calls = served.host.sh("cat /run/stand-in-systemd/calls");
    calls.lines().filter(|line| line.contains(word)).count()
}

#[test]
fn instances_that_hang_are_restarted_thrice_and_delay_no_other() {
    let test = "instances_that_hang_are_restarted_thrice_and_delay_no_other";
    let users = ["ann", "bob", "eve", "max"];
    let Some(served) = Served::new(test, "0.0.26", &users) else { return };
    served.settings(SETTINGS);
    for user in ["ann", "bob", "eve"] {
        served.start(user);
    }
    assert_eq!(run(&served), [], "all answer, or are not to run");
    for user in ["ann", "bob"] {
        served.fault(user, "{\"hang\": true}");
    }
    let is = |result: &str| {
        [("ann".to_owned(), result.to_owned()), ("bob".to_owned(), result.to_owned())].to_vec()
    };
    for restarts in 1..=3 {
        let begin = Instant::now();
        assert_eq!(run(&served), is("no-answer"));
        assert!(begin.elapsed() < Duration::from_secs(30), "both at once: {:?}", begin.elapsed());
        assert_eq!(run(&served), is("no-answer"));
        assert_eq!(run(&served), is("restart"));
        assert_eq!(calls(&served, "t3-restart@ann.service"), restarts);
        served.t3(&["watchdog", "--restart", "ann"]).ok();
        assert_eq!(calls(&served, "try-restart -- t3-serve@ann.service"), restarts);
        wait_until("it listens again", || {
            std::net::TcpStream::connect(("127.0.0.1", served.port("ann"))).is_ok()
        });
    }
    for _ in 0..2 {
        assert_eq!(run(&served), is("no-answer"));
    }
    let given_up = served.t3(&["watchdog"]).code(1);
    assert!(given_up.err().contains("watchdog user=ann given-up: "), "{}", given_up.err());
    assert_eq!(run(&served), is("no-answer"), "said once");
    assert_eq!(calls(&served, "t3-restart@"), 6);
    served.fault("ann", "{}");
    assert_eq!(run(&served)[0], ("ann".to_owned(), "answers-again".to_owned()));
    assert_eq!(calls(&served, "eve.service"), calls(&served, "show") + 1, "only started once");
}

#[test]
fn an_instance_that_was_just_started_or_answers_with_errors_is_left_alone() {
    let test = "an_instance_that_was_just_started_or_answers_with_errors_is_left_alone";
    let Some(served) = Served::new(test, "0.0.26", &["ann", "bob"]) else { return };
    served.settings("[watchdog]\ngrace_seconds = 3600");
    for user in ["ann", "bob"] {
        served.start(user);
    }
    served.fault("ann", "{\"hang\": true}");
    served.fault("bob", "{\"broken_auth\": true}");
    for _ in 0..4 {
        assert_eq!(run(&served), []);
    }
    served.fault("ann", "{}");
    served.settings(SETTINGS);
    for _ in 0..4 {
        assert_eq!(run(&served), [], "an error is an answer");
    }
    assert_eq!(calls(&served, "t3-restart@"), 0);
}

#[test]
fn what_cannot_be_read_restarts_nothing() {
    let test = "what_cannot_be_read_restarts_nothing";
    let Some(served) = Served::new(test, "0.0.26", &["ann"]) else { return };
    served.settings(SETTINGS);
    served.start("ann");
    served.fault("ann", "{\"hang\": true}");
    for _ in 0..2 {
        assert_eq!(run(&served).len(), 1);
    }
    served.host.sh("cp /run/t3/watchdog.json /tmp/counted; echo garbage >/run/t3/watchdog.json");
    served.t3(&["watchdog"]).code(1);
    served.host.sh("cp /tmp/counted /run/t3/watchdog.json; mv /usr/local/bin/systemctl /tmp");
    for text in ["exit 1", "echo Id=t3-serve@ann.service; echo ActiveState=maybe", "yes"] {
        let script = format!("#!/bin/sh\n{text}\n");
        served.host.sh(&format!(
            "printf '%s' '{script}' >/usr/local/bin/systemctl; chmod 755 /usr/local/bin/systemctl"
        ));
        served.t3(&["watchdog"]);
    }
    served
        .host
        .sh("mv /tmp/systemctl /usr/local/bin; echo '{\"x\": 1}' >/etc/t3-serve/dispatch.json");
    served.t3(&["watchdog"]).code(1);
    assert_eq!(calls(&served, "t3-restart@"), 0);
    assert!(served.host.sh("cat /run/t3/watchdog.json").contains("\"failures\":2"));
}

#[test]
fn a_port_that_another_account_took_is_reported_and_not_fought_for() {
    let test = "a_port_that_another_account_took_is_reported_and_not_fought_for";
    let Some(served) = Served::new(test, "0.0.26", &["ann", "eve"]) else { return };
    served.settings(SETTINGS);
    for user in ["ann", "eve"] {
        served.start(user);
    }
    let port = served.port("eve");
    served.table(&format!(r#"{{"ann@x": {{"os_user": "ann", "port": {port}}}}}"#));
    let results: Vec<_> = (0..4).flat_map(|_| run(&served)).map(|(_, result)| result).collect();
    assert_eq!(results, ["no-answer", "no-answer", "given-up", "no-answer"]);
    assert_eq!(calls(&served, "t3-restart@"), 0);
}
