//! A `forget` that is killed at any of its system calls.

use super::points::{at_each, has_strace, kill_at, persist, points};
use super::state::prepared;

#[test]
fn a_forget_may_die_at_any_system_call() {
    if !has_strace("a_forget_may_die_at_any_system_call") {
        return;
    }
    let prepared = prepared();
    let sandbox = &prepared.sandbox;
    // The server ends, so that what `show` says of the session depends on the tombstones alone.
    let before = prepared.old.copy(sandbox, "new");
    persist(sandbox, &["save"], &before.0).ok();
    persist(sandbox, &["forget", "two"], &before.0).ok();
    sandbox.crash();
    let read =
        |state: &super::state::State| std::fs::read(state.own().join("forgotten.tsv")).unwrap();
    let old = read(&before);
    let args = ["forget", "one", "--reason", "done"];
    let points = points(sandbox, &args, &before.copy(sandbox, "counted").0);
    at_each("forget", &points, |at, point| {
        let state = before.copy(sandbox, &format!("at{at:05}"));
        if !kill_at(sandbox, &args, &state.0, point) {
            return false;
        }
        assert_eq!(state.series(), before.series(), "{point:?}");
        let now = read(&state);
        let added = now.strip_prefix(&old[..]).unwrap_or_else(|| panic!("{point:?}: lost one"));
        let whole = added.starts_with(b"one\t") && added.ends_with(b"\tdone\n");
        assert!(added.is_empty() || whole, "{point:?}: {}", added.escape_ascii());
        let selected = |session: &str| {
            let shown = persist(sandbox, &["show", "--json"], &state.0).ok().json();
            assert_eq!(shown["notes"].as_array().unwrap().len(), 0, "{point:?}: {shown}");
            let rows = shown["rows"].as_array().unwrap();
            rows.iter().find(|row| row["session"] == session).unwrap()["selected"] == true
        };
        assert_eq!(selected("one"), added.is_empty(), "{point:?}");
        assert!(!selected("two"), "{point:?}");
        persist(sandbox, &args, &state.0).ok();
        assert!(!selected("one") && !selected("two"), "{point:?}");
        assert_eq!(state.temporaries(), [""; 0], "{point:?}");
        std::fs::remove_dir_all(&state.0).unwrap();
        true
    });
}
