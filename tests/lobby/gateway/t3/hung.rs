//! Instances and helpers that fail or hang: everything is answered in time, and no one else waits.

use super::lab::{ANN, BOB, T3Lab};
use crate::support::wait::wait_until;
use std::time::{Duration, Instant};

const KEYS: &str = "mint_seconds = 1\nanswer_seconds = 1";

#[test]
fn an_instance_that_is_down_is_a_502_that_says_when_to_try_again() {
    let Some(lab) = T3Lab::new(KEYS) else { return };
    let session = lab.session(ANN);
    let before = lab.mints();
    lab.end("ann");
    for (what, answer) in [
        ("a navigation with a session", lab.navigate("/", ANN, &session)),
        ("one without", lab.navigate("/", ANN, "")),
        ("a fetch", lab.get("/api/x", ANN, &session)),
        (
            "a WebSocket",
            lab.ask(
                "GET /ws",
                ANN,
                &format!(
                    "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nOrigin: http://t3.test\nCookie: {session}\n"
                ),
                "",
            ),
        ),
    ] {
        assert_eq!(answer.status, 502, "{what}: {answer:?}");
        assert!(answer.header("retry-after").is_some(), "{what}: {answer:?}");
        assert!(answer.text().contains("is starting, or is down"), "{what}: {answer:?}");
    }
    assert_eq!(lab.mints(), before, "no credential is asked for one that is down");
    assert_eq!(lab.get("/probe/healthz", ANN, "").text(), "ok\n");
}

#[test]
fn a_hung_instance_is_answered_for_in_time_and_holds_no_one_up() {
    let Some(lab) = T3Lab::new(KEYS) else { return };
    let port = lab.instance("bob", "0.0.26");
    let of_ann = lab.lab.host.sh("cat /etc/t3-serve/dispatch.json");
    let of_ann: serde_json::Value = serde_json::from_str(&of_ann).unwrap();
    let ann_port = u16::try_from(of_ann[ANN]["port"].as_u64().unwrap()).unwrap();
    lab.serve(&[(ANN, "ann", ann_port), (BOB, "bob", port)]);
    let (of_ann, of_bob) = (lab.session(ANN), lab.session(BOB));
    lab.faults("ann", r#"{"hang": true}"#);
    let begin = Instant::now();
    let document = "Sec-Fetch-Dest: document\n";
    let waiting = [
        ("a navigation", lab.send("/", ANN, &format!("{document}Cookie: {of_ann}\n"))),
        ("one without a session", lab.send("/", ANN, document)),
        ("a fetch", lab.send("/api/x", ANN, &format!("Cookie: {of_ann}\n"))),
    ];
    // Meanwhile the other one is served.
    assert_eq!(lab.navigate("/", BOB, &of_bob).status, 200);
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    for (what, stream) in waiting {
        let answer = T3Lab::answer(stream);
        assert_eq!(answer.status, 502, "{what}: {answer:?}");
        assert!(begin.elapsed() < Duration::from_secs(9), "{what}: {:?}", begin.elapsed());
    }
}

#[test]
fn a_credential_that_does_not_come_is_given_up_and_not_asked_for_at_once_again() {
    let Some(lab) = T3Lab::new(KEYS) else { return };
    lab.faults("ann", r#"{"mint_seconds": 60}"#);
    let begin = Instant::now();
    let answer = lab.navigate("/", ANN, "");
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    wait_until("it is in the journal", || {
        lab.lab.said().contains("mint for ann failed: no answer in time")
    });
    let before = lab.mints();
    let answer = lab.navigate("/", ANN, "");
    assert_eq!((answer.status, lab.mints()), (502, before), "{answer:?}");
    assert!(answer.text().contains("tried again soon"), "{answer:?}");
    lab.faults("ann", "{}");
    wait_until("it is tried again", || lab.navigate("/", ANN, "").session().is_some());
}

#[test]
fn an_exchange_while_the_database_is_locked_is_tried_again_with_the_same_credential() {
    let Some(lab) = T3Lab::new("") else { return };
    // Locked from the moment on at which the credential is made.
    let script = "import sqlite3, time
d = sqlite3.connect('/home/ann/.t3/userdata/state.sqlite', isolation_level=None, timeout=20)
while d.execute('SELECT count(*) FROM auth_pairing_links').fetchone()[0] < 2: time.sleep(0.01)
d.execute('BEGIN IMMEDIATE'); print('locked', flush=True); time.sleep(0.6); d.execute('COMMIT')";
    lab.lab.host.start_as("ann", &["python3", "-c", script]);
    let answer = lab.navigate("/", ANN, "");
    assert_eq!((answer.status, lab.mints()), (302, 1), "{answer:?}");
}

#[test]
fn an_exchange_without_a_cookie_or_a_helper_that_is_gone_is_a_502_and_in_the_journal() {
    let Some(lab) = T3Lab::new("") else { return };
    lab.faults("ann", r#"{"no_cookie": true}"#);
    let answer = lab.navigate("/", ANN, "");
    assert_eq!((answer.status, answer.session()), (502, None), "{answer:?}");
    wait_until("it is in the journal", || {
        lab.lab.said().contains("pairing for ann set no cookie (endpoint=browser-session)")
    });
    lab.end("mint");
    wait_until("the failure is said", || {
        lab.navigate("/", ANN, "");
        lab.lab.said().contains("mint for ann failed: the helper cannot be reached")
    });
    let metrics = lab.metrics();
    assert!(metrics.contains("lobby_t3_pairings_total{outcome=\"no_cookie\"} 1\n"), "{metrics}");
}
