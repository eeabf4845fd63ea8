//! The check of one user's saves.

use crate::persist::report::{Check, ServerState, StatusReport};
use crate::sys::clock::Epoch;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;

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
