//! The client of an instance, against the stand-in: all versions, and servers that fail, hang and lie.

use super::instance::{Instance, credential};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use terminal_lobby::t3::instance::{Cookie, Instance as Client, InstanceError};

const SHORT: Duration = Duration::from_millis(700);

fn started(version: &str, host: &str) -> (tempfile::TempDir, std::path::PathBuf, Instance) {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().join(".t3");
    let instance = Instance::start(version, host, &base);
    (dir, base, instance)
}

fn client(instance: &Instance, within: Duration) -> Client {
    Client::on(instance.port(), within)
}

fn fault(base: &Path, faults: &serde_json::Value) {
    std::fs::write(base.join("stand-in.json"), faults.to_string()).unwrap();
}

/// Long enough for a busy machine.
const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_credential_becomes_a_cookie_that_opens_the_socket_in_each_version() {
    for (version, host) in [
        ("0.0.24", "127.0.0.1"),
        ("0.0.26", "127.0.0.1"),
        ("0.0.34", "0.0.0.0"),
        ("0.0.34", "127.0.0.1"),
    ] {
        let (_dir, base, instance) = started(version, host);
        let client = client(&instance, LONG);
        client.check_owner(nix::unistd::geteuid()).unwrap();
        assert_eq!(client.version().unwrap(), version);
        let before = client.session(&[]).unwrap();
        assert!(!before.authenticated && before.cookie_name == instance.cookie_name());
        let credential = credential(version, &base);
        let cookie = client.exchange(&credential).unwrap();
        assert_eq!(cookie.name, instance.cookie_name());
        assert!(matches!(client.exchange(&credential), Err(InstanceError::Refused)), "{version}");
        assert!(client.session(std::slice::from_ref(&cookie)).unwrap().authenticated);
        client.ping(&cookie).unwrap();
        let stale = Cookie { value: "stale".to_owned(), ..cookie.clone() };
        assert!(
            !client.session(&[stale.clone(), cookie]).unwrap().authenticated,
            "the first counts"
        );
        let refused = client.ping(&stale);
        assert!(matches!(refused, Err(InstanceError::Status { status: 401, .. })), "{refused:?}");
        let port = instance.port();
        instance.stop();
        let gone = Client::on(port, LONG);
        assert!(matches!(gone.version(), Err(InstanceError::NoAnswer(_))));
        let owner = gone.check_owner(nix::unistd::geteuid());
        assert!(matches!(owner, Err(InstanceError::NotListening(_))), "{owner:?}");
    }
}

#[test]
fn an_instance_that_hangs_delays_no_call_beyond_its_deadline() {
    let (_dir, base, instance) = started("0.0.26", "127.0.0.1");
    let cookie = client(&instance, LONG).exchange(&credential("0.0.26", &base)).unwrap();
    for faults in
        [json!({ "hang": true }), json!({ "silent_seconds": 100_000 }), json!({ "lies": "drip" })]
    {
        fault(&base, &faults);
        let client = client(&instance, SHORT);
        let begin = Instant::now();
        let answers = [
            client.version().err(),
            client.session(std::slice::from_ref(&cookie)).err(),
            client.exchange("ABCDEFGHJKLM").err(),
        ];
        for answer in answers {
            assert!(matches!(answer, Some(InstanceError::NoAnswer(_))), "{faults}: {answer:?}");
        }
        assert!(client.ping(&cookie).is_err(), "{faults}");
        assert!(begin.elapsed() < SHORT * 4 + Duration::from_secs(10), "{:?}", begin.elapsed());
    }
}

#[test]
fn huge_and_lying_answers_are_errors() {
    let (_dir, base, instance) = started("0.0.26", "127.0.0.1");
    let cookie = client(&instance, LONG).exchange(&credential("0.0.26", &base)).unwrap();
    let client = client(&instance, LONG);
    let begin = Instant::now();
    for lie in [
        json!("garbage"),
        json!("huge"),
        json!("head"),
        json!({}),
        json!({"serverVersion": "../../etc", "authenticated": 1, "auth": {"sessionCookieName": "t3"}}),
        json!({"serverVersion": "", "authenticated": true, "auth": {"sessionCookieName": "lobby"}}),
    ] {
        fault(&base, &json!({ "lies": lie }));
        assert!(client.version().is_err(), "{lie}");
        assert!(client.session(&[]).is_err(), "{lie}");
        assert!(client.exchange("ABCDEFGHJKLM").is_err(), "{lie}");
        assert!(client.ping(&cookie).is_err(), "{lie}");
    }
    assert!(begin.elapsed() < LONG, "none was waited for: {:?}", begin.elapsed());
}

#[test]
fn a_credential_survives_errors_of_the_server_and_is_tried_again() {
    let (_dir, base, instance) = started("0.0.26", "127.0.0.1");
    let made = credential("0.0.26", &base);
    let data = base.join("userdata/state.sqlite");
    let holder = rusqlite::Connection::open(&data).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let failed = client(&instance, SHORT).exchange(&made);
    assert!(matches!(failed, Err(InstanceError::Status { status: 500, .. })), "{failed:?}");
    let long = client(&instance, LONG);
    let waiting = std::thread::spawn({
        let made = made.clone();
        move || long.exchange(&made)
    });
    holder.execute_batch("COMMIT").unwrap();
    assert!(waiting.join().unwrap().is_ok());
}

#[test]
fn an_exchange_without_a_cookie_and_a_broken_check_are_errors() {
    let (_dir, base, instance) = started("0.0.34", "127.0.0.1");
    let client = client(&instance, LONG);
    fault(&base, &json!({ "no_cookie": true }));
    let error = client.exchange(&credential("0.0.34", &base)).unwrap_err();
    assert!(matches!(error, InstanceError::NoCookie(_)), "{error}");
    fault(&base, &json!({ "broken_auth": true }));
    let error = client.session(&[]).unwrap_err();
    assert!(matches!(error, InstanceError::Status { status: 500, .. }), "{error}");
}
