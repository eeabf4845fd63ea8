//! Which of the users who are not restored yet are about to be: the service manager knows.

use super::boot;
use super::systemd::{property, systemctl};
use super::task::{TaskResult, UserReport};
use crate::persist::{Report, SaveReport, restore_pending};
use crate::snapshot::SaveResult;
use crate::sys::accounts;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// The unit that restores all users at boot.
const RESTORE: &str = "tmux-persist-restore.service";
/// How long the service manager may take to answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// Enters into the reports of `status` and `doctor` whose restore at boot still runs.
pub(crate) fn enter(done: &mut TaskResult) {
    if !Path::new("/run/systemd/system").is_dir() {
        return;
    }
    for UserReport { user, report, .. } in &mut done.reports {
        let standing = match report {
            Report::Status(standing) => standing.as_mut(),
            Report::Doctor(examined) => &mut examined.standing,
            _ => continue,
        };
        if standing.not_restored {
            standing.being_restored = accounts::by_name(user)
                .is_ok_and(|account| is_being_restored(&boot::session_unit(&account)));
        }
    }
}

/// Excuses saves that waited in vain for the user's restore at boot, which holds the lock and which the
/// service manager ends in time: the next save has it all. Returns those users.
pub(crate) fn excuse_saves(reports: &mut [UserReport]) -> BTreeSet<String> {
    excuse(reports, |user| {
        accounts::by_name(user).is_ok_and(|account| {
            restore_pending::is_pending(&account)
                && is_being_restored(&boot::session_unit(&account))
        })
    })
}

fn excuse(
    reports: &mut [UserReport],
    is_being_restored: impl Fn(&str) -> bool,
) -> BTreeSet<String> {
    let mut excused = BTreeSet::new();
    for UserReport { user, report, .. } in reports {
        let Report::Save(SaveReport { error, result, notes, .. }) = report else { continue };
        if error.as_ref().is_some_and(|problem| problem.busy) && is_being_restored(user) {
            let why = error.take().map(|problem| problem.message).unwrap_or_default();
            notes.push(format!("not saved while the restore at boot runs: {why}"));
            *result = SaveResult::Nothing;
            excused.insert(user.clone());
        }
    }
    excused
}

fn is_being_restored(session: &str) -> bool {
    let shown = |unit: &str| systemctl(&["show", "--property=ActiveState,Job", unit], DEADLINE);
    let (Ok(session), Ok(restore)) = (shown(session), shown(RESTORE)) else { return false };
    judge(&session, &restore)
}

/// By the properties of the user's session and of the restore of all users.
fn judge(session: &str, restore: &str) -> bool {
    let is_at_work = |unit: &str| {
        property(unit, "ActiveState") == "activating" || !property(unit, "Job").is_empty()
    };
    // Until a session is started, the restore waits for the user's home.
    is_at_work(session) || (property(session, "ActiveState") == "inactive" && is_at_work(restore))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::Problem;

    #[test]
    fn only_a_save_that_waited_for_the_lock_is_excused_while_a_restore_runs() {
        let save = |user: &str, busy| {
            let error = Some(Problem { busy, ..Problem::failed("why") });
            let report = SaveReport { error, result: SaveResult::Failed, ..SaveReport::default() };
            UserReport::new(user.to_owned(), Report::Save(report))
        };
        let mut reports = [save("locked", true), save("full", false), save("other", true)];
        let excused = excuse(&mut reports, |user| user != "other");
        assert_eq!(excused, BTreeSet::from(["locked".to_owned()]));
        let failed = reports.iter().map(|one| match &one.report {
            Report::Save(report) => (report.error.is_some(), report.result),
            _ => unreachable!(),
        });
        let (fails, done) = ((true, SaveResult::Failed), (false, SaveResult::Nothing));
        assert_eq!(failed.collect::<Vec<_>>(), [done, fails, fails]);
    }

    #[test]
    fn a_lock_that_was_held_too_long_is_told_apart_from_other_failures() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = crate::snapshot::Store::create(dir.path(), "ann").unwrap();
        let _held = store.lock(Duration::ZERO).unwrap();
        let mut other = crate::snapshot::Store::create(dir.path(), "ann").unwrap();
        let problem = |error: crate::sys::FileError| Problem::from(error);
        assert!(problem(other.lock(Duration::ZERO).unwrap_err()).busy);
        assert!(!problem(crate::sys::FileError::refused("writing", "/x", "full")).busy);
    }

    #[test]
    fn a_restore_runs_while_the_session_starts_or_the_home_is_waited_for() {
        let (active, failed) = ("ActiveState=active\n", "ActiveState=failed\n");
        let (inactive, activating) = ("ActiveState=inactive\n", "ActiveState=activating\nJob=7\n");
        assert!(judge(activating, active) && judge(inactive, activating));
        assert!(judge("ActiveState=inactive\nJob=3\n", active), "queued");
        assert!(judge(inactive, "ActiveState=inactive\nJob=2\n"), "not started yet");
        assert!(!judge(failed, activating), "others are still waited for");
        for session in [active, failed, inactive] {
            assert!(!judge(session, active), "{session}");
        }
    }
}
