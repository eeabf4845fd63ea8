//! Forty agents of some size on a host that is short of memory.

use super::{chosen, next_second, set_up};
use crate::support::sandbox;
use std::collections::BTreeSet;

#[test]
fn of_forty_agents_those_idle_for_longest_give_back_what_is_needed_and_each_comes_back() {
    const SESSIONS: usize = 40;
    let memory = std::env::var("TL_STUB_MEMORY").unwrap_or_else(|_| "30".to_owned());
    let mebibytes: u64 = memory.parse().unwrap();
    let mut set_up = set_up();
    set_up.set("STUB_MEMORY", &memory);
    let name = |n: usize| format!("s{n:02}");
    let sessions: Vec<String> = (0..SESSIONS).map(name).collect();
    for session in &sessions {
        set_up.t(&format!("new-session -d -s {session} claude"));
    }
    set_up.wait_for_starts(SESSIONS);
    let ids: Vec<String> = sessions.iter().map(|name| set_up.conversation_shown(name)).collect();
    next_second();
    // The last eight work, and the eight before them were used since.
    for session in &sessions[24..] {
        set_up.tell(session, if *session < name(32) { "more" } else { "/status busy" });
    }
    let run = set_up.suspend_idle(&format!("--need {}M", mebibytes * 12)).ok();
    let first = chosen(&run);
    assert!((10..=12).contains(&first.len()), "{first:?}");
    let given_back = run.json()["given_back"].as_u64().unwrap();
    assert!(given_back >= (mebibytes * 12) << 20, "{given_back}");
    assert!(first.iter().all(|session| *session < name(24)), "{first:?}");
    // The pressure goes on: all but those that work.
    let second = chosen(&set_up.suspend_idle("").ok());
    let all: BTreeSet<&String> = first.iter().chain(&second).collect();
    assert_eq!(all.into_iter().cloned().collect::<Vec<_>>(), sessions[..32]);
    let order: Vec<bool> = second.iter().map(|session| *session >= name(24)).collect();
    assert!(order.is_sorted(), "those used since come last: {second:?}");
    // They noted their starts in any order.
    let pids = |id: &str| {
        let noted = set_up.conversations().into_iter();
        noted.filter(|on| on.conversation == id).map(|on| on.pid).collect::<Vec<i32>>()
    };
    for (session, id) in sessions.iter().zip(&ids).skip(32) {
        let pids = pids(id);
        let works = !pids.is_empty() && pids.iter().all(|pid| !sandbox::ended(*pid));
        assert!(works, "{session} worked, and was ended");
    }
    for session in &sessions[..32] {
        set_up.wait_until_suspended(session);
        set_up.t(&format!("send-keys -t {session} Enter"));
    }
    set_up.wait_for_starts(SESSIONS + 32);
    for (session, id) in sessions.iter().zip(&ids) {
        assert_eq!(set_up.conversation_shown(session), *id, "{session}");
    }
}
