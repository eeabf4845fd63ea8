//! Users who hang until their deadline, again and again: what they take from the others is bounded, and so is what
//! they can make root's reports hold.

use super::children::meddler;
use super::output::harmless;
use super::report::{good_users, save};
use crate::support::host::{CONFIG, Host, STATE};
use crate::support::wait_until;
use std::time::{Duration, Instant};

#[test]
fn who_hung_is_saved_last_and_holds_up_only_those_who_did_too() {
    let Some(host) = Host::new("who_hung_is_saved_last_and_holds_up_only_those_who_did_too") else {
        return;
    };
    // First by name, with as many slots as there are of them.
    meddler(&host, "stop");
    good_users(&host);
    host.sh(&format!("echo 'parallel_users = 1' >>{CONFIG}"));
    save(&host).failed("stop");
    // "stop" comes before "zoe", and hangs for the 3 seconds of the deadline.
    host.tmux("zoe", ["new-session", "-d", "-s", "new", "--", "sleep", "100000"]).ok();
    host.sh("touch /root/begin");
    let begin = Instant::now();
    let newest = format!("find {STATE}/zoe/snapshots -newer /root/begin -name '*.tsv' | wc -l");
    let mut saving =
        host.root_command(crate::support::host::persist_argv(["save", "--quiet"])).spawn().unwrap();
    wait_until("zoe is saved", || host.sh(&newest).trim() != "0");
    let zoe = begin.elapsed();
    saving.wait().unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(3), "it hung again: {:?}", begin.elapsed());
    assert!(
        zoe < begin.elapsed().saturating_sub(Duration::from_secs(2)),
        "{zoe:?} of {:?}",
        begin.elapsed()
    );
    let report = save(&host);
    let users = report.run.json()["users"].as_array().unwrap().clone();
    let names: Vec<_> = users.iter().map(|user| user["user"].as_str().unwrap()).collect();
    assert_eq!(names, ["ann", "stop", "zoe"], "reports stay in order");
}

#[test]
fn a_flood_in_answer_to_any_request_is_cut_short() {
    let Some(host) = Host::new("a_flood_in_answer_to_any_request_is_cut_short") else { return };
    meddler(&host, "flood");
    for args in [
        &["show", "--user", "flood"][..],
        &["history", "--user", "flood"],
        &["list", "--user", "flood"],
        &["status", "flood"],
        &["diff", "--user", "flood", "latest", "live"],
        &["forget", "--user", "flood", "x"],
    ] {
        host.sh("rm -f /home/flood/met");
        let run = host.persist(args);
        harmless(&run);
        assert!(run.stdout.len() + run.stderr.len() < 16 << 10, "{args:?}");
        assert!(run.took < Duration::from_secs(6), "{args:?}: {:?}", run.took);
    }
}
