//! A disk that fails one call of a save: it says which path, writes nothing half, and loses
//! nothing.

use super::points::{Point, TRIES, has_strace, inject_traced, persist, points};
use super::state::{Prepared, State, prepared};
use crate::support::Run;

/// Calls that a full disk refuses.
const NEED_ROOM: [&str; 5] = ["openat", "write", "fsync", "renameat2", "symlinkat"];
/// Calls that a broken disk refuses. Not close(2) or fcntl(2): there is nothing to be done then.
const TOUCH_THE_DISK: [&str; 10] = [
    "openat",
    "write",
    "fsync",
    "renameat2",
    "symlinkat",
    "read",
    "getdents64",
    "readlinkat",
    "fstat",
    "flock",
];

#[test]
fn a_save_on_a_full_or_broken_disk_fails_with_the_path_and_keeps_what_was() {
    let name = "a_save_on_a_full_or_broken_disk_fails_with_the_path_and_keeps_what_was";
    if !has_strace(name) {
        return;
    }
    let prepared = prepared();
    let (sandbox, old) = (&prepared.sandbox, &prepared.old);
    let counted = old.copy(sandbox, "counted");
    let all = points(sandbox, &["save"], &counted.0);
    // By descriptor: what comes before the first string.
    let in_store = |point: &Point| {
        let descriptor = point.line.split('"').next().unwrap();
        descriptor.contains(counted.0.to_str().unwrap())
    };
    let writes = |point: &Point| point.call != "openat" || point.line.contains("O_CREAT");
    let needing = all
        .iter()
        .filter(|point| in_store(point) && writes(point))
        .filter(|point| NEED_ROOM.contains(&point.call.as_str()))
        .map(|point| (point, "ENOSPC"));
    let touching = all
        .iter()
        .filter(|point| in_store(point) && TOUCH_THE_DISK.contains(&point.call.as_str()))
        .map(|point| (point, "EIO"));
    let (mut failed, mut noted, mut missed) = (0, 0, 0);
    for (at, (point, error)) in needing.chain(touching).enumerate() {
        let Some((state, run)) =
            (0..3 * TRIES).find_map(|_| broken_at(&prepared, at, point, error))
        else {
            missed += 1;
            continue;
        };
        let user = &run.json()["users"][0];
        let path = state.0.to_str().unwrap();
        if run.code == 0 {
            // The newest snapshot could not be read, and the next one is as good.
            let said = user["notes"].as_array().unwrap();
            assert!(
                said.iter().any(|note| note.as_str().unwrap().contains(path)),
                "{point:?}: {user}"
            );
            assert_eq!(state.linked().as_ref(), Some(&prepared.new_bytes), "{point:?}");
            noted += 1;
        } else {
            assert_eq!((run.code, &user["result"]), (1, &"failed".into()), "{point:?}: {user}");
            let said = user["error"].as_str().unwrap();
            assert!(said.contains(path), "{point:?}: {said}");
            assert_eq!(run.err().lines().count(), 1, "{point:?}: {}", run.err());
            failed += 1;
        }
        assert_eq!(state.temporaries(), [""; 0], "{error}: {point:?}");
        let sound = [old.linked(), Some(prepared.new_bytes.clone())];
        assert!(
            state.series().into_values().all(|bytes| sound.contains(&Some(bytes))),
            "{point:?}"
        );
        assert!(state.newest(sandbox).is_some() && sound.contains(&state.linked()), "{point:?}");
        persist(sandbox, &["save"], &state.0).ok();
        assert_eq!(state.linked().as_ref(), Some(&prepared.new_bytes), "{point:?}");
        assert_eq!(state.series().len(), 2, "{point:?}");
        std::fs::remove_dir_all(&state.0).unwrap();
    }
    println!(
        "errors at {} calls: {failed} failed, {noted} were noted and did no harm; \
         {missed} were not reached again",
        failed + noted
    );
    assert!(failed > 15, "{failed}");
    assert!(missed * 20 <= failed + noted, "{missed} were missed");
}

/// A save that fails at one call, in a copy of the old state. How often tmux's answer is read is
/// chance, so a call after it may be another one this time: then there is nothing to judge.
fn broken_at(prepared: &Prepared, at: usize, point: &Point, error: &str) -> Option<(State, Run)> {
    let Prepared { sandbox, old, .. } = prepared;
    let state = old.copy(sandbox, &format!("at{at:05}"));
    let trace = sandbox.root().join("broken-trace");
    let what = format!("error={error}");
    let run = inject_traced(sandbox, &["save", "--json"], &state.0, (point, &what), &trace);
    let trace = String::from_utf8_lossy(&std::fs::read(trace).unwrap()).into_owned();
    let path = state.0.to_str().unwrap();
    let hit = trace.lines().any(|line| line.contains("(INJECTED)") && line.contains(path));
    hit.then_some((state, run))
}
