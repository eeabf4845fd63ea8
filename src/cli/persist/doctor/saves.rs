//! The checks of one user's saves, and of the restore at boot.

use crate::persist::report::{Check, ServerState, StatusReport};
use crate::sys::clock::Epoch;
use crate::text::table::count;
use crate::text::time::ago;
use std::time::Duration;

/// Judges them as `persist status` does.
pub(crate) fn check(standing: &StatusReport, now: Epoch, max_age: Duration) -> Check {
    const NAME: &str = "last save";
    const FIX: &str = "persist save";
    let last = standing.last_good_save.map(|good| ago(now.saturating_sub(good)));
    let why = standing.failure_reason.as_ref().filter(|_| standing.failures_since_good > 0);
    let why = why.map_or(String::new(), |why| format!("; the last attempt: {why}"));
    if standing.unsaved_for(now).is_some_and(|unsaved| unsaved > max_age) {
        let last = last.map_or("never".to_owned(), |last| format!("last {last}"));
        let what = format!("sessions are running, but were saved {last}{why}");
        return Check::fault(NAME, what, FIX);
    }
    match (last, standing.failures_since_good) {
        (_, 1..) => {
            let what =
                format!("{} failed since the last good save{why}", standing.failures_since_good);
            Check::warn(NAME, what, FIX)
        }
        (Some(last), 0) => Check::ok(NAME, last),
        (None, 0) if standing.server == ServerState::None => Check::ok(NAME, "nothing to save yet"),
        (None, 0) => Check::ok(NAME, "none yet: the tmux server has just started"),
    }
}

/// Judges the restore at boot, and whether the sessions that were saved are still there.
pub(crate) fn restored(standing: &StatusReport, user: &str, by_root: bool) -> Check {
    const NAME: &str = "restored";
    let fix =
        if by_root { format!("persist restore --user {user}") } else { "persist restore".into() };
    let sessions = |number: u64| count(usize::try_from(number).unwrap_or(usize::MAX), "session");
    let missing = sessions(standing.not_restored_sessions);
    if standing.must_be_restored() {
        let what = format!(
            "not restored since the host came up: {missing} missing, carried as lost by every save"
        );
        return Check::fault(NAME, what, fix);
    }
    if standing.not_restored && standing.being_restored {
        return Check::ok(NAME, format!("{missing} about to be restored"));
    }
    if standing.ended_sessions > 0 {
        let what = format!(
            "the tmux server has ended, or was killed, with {} not closed",
            sessions(standing.ended_sessions)
        );
        return Check::warn(NAME, what, fix);
    }
    Check::ok(NAME, "nothing is missing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;

    #[test]
    fn a_restore_that_failed_is_a_fault_and_a_server_that_ended_a_warning() {
        let (by_root, user) = (true, "ann");
        let mut standing = StatusReport { not_restored: true, ..StatusReport::default() };
        let judged = |standing: &StatusReport| restored(standing, user, by_root);
        assert_eq!(judged(&standing).state, CheckState::Ok, "nothing was saved");
        standing.not_restored_sessions = 39;
        let fault = judged(&standing);
        assert_eq!(fault.state, CheckState::Fault);
        assert!(fault.what.contains("39 sessions missing"), "{}", fault.what);
        assert_eq!(fault.fix.as_deref(), Some("persist restore --user ann"));
        assert_eq!(restored(&standing, user, false).fix.as_deref(), Some("persist restore"));
        standing.being_restored = true;
        assert_eq!(judged(&standing).state, CheckState::Ok);
        let ended = StatusReport { ended_sessions: 1, ..StatusReport::default() };
        assert_eq!(judged(&ended).state, CheckState::Warn);
        assert_eq!(judged(&StatusReport::default()).state, CheckState::Ok);
    }

    #[test]
    fn an_overdue_save_is_a_fault_a_failed_one_a_warning_and_no_server_neither() {
        let standing = |server, last_good_save, failures_since_good| StatusReport {
            server,
            last_good_save,
            failures_since_good,
            failure_reason: Some("it hung".to_owned()),
            ..StatusReport::default()
        };
        let judged = |standing| check(&standing, 10_000, Duration::from_mins(15));
        let fault = judged(standing(ServerState::Running, Some(1000), 2));
        assert_eq!(fault.state, CheckState::Fault);
        assert_eq!(
            fault.what,
            "sessions are running, but were saved last 2 h ago; the last attempt: it hung"
        );
        assert_eq!(judged(standing(ServerState::Running, Some(9_900), 1)).state, CheckState::Warn);
        assert_eq!(judged(standing(ServerState::Running, Some(9_900), 0)).state, CheckState::Ok);
        assert_eq!(judged(standing(ServerState::None, Some(1), 0)).state, CheckState::Ok);
        assert_eq!(judged(standing(ServerState::None, None, 0)).what, "nothing to save yet");
    }
}
