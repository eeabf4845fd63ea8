//! Root's record of each user's saves and restores. A worker that hung and was killed could
//! record nothing in its user's directory, and root writes nothing there; so root keeps a file of
//! its own. A second one is in `/run`: if the disk with the state is full or read-only, the saves that
//! fail for that reason count all the same.

use super::config::STATE_DIR;
use super::task::{TaskResult, UserReport};
use crate::persist::Report;
use crate::snapshot::Activity;
use crate::snapshot::activity::{decode_all, encode_all};
use crate::sys::clock::Epoch;
use crate::sys::fs::{FileError, trusted_path};
use crate::sys::{Dir, locks};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// In the state directory, and in [`RUN`]: root's, 0600.
const FILE: &str = ".saves.tsv";
/// Held while the file is rewritten. Users cannot open it, so none can hold it.
const LOCK: &str = ".saves.lock";
/// Where the second one is, for the site's state directory.
const RUN: &str = "/run/tmux-persist";
/// Maximum size of the file, in bytes: a user takes less than 1 KB.
const MAX: u64 = 16 << 20;
/// In seconds.
const A_DAY: u64 = 24 * 3600;
/// How long another save may hold the lock: it holds it for a millisecond.
const WAIT: Duration = Duration::from_secs(2);

/// Records these saves, and those restores whose process gave no report (`silent`): the others were
/// recorded by the process itself. A file that cannot be read is replaced: it is a hint. Fails if neither
/// file can be written.
pub(crate) fn record(
    state: &Path,
    reports: &[UserReport],
    silent: &BTreeSet<String>,
    now: Epoch,
) -> Result<(), FileError> {
    record_in(open(state, run_of(state)), reports, silent, now)
}

/// The directory in `/run` that belongs to a state directory, if it is the site's.
fn run_of(state: &Path) -> Option<&'static Path> {
    (state == Path::new(STATE_DIR)).then(|| Path::new(RUN))
}

/// The directories that a record can be in.
fn open(state: &Path, run: Option<&Path>) -> Vec<Result<Dir, FileError>> {
    let run = run.map(trusted_path::ensure_dir);
    std::iter::once(Dir::open(state)).chain(run).collect()
}

fn record_in(
    dirs: Vec<Result<Dir, FileError>>,
    reports: &[UserReport],
    silent: &BTreeSet<String>,
    now: Epoch,
) -> Result<(), FileError> {
    let mut all = read_all(&dirs);
    enter_reports(&mut all, reports, silent, now);
    let write = |dir: Dir| {
        let _lock = locks::exclusive(&dir, LOCK, WAIT)?;
        // Another command may have written since.
        let mut present = read(&dir);
        enter_reports(&mut present, reports, silent, now);
        newest_of(&mut present, &all);
        dir.write_hint(FILE, &encode_all(&present))
    };
    let written: Vec<_> = dirs.into_iter().map(|dir| dir.and_then(write)).collect();
    if written.iter().any(Result::is_ok) {
        return Ok(());
    }
    // Without a state directory it was a restore of nothing.
    let failed = written.into_iter().filter_map(Result::err);
    failed.into_iter().find(|error| !error.is_not_found()).map_or(Ok(()), Err)
}

fn enter_reports(
    all: &mut BTreeMap<String, Activity>,
    reports: &[UserReport],
    silent: &BTreeSet<String>,
    now: Epoch,
) {
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
}

/// Keeps for each user the record with more attempts behind it: the other was not written for a while.
fn newest_of(all: &mut BTreeMap<String, Activity>, others: &BTreeMap<String, Activity>) {
    for (user, other) in others {
        let activity = all.entry(user.clone()).or_default();
        let age = |activity: &Activity| {
            (activity.last_save.max(activity.last_restore), activity.failures)
        };
        if age(activity) < age(other) {
            activity.clone_from(other);
        }
    }
}

/// The names in the order in which they are saved: those whose save failed in the last day, as root saw it, after all
/// others. Whoever hangs until the deadline holds up only those who did, too.
pub(crate) fn those_that_failed_last(state: &Path, names: &[String], now: Epoch) -> Vec<String> {
    let run = run_of(state).filter(|run| run.is_dir());
    let seen = read_all(&open(state, run));
    let failed = |name: &String| {
        let last = seen.get(name).map_or(0, |activity| activity.last_failure);
        last > 0 && now.saturating_sub(last) < A_DAY
    };
    let (last, mut first): (Vec<String>, Vec<String>) = names.iter().cloned().partition(failed);
    first.extend(last);
    first
}

/// What both say together.
fn read_all(dirs: &[Result<Dir, FileError>]) -> BTreeMap<String, Activity> {
    let mut all = BTreeMap::new();
    for dir in dirs.iter().flatten() {
        newest_of(&mut all, &read(dir));
    }
    all
}

/// Adds root's record to the reports of `status` and `doctor`.
pub(crate) fn enter(done: &mut TaskResult) {
    if !done.by_root {
        return;
    }
    let run = run_of(&done.state_dir).filter(|run| run.is_dir());
    let seen = read_all(&open(&done.state_dir, run));
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
    use crate::persist::report::{PlanReport, Problem, SaveReport, SaveResult};

    #[test]
    fn failures_count_while_the_disk_with_the_state_cannot_be_written() {
        let (state, run) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let report = |error: Option<Problem>| {
            let result = if error.is_some() { SaveResult::Failed } else { SaveResult::Saved };
            let report = Report::Save(SaveReport { result, error, ..SaveReport::default() });
            [UserReport::new("ann".to_owned(), report)]
        };
        let both = || vec![Dir::open(state.path()), Dir::open(run.path())];
        let save = |dirs, error: Option<Problem>, now| {
            record_in(dirs, &report(error), &BTreeSet::new(), now).unwrap();
        };
        save(both(), None, 100);
        let full = || FileError::refused("writing", "/state", "full");
        for now in [200, 300] {
            save(vec![Err(full()), Dir::open(run.path())], Some(Problem::failed(&"full")), now);
        }
        let seen = read_all(&both());
        assert_eq!((seen["ann"].failures_since_good, seen["ann"].last_good_save), (2, 100));
        // After a boot, `/run` is empty and the disk has what it had.
        std::fs::remove_file(run.path().join(FILE)).unwrap();
        save(both(), None, 400);
        assert_eq!(read_all(&both())["ann"].last_good_save, 400);
        let unwritten = record_in(vec![Err(full())], &report(None), &BTreeSet::new(), 500);
        assert_eq!(unwritten.unwrap_err().to_string(), "writing /state: full");
    }

    #[test]
    fn those_whose_saves_failed_within_a_day_come_last_and_all_others_keep_their_order() {
        let root = tempfile::tempdir().unwrap();
        let names = ["ann", "bob", "cid", "dan"].map(str::to_owned);
        let order = |now| those_that_failed_last(root.path(), &names, now);
        assert_eq!(order(1000), names, "no record");
        let report = |user: &str, failed: bool| {
            let error = failed.then(|| Problem::failed(&"it hung"));
            let result = if failed { SaveResult::Failed } else { SaveResult::Saved };
            let report = Report::Save(SaveReport { result, error, ..SaveReport::default() });
            UserReport::new(user.to_owned(), report)
        };
        let reports = [report("ann", true), report("bob", false), report("cid", true)];
        record(root.path(), &reports, &BTreeSet::new(), 1000).unwrap();
        assert_eq!(order(1060), ["bob", "dan", "ann", "cid"]);
        // One good save does not bring a user forward: it could be every second one that hangs.
        record(root.path(), &[report("ann", false)], &BTreeSet::new(), 1060).unwrap();
        assert_eq!(order(1120), ["bob", "dan", "ann", "cid"]);
        assert_eq!(order(1000 + A_DAY), names);
    }

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
