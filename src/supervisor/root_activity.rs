//! Root's record of each user's saves and restores. A worker that hung and was killed could
//! record nothing in its user's directory, and root writes nothing there; so root keeps a file of
//! its own.

use super::task::{TaskResult, UserReport};
use crate::persist::Report;
use crate::snapshot::Activity;
use crate::snapshot::activity::{decode_all, encode_all};
use crate::sys::clock::Epoch;
use crate::sys::fs::FileError;
use crate::sys::{Dir, locks};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// In the state directory: root's, 0600.
const FILE: &str = ".saves.tsv";
/// Held while the file is rewritten. Users cannot open it, so none can hold it.
const LOCK: &str = ".saves.lock";
/// Maximum size of the file, in bytes: a user takes less than 1 KB.
const MAX: u64 = 16 << 20;
/// How long another save may hold the lock: it holds it for a millisecond.
const WAIT: Duration = Duration::from_secs(2);

/// Records these saves, and those restores whose process gave no report (`silent`): the others were
/// recorded by the process itself. A file that cannot be read is replaced: it is a hint.
pub(crate) fn record(
    state: &Path,
    reports: &[UserReport],
    silent: &BTreeSet<String>,
    now: Epoch,
) -> Result<(), FileError> {
    let state = match Dir::open(state) {
        Ok(state) => state,
        Err(error) if error.is_not_found() => return Ok(()), // a restore of nothing
        Err(error) => return Err(error),
    };
    let _lock = locks::exclusive(&state, LOCK, WAIT)?;
    let mut all = read(&state);
    for UserReport { user, report, .. } in reports {
        let activity = all.entry(user.clone()).or_default();
        match report {
            Report::Save(saved) => {
                let why = saved.error.as_ref().map_or("", |problem| problem.message.as_str());
                activity.enter_save(now, Duration::ZERO, saved.result, why);
            }
            Report::Plan(_) if silent.contains(user) => {
                activity.enter_restore(now, Duration::ZERO, std::iter::once("failed"));
            }
            _ => {}
        }
    }
    state.write_hint(FILE, &encode_all(&all))
}

/// Adds root's record to the reports of `status` and `doctor`.
pub(crate) fn enter(done: &mut TaskResult) {
    if !done.by_root {
        return;
    }
    let seen = Dir::open(&done.state_dir).map(|state| read(&state)).unwrap_or_default();
    for UserReport { user, report, .. } in &mut done.reports {
        let standing = match report {
            Report::Status(standing) => standing.as_mut(),
            Report::Doctor(examined) => &mut examined.standing,
            _ => continue,
        };
        if let Some(root) = seen.get(user) {
            standing.enter_roots(root);
        }
    }
}

fn read(state: &Dir) -> BTreeMap<String, Activity> {
    state.read(FILE, MAX).ok().and_then(|text| decode_all(&text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::{PlanReport, Problem, SaveReport};

    #[test]
    fn a_failed_save_is_seen_and_a_restore_only_when_its_process_was_silent() {
        let root = tempfile::tempdir().unwrap();
        let of = |user: &str, report| UserReport::new(user.to_owned(), report);
        let error = Some(Problem::failed("it hung"));
        let save = Report::Save(SaveReport { error, ..SaveReport::default() });
        let problem = Some(Problem::failed(&"it hung"));
        let restore =
            || Report::Plan(PlanReport { error: problem.clone(), ..PlanReport::default() });
        let reports = [of("ann", save), of("bob", restore()), of("zoe", restore())];
        let silent = BTreeSet::from(["bob".to_owned()]);
        for now in [100, 200] {
            record(root.path(), &reports, &silent, now).unwrap();
        }
        let standing = |user: &str| of(user, Report::Status(Box::default()));
        let mut done = TaskResult {
            reports: vec![standing("ann"), standing("bob"), standing("zoe"), standing("new")],
            problems: vec![],
            single: false,
            by_root: true,
            state_dir: root.path().to_owned(),
        };
        enter(&mut done);
        let seen: Vec<_> = done
            .reports
            .iter()
            .filter_map(|user| match &user.report {
                Report::Status(seen) => Some((seen.failures, seen.restored.failed)),
                _ => None,
            })
            .collect();
        assert_eq!(seen, [(2, 0), (0, 2), (0, 0), (0, 0)]);
        record(&root.path().join("absent"), &reports, &silent, 300).unwrap();
    }
}
