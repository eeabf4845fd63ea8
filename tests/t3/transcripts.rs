//! That the stand-in does what was measured on the real servers: exchanges of three versions, cookies, and the outage of
//! a newer program's command line on the directory of a live older server.

use super::instance::{Instance, answers, credential, mint, t3};
use std::os::unix::fs::PermissionsExt;

pub(super) const BROWSER_SESSION: &str = "/api/auth/browser-session";
const BOOTSTRAP: &str = "/api/auth/bootstrap";

fn base() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().join(".t3");
    (dir, base)
}

#[test]
fn a_credential_is_exchanged_once_for_a_cookie_that_opens_the_socket() {
    let (_dir, base) = base();
    let instance = Instance::start("0.0.26", "0.0.0.0", &base);
    assert_eq!(instance.cookie_name(), "t3_session");
    assert!(!instance.is_session(""));
    let credential = credential("0.0.26", &base);
    let given = instance.exchange(BROWSER_SESSION, &credential);
    let cookie = given.cookie().unwrap().to_owned();
    let line = given.head.lines().find(|line| line.starts_with("Set-Cookie")).unwrap();
    assert!(
        line.contains("; Path=/; ") && line.ends_with("; HttpOnly; SameSite=Lax"),
        "neither Secure nor Domain: {line}"
    );
    assert_eq!((given.status, given.json()["scopes"].as_array().unwrap().len()), (200, 5));
    let again = instance.exchange(BROWSER_SESSION, &credential);
    assert_eq!((again.status, &again.json()["reason"]), (401, &"invalid_credential".into()));
    assert!(instance.is_session(&cookie));
    assert!(!instance.is_session("t3_session=garbage"));
    // The first of two counts.
    assert!(!instance.is_session(&format!("t3_session=stale; {cookie}")));
    assert_eq!(instance.socket("").err(), Some(401));
    assert_eq!(instance.socket("t3_session=garbage").err(), Some(401));
    assert_eq!(instance.get("/ws", &cookie).status, 400);
    let mut socket = instance.socket(&cookie).unwrap();
    assert!(answers(&mut socket));
    // A session that is revoked is none at once, but what is open stays.
    let claims = cookie.split(['=', '.']).nth(1).unwrap();
    let sid = session_id(claims);
    assert!(t3("0.0.26", &["auth", "session", "revoke", &sid], &base).status().unwrap().success());
    assert!(!instance.is_session(&cookie));
    assert_eq!(instance.socket(&cookie).err(), Some(401));
    assert!(answers(&mut socket));
    assert_eq!(instance.stop(), Some(130));
}

/// The id in a cookie's claims.
fn session_id(claims: &str) -> String {
    let script = "import base64,json,sys;c=sys.argv[1];print(json.loads(base64.urlsafe_b64decode(c+'='*(-len(c)%4)))['sid'])";
    let output = std::process::Command::new("python3").args(["-c", script, claims]).output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
}

#[test]
fn each_version_has_its_own_exchange_and_its_own_name_of_the_cookie() {
    for (version, host, path, other, name) in [
        ("0.0.24", "127.0.0.1", BOOTSTRAP, BROWSER_SESSION, "t3_session"),
        ("0.0.26", "127.0.0.1", BROWSER_SESSION, BOOTSTRAP, "t3_session"),
        ("0.0.34", "0.0.0.0", BROWSER_SESSION, BOOTSTRAP, "t3_session"),
        ("0.0.34", "127.0.0.1", BROWSER_SESSION, BOOTSTRAP, "t3_session_PORT_"),
    ] {
        let (_dir, base) = base();
        let instance = Instance::start(version, host, &base);
        let credential = credential(version, &base);
        assert_eq!(instance.exchange(other, &credential).status, 404, "{version}");
        let given = instance.exchange(path, &credential);
        let cookie = given.cookie().unwrap();
        let expected = name.replace("PORT", &instance.port().to_string());
        assert!(instance.cookie_name().starts_with(&expected), "{version}");
        assert!(cookie.starts_with(&format!("{}=", instance.cookie_name())), "{cookie}");
        assert!(instance.is_session(cookie), "{version}");
        // Whatever else is asked for is the page, and says nothing of logins.
        let page = instance.get("/api/nope", "");
        assert!(page.status == 200 && page.body.starts_with("<!doctype html>"), "{version}");
        let said = instance.get("/.well-known/t3/environment", "").json();
        assert_eq!(said["serverVersion"], version);
    }
}

#[test]
fn a_newer_programs_command_line_takes_a_live_older_server_down_until_its_database_is_put_back() {
    let (_dir, base) = base();
    let instance = Instance::start("0.0.24", "0.0.0.0", &base);
    let given = instance.exchange(BOOTSTRAP, &credential("0.0.24", &base));
    let cookie = given.cookie().unwrap().to_owned();
    assert!(instance.is_session(&cookie));
    let data = base.join("userdata");
    let saved = |name: &str| std::fs::read(data.join(name)).unwrap_or_default();
    let before: Vec<_> =
        ["state.sqlite", "state.sqlite-wal"].map(|name| (name, saved(name))).into();
    let mode = std::fs::metadata(data.join("state.sqlite")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "the umask alone decides who reads it");
    // It succeeds, and what it makes is of no use.
    let newer = credential("0.0.26", &base);
    assert!(!instance.is_session(&cookie), "every session is gone");
    assert_eq!(instance.exchange(BOOTSTRAP, &newer).status, 500);
    assert!(!mint("0.0.24", &base).status.success());
    assert_eq!(instance.get("/", "").status, 200, "which says nothing");
    assert_eq!(instance.stop(), Some(130));
    let instance = Instance::start("0.0.24", "0.0.0.0", &base);
    assert!(!instance.is_session(&cookie), "a restart changes nothing");
    instance.stop();
    let _ = std::fs::remove_file(data.join("state.sqlite-shm"));
    for (name, bytes) in before {
        std::fs::write(data.join(name), bytes).unwrap();
    }
    let instance = Instance::start("0.0.24", "0.0.0.0", &base);
    assert!(instance.is_session(&cookie) && mint("0.0.24", &base).status.success());
}
