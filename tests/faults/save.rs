//! A save that is killed at any of its system calls.

use super::points::{Point, at_each, has_strace, kill_at, persist, points};
use super::state::{Prepared, State, prepared};

#[test]
fn a_second_save_may_die_at_any_system_call() {
    if !has_strace("a_second_save_may_die_at_any_system_call") {
        return;
    }
    let prepared = prepared();
    let old = prepared.old.clone();
    kill_everywhere("second save", &prepared, &old);
}

#[test]
fn a_first_save_may_die_at_any_system_call() {
    if !has_strace("a_first_save_may_die_at_any_system_call") {
        return;
    }
    let prepared = prepared();
    let absent = State(prepared.sandbox.root().join("absent"));
    kill_everywhere("first save", &prepared, &absent);
}

fn kill_everywhere(what: &str, prepared: &Prepared, before: &State) {
    let sandbox = &prepared.sandbox;
    let points = points(sandbox, &["save"], &before.copy(sandbox, "counted").0);
    at_each(what, &points, |at, point| {
        // The same length as the counted one's: no buffer grows differently.
        let state = before.copy(sandbox, &format!("at{at:05}"));
        if !kill_at(sandbox, &["save"], &state.0, point) {
            return false;
        }
        check(prepared, before, &state, point);
        std::fs::remove_dir_all(&state.0).unwrap();
        true
    });
}

/// The store after the death holds the snapshots of before and at most the whole new one; and the
/// next save leaves no trace of it.
fn check(prepared: &Prepared, before: &State, state: &State, point: &Point) {
    let Prepared { sandbox, new_bytes, .. } = prepared;
    let (had, has) = (before.series(), state.series());
    let newer: Vec<_> = has.iter().filter(|(name, _)| !had.contains_key(*name)).collect();
    assert!(had.iter().all(|(name, bytes)| has.get(name) == Some(bytes)), "{point:?}");
    assert!(newer.len() <= 1 && newer.iter().all(|(_, bytes)| *bytes == new_bytes), "{point:?}");
    let newest = has.last_key_value();
    if state.0.exists() {
        let id = newest.map(|(name, _)| name.trim_end_matches(".tsv").to_owned());
        assert_eq!(state.newest(sandbox), id, "{point:?}");
    }
    match state.linked() {
        Some(linked) => assert!(has.values().any(|bytes| *bytes == linked), "{point:?}"),
        None => assert!(had.is_empty(), "the link leads nowhere: {point:?}"),
    }
    let saved = persist(sandbox, &["save", "--json"], &state.0).ok().json();
    let expected = if newer.is_empty() { "saved" } else { "unchanged" };
    assert_eq!(saved["users"][0]["result"], expected, "{point:?}: {saved}");
    assert_eq!(state.series().len(), had.len() + 1, "{point:?}");
    assert_eq!(state.linked().as_ref(), Some(new_bytes), "{point:?}");
    assert_eq!(state.temporaries(), [""; 0], "{point:?}");
}
