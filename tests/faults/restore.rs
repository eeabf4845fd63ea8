//! A restore that is killed at any of its system calls.

use super::points::{Point, at_each, has_strace, kill_at, persist, points};
use super::state::State;
use crate::support::{Sandbox, wait_for, wait_until};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn a_restore_may_die_at_any_system_call_and_the_next_one_completes_it() {
    let name = "a_restore_may_die_at_any_system_call_and_the_next_one_completes_it";
    if !has_strace(name) {
        return;
    }
    let saved = Sandbox::new();
    let sleep = ["--", "sleep", "100000"];
    for session in ["one", "two", "three"] {
        saved.tmux([&["new-session", "-d", "-s", session][..], &sleep].concat()).ok();
    }
    saved.tmux([&["new-window", "-t", "=two:"][..], &sleep].concat()).ok();
    saved.tmux([&["split-window", "-t", "=two:"][..], &sleep].concat()).ok();
    let state = State(saved.state());
    persist(&saved, &["save"], &state.0).ok();
    let expected = panes(&saved);
    let server = saved.server_pid().unwrap();
    saved.crash();
    // A restore asks whether the saved server still runs; as long as it is in the process table, that takes
    // one call more. Where nothing takes it from there it stays the same for every try.
    let end = Instant::now() + Duration::from_secs(10);
    while Path::new(&format!("/proc/{server}")).exists() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }

    // In a world where no server ever ran, as after a reboot, like each of the tries.
    // One that had to start the server twice (client.rs says why) has calls of its own.
    let points = wait_for("a restore without a second try", || {
        let points = points(&Sandbox::new(), &["restore"], &state.0);
        (!points.iter().any(|point| point.call == "clock_nanosleep")).then_some(points)
    });
    at_each("restore", &points, |at, point| {
        let world = Sandbox::new();
        let state = state.copy(&saved, &format!("at{at:05}"));
        if !kill_at(&world, &["restore"], &state.0, point) {
            return false;
        }
        wait_until("the session of the killed restore's connection is gone", || {
            !panes(&world).iter().any(|pane| session(pane).is_some_and(|rest| !rest.contains('-')))
        });
        // Sessions under their own names are whole.
        let named = panes(&world).into_iter().filter(|pane| session(pane).is_none());
        let named: BTreeSet<_> = named.collect();
        let of = |pane: &String| pane.split(':').next().unwrap().to_owned();
        let begun: BTreeSet<_> = named.iter().map(of).collect();
        let whole = expected.iter().filter(|pane| begun.contains(&of(pane)));
        assert_eq!(named, whole.cloned().collect(), "{point:?}");
        complete(&world, &state, &expected, point);
        true
    });
}

/// Restores until the end: what is missing comes, and a third time nothing happens.
fn complete(world: &Sandbox, state: &State, expected: &BTreeSet<String>, point: &Point) {
    let restored = persist(world, &["restore", "--json"], &state.0).ok().json();
    assert_eq!(panes(world), *expected, "{point:?}: {restored}");
    let again = persist(world, &["restore", "--json"], &state.0).ok().json();
    let rows = again["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["result"] == "skipped"), "{point:?}: {again}");
    assert_eq!(panes(world), *expected, "{point:?}");
}

/// What follows the prefix in the name of a session of ours: the connection's own has one random
/// word there, an unfinished one a number after it.
fn session(pane: &str) -> Option<&str> {
    pane.split(':').next()?.strip_prefix("tmux-persist-builder-")
}

/// Every pane of the server by its place; none without a server.
fn panes(world: &Sandbox) -> BTreeSet<String> {
    let format = "#{session_name}:#{window_index}.#{pane_index}";
    let run = world.tmux(["list-panes", "-a", "-F", format]);
    run.out().lines().map(str::to_owned).collect()
}
