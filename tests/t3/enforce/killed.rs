//! A run that is killed at any of its steps: each instance is on a whole version with data that it knows, and the next
//! run finishes the change or undoes it.

use super::{LEVELS, NEW, OLD, T3Host};
use crate::faults::has_strace;
use crate::support::Run;
use crate::t3::step;

/// Kills the enforcer on entry to the `ordinal`th of these calls; gives whether it died.
fn kill_at(t3: &T3Host, call: &str, ordinal: usize) -> bool {
    let inject = format!("inject={call}:signal=KILL:when={ordinal}");
    let trace = format!("trace={call}");
    let words = ["strace", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let enforce = ["/opt/tl/provision", "t3", "enforce", "--json"];
    let run: Run = t3.host.patient([&words[..], &enforce[..]].concat());
    assert!(run.code == 128 + 9 || run.code == 0, "{}{}", run.out(), run.err());
    run.code != 0
}

/// Whatever was chosen knows the data.
fn assert_whole(t3: &T3Host, point: &str) {
    let level = t3.level("ann");
    let chosen = t3.chosen("ann");
    if chosen == ".held" {
        return; // it cannot be started
    }
    let (_, known) = LEVELS.iter().find(|(version, _)| *version == chosen).expect(point);
    assert!(level <= *known, "{point}: {chosen} on migration {level}");
    assert!([OLD, NEW].contains(&t3.current().as_str()), "{point}");
}

/// Kills a run at each `step`th of the calls by which it leaves something behind.
fn campaign(test: &str, fault: Option<&str>, step: usize) {
    if !has_strace(&format!("t3::enforce::{test}")) {
        return;
    }
    let mut points = 0;
    for call in ["renameat2", "symlinkat", "vfork,clone3,clone"] {
        for ordinal in (1..).step_by(step) {
            let Some(t3) = T3Host::new(test, &["ann"], OLD) else { return };
            let cookie = t3.log_in("ann");
            t3.pin(NEW);
            if let Some(fault) = fault {
                t3.faults("ann", &format!("{{\"only\": \"{NEW}\", {fault}}}"));
            }
            let point = format!("{call} {ordinal}");
            if !kill_at_or_fail(&t3, call, ordinal, fault.is_some()) {
                break;
            }
            points += 1;
            assert_whole(&t3, &point);
            let run = t3.enforce(&[]);
            let expected: &[i32] = if fault.is_some() { &[1, 3] } else { &[0, 1, 3] };
            assert!(expected.contains(&run.code), "{point}: {}{}", run.out(), run.err());
            assert_eq!(t3.state()["change"], serde_json::Value::Null, "{point}");
            t3.assert_no_trial();
            if fault.is_some() {
                t3.assert_works("ann", OLD);
                assert!(t3.is_session("ann", &cookie), "{point}");
                assert!(t3.is_frozen(), "{point}");
            } else {
                t3.assert_works("ann", NEW);
                assert_eq!(t3.current(), NEW, "{point}");
            }
        }
    }
    println!("killed at {points} points");
    assert!(points > 3, "{points}");
}

fn kill_at_or_fail(t3: &T3Host, call: &str, ordinal: usize, fails: bool) -> bool {
    if !fails {
        return kill_at(t3, call, ordinal);
    }
    let inject = format!("inject={call}:signal=KILL:when={ordinal}");
    let trace = format!("trace={call}");
    let words = ["strace", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let enforce = ["/opt/tl/provision", "t3", "enforce", "--json"];
    let run: Run = t3.host.patient([&words[..], &enforce[..]].concat());
    run.code == 128 + 9
}

#[test]
fn a_change_that_is_killed_is_finished_by_the_next_run() {
    campaign("killed::finished", None, step(24));
}

#[test]
fn a_rollback_that_is_killed_is_finished_by_the_next_run() {
    campaign("killed::undone", Some(r#""no_websocket": true"#), step(30));
}
