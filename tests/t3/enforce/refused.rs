//! What is refused before anything is changed.

use super::{NEW, NEWEST, OLD, T3Host};

#[test]
fn a_freeze_a_downgrade_and_a_build_of_another_kind_are_refused() {
    let Some(t3) = T3Host::new("refused::guards", &["ann"], NEW) else { return };
    let message = |run: crate::support::Run| run.json()["message"].as_str().unwrap().to_owned();
    let provision = |args: &[&str]| t3.host.root([&["/opt/tl/provision", "t3"], args].concat());
    provision(&["freeze", "--why", "a release party"]).ok();
    t3.pin(NEWEST);
    assert_eq!(message(t3.enforce(&[]).code(3)), "FROZEN: a release party");
    provision(&["unfreeze"]).ok();
    t3.pin(OLD);
    assert!(message(t3.enforce(&[]).code(3)).contains("older than 0.0.26"));
    for (tag, printed) in [("nightly", NEWEST), ("latest", "0.0.35-nightly.20260901.1")] {
        let resolve = format!("track = \"{tag}\"\nresolve = [\"echo\", \"{printed}\"]");
        t3.settings(&resolve);
        assert!(message(t3.enforce(&[]).code(3)).contains("nightly build"), "{tag}");
    }
    t3.settings("track = \"latest\"\nresolve = [\"sh\", \"-c\", \"echo no network >&2; exit 7\"]");
    assert!(message(t3.enforce(&[]).code(4)).contains("exited with 7: no network"));
    // Allowed by the site, but no database fits.
    t3.settings(&format!(
        "version = \"{OLD}\"\nallow_downgrade = true\nallow_ended_sessions = true"
    ));
    let report = t3.enforce(&[]).code(1).json();
    assert!(report["failed"]["ann"].as_str().unwrap().contains("has migration 32"), "{report}");
    t3.assert_works("ann", NEW);
    assert_eq!((t3.current().as_str(), t3.is_frozen()), (NEW, false));
}

#[test]
fn a_package_that_is_not_what_it_should_be_is_not_installed() {
    let Some(t3) = T3Host::new("refused::packages", &["ann"], OLD) else { return };
    let mut last = String::new();
    for (script, why) in [
        // Another version, a link out of the tree, a failure, a hang, root.
        (format!("/opt/tl/lay {{dir}} {NEWEST}"), "0.0.34, not 0.0.26"),
        (
            format!("/opt/tl/lay {{dir}} {NEW}; ln -s /etc/shadow {{dir}}/x"),
            "a link out of the tree",
        ),
        ("echo broken >&2; exit 3".to_owned(), "exited with 3: broken"),
        ("sleep 1000".to_owned(), "did not answer within"),
        ("touch /opt/t3/versions/x; touch /etc/x".to_owned(), "Permission denied"),
    ] {
        t3.host.sh(&format!(
            "cat >/etc/terminal-lobby/t3.toml <<'END'\n[enforce]\nversion = \"{NEW}\"\ninstall_seconds = 5\n\
             install = [\"sh\", \"-ec\", \"{script}\"]\nEND"
        ));
        let run = t3.enforce(&[]);
        assert!([1, 4].contains(&run.code), "{}{}", run.out(), run.err());
        last = run.json()["message"].as_str().unwrap().to_owned();
        assert!(last.contains(why), "{script}: {last}");
        assert_eq!(t3.host.sh("ls -A /opt/t3/versions"), format!("{OLD}\n"), "{script}");
        t3.assert_no_trial();
    }
    assert!(!last.is_empty());
    t3.assert_works("ann", OLD);
}

#[test]
fn a_version_that_fails_in_its_trial_reaches_no_instance() {
    let Some(t3) = T3Host::new("refused::trial", &["ann"], OLD) else { return };
    // The package brings a program that starts, answers `/`, and fails in one step.
    let broken = |patch: &str| {
        t3.host.sh(&format!(
            "sed '{patch}' /opt/tl/stand-in-t3 >/opt/tl/broken; chmod 755 /opt/tl/broken\n\
             sed 's,/opt/tl/stand-in-t3,/opt/tl/broken,' /opt/tl/lay >/opt/tl/lay-broken; chmod 755 /opt/tl/lay-broken\n\
             cat >/etc/terminal-lobby/t3.toml <<'END'\n[enforce]\nversion = \"{NEW}\"\nallow_ended_sessions = true\n\
             start_seconds = 5\nstep_seconds = 4\ninstall = [\"/opt/tl/lay-broken\", \"{{dir}}\", \"{{version}}\"]\nEND"
        ));
    };
    for (patch, why) in [
        (
            "s/return self.websocket()$/return self.answer(500)/; s/else self.websocket()/else self.answer(500)/",
            "WebSocket",
        ),
        ("s/if path == \"\\/api\\/auth\\/session\":/if path == \"\\/api\\/none\":/", "session"),
        (
            "s/return serve(told)/sys.exit(\"Migration 31 failed: no such column\")/",
            "migration: Migration 31 failed",
        ),
        ("s/return serve(told)/return time.sleep(1000)/", "nothing listens"),
    ] {
        broken(patch);
        let report = t3.enforce(&[]).code(1).json();
        let message = report["message"].as_str().unwrap();
        assert!(message.contains(why), "{patch}: {message}");
        assert_eq!((t3.current().as_str(), t3.is_frozen()), (OLD, false));
        t3.host.sh(&format!("rm -rf /opt/t3/versions/{NEW}"));
        t3.assert_no_trial();
    }
    t3.assert_works("ann", OLD);
    let since = t3.state()["target"]["behind_since"].as_u64().unwrap();
    assert!(since > 0);
    // Seventeen days later it is no longer unnoticed.
    let state = t3.host.read("/var/lib/t3/state.json");
    let old = since - 17 * 86400;
    let state = state.replace(&since.to_string(), &old.to_string());
    t3.host.sh(&format!("cat >/var/lib/t3/state.json <<'END'\n{state}END"));
    let run = t3.enforce(&["--metrics", "/var/lib/t3.prom"]).code(1);
    assert!(run.err().contains("STUCK BEHIND"), "{}", run.err());
    assert_eq!(run.json()["stuck"], true);
    let printed = t3.host.read("/var/lib/t3.prom");
    let wanted = crate::documents::alerts::wanted_metrics("terminal_lobby_t3_enforce_");
    assert!(wanted.len() >= 4, "{wanted:?}");
    assert_eq!(crate::documents::alerts::lacking(&wanted, &printed), [""; 0]);
    let behind =
        printed.lines().find(|line| line.starts_with("terminal_lobby_t3_enforce_behind_seconds "));
    let behind: u64 = behind.unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    assert!(behind >= 17 * 86400);
}
