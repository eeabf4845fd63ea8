//! A restore that is killed at any of its system calls.

use super::points::{Point, at_each, has_strace, kill_at, persist, points, sample};
use super::state::State;
use crate::support::{Sandbox, wait_until};
use std::collections::BTreeSet;

/// A restore makes a server each time, so without `TL_SOAK` only each of so many is tried.
const STEP: usize = 5;

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
    saved.crash();

    // In a world where no server ever ran, as after a reboot, like each of the tries.
    let points = points(&Sandbox::new(), &["restore"], &state.0);
    at_each("restore", &sample(points, STEP), |at, point| {
        let world = Sandbox::new();
        let state = state.copy(&saved, &format!("at{at:05}"));
        if !kill_at(&world, &["restore"], &state.0, point) {
            return false;
        }
        wait_until("the killed restore's own session is gone", || {
            !panes(&world).iter().any(|pane| pane.contains("builder"))
        });
        assert!(panes(&world).is_subset(&expected), "{point:?}: {:?}", panes(&world));
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

/// Every pane of the server by its place; none without a server.
fn panes(world: &Sandbox) -> BTreeSet<String> {
    let format = "#{session_name}:#{window_index}.#{pane_index}";
    let run = world.tmux(["list-panes", "-a", "-F", format]);
    run.out().lines().map(str::to_owned).collect()
}
