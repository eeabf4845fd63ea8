//! A save that prunes and is killed at any of its system calls.

use super::points::{at_each, has_strace, kill_at, persist, points};
use super::state::{State, prepared};
use crate::support::planted::{DAY, HOUR, agent, now, plant};
use crate::support::stub_agent::id;
use std::collections::BTreeSet;
use terminal_lobby::snapshot::SnapshotId;

/// A store with something of everything: two to thin in an hour and in a day, one that is
/// too old and has a conversation of its own, a loss, and scrollback.
fn planted(before: &State) {
    let dir = before.snapshots();
    let noon = |days: u64| (now() / DAY - days) * DAY + DAY / 2;
    let rows = |n: u32| -> Vec<_> { (0..n).map(|n| agent(&format!("s{n}"), &id(n))).collect() };
    plant(&dir, noon(200), &[agent("old", &id(77))]);
    plant(&dir, noon(120), &rows(4));
    plant(&dir, noon(50), &rows(4));
    plant(&dir, noon(50) + 60, &rows(2));
    plant(&dir, noon(40), &rows(2));
    plant(&dir, noon(40) + HOUR, &rows(2));
    let thinned = plant(&dir, noon(3), &rows(2));
    plant(&dir, noon(3) + 60, &rows(2));
    let scrollback = dir.join(format!("{thinned}.scrollback"));
    std::fs::create_dir(&scrollback).unwrap();
    std::fs::write(scrollback.join("0.0"), "$ ls\n").unwrap();
}

fn snapshots(state: &State) -> BTreeSet<String> {
    state.series().into_keys().collect()
}

#[test]
fn a_save_that_prunes_may_die_at_any_system_call() {
    if !has_strace("a_save_that_prunes_may_die_at_any_system_call") {
        return;
    }
    let prepared = prepared();
    let sandbox = &prepared.sandbox;
    let before = prepared.old.copy(sandbox, "before");
    let (taken, _) = before.series().pop_last().unwrap();
    let yesterday = SnapshotId::next(now() - DAY, None, None).file_name();
    std::fs::rename(before.snapshots().join(taken), before.snapshots().join(yesterday)).unwrap();
    planted(&before);
    let had = snapshots(&before);
    let whole = before.copy(sandbox, "counted");
    let points = points(sandbox, &["save"], &whole.0);
    let expected = snapshots(&whole);
    let kept: BTreeSet<_> = expected.intersection(&had).cloned().collect();
    assert_eq!((had.len() - kept.len(), expected.len() - kept.len()), (3, 1), "{expected:?}");
    at_each("save that prunes", &points, |at, point| {
        let state = before.copy(sandbox, &format!("at{at:05}"));
        if !kill_at(sandbox, &["save"], &state.0, point) {
            return false;
        }
        let has = snapshots(&state);
        assert!(kept.is_subset(&has), "{point:?}: {has:?}");
        let new: Vec<_> = has.difference(&had).collect();
        assert!(new.len() <= 1, "{point:?}: {new:?}");
        assert!(new.len() == 1 || has == had, "pruned before the new one was there: {point:?}");
        let newest = has.last().map(|name| name.trim_end_matches(".tsv").to_owned());
        assert_eq!(state.newest(sandbox), newest, "{point:?}");
        let history = persist(sandbox, &["history", "--json", "--all"], &state.0).ok().json();
        let all = history["conversations"].as_array().unwrap();
        let known = |n: u32| all.iter().any(|one| one["conversation"] == id(n));
        assert!([0, 1, 2, 3, 77].into_iter().all(known), "{point:?}: {history}");
        let saved = persist(sandbox, &["save", "--json"], &state.0).ok().json();
        let result = if new.is_empty() { "saved" } else { "unchanged" };
        assert_eq!(saved["users"][0]["result"], result, "{point:?}: {saved}");
        assert_eq!(state.linked().as_ref(), Some(&prepared.new_bytes), "{point:?}");
        assert!(kept.is_subset(&snapshots(&state)), "{point:?}");
        assert_eq!(state.temporaries(), [""; 0], "{point:?}");
        std::fs::remove_dir_all(&state.0).unwrap();
        true
    });
}
