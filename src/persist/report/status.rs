//! The report of `status`: when one user was last saved and what failed (pure).

use super::events::EventCounts;
use super::problem::Problem;
use crate::agent::Doing;
use crate::snapshot::{Activity, Restored, SaveResult, State};
use crate::sys::clock::Epoch;
use crate::text::json_text;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When one user was last saved and what failed. Times are in seconds since the epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusReport {
    pub server: ServerState,
    /// The start of the server, by the age of its socket.
    pub server_since: Option<Epoch>,
    /// The last save that succeeded, whether or not there was anything to save.
    pub last_good_save: Option<Epoch>,
    /// When the newest snapshot was last up to date.
    pub confirmed: Option<Epoch>,
    /// The last save, successful or not.
    pub last_save: Option<Epoch>,
    pub last_result: Option<SaveResult>,
    pub last_save_ms: u64,
    /// The last save that failed.
    pub last_failure: Option<Epoch>,
    pub failure_reason: Option<String>,
    /// Failed saves since the last good one.
    pub failures_since_good: u64,
    /// All failed saves: the greater of the next two numbers.
    pub failures: u64,
    /// As the user's processes recorded; never decreases.
    pub failures_recorded: u64,
    /// As root recorded; never decreases.
    pub failures_seen_by_root: u64,
    /// The id of the newest valid snapshot.
    pub snapshot: Option<String>,
    /// The time of that snapshot.
    pub taken: Option<Epoch>,
    /// Its sessions, each by the first state of [`ByState`] that any of its panes has.
    pub sessions: ByState,
    /// Its panes.
    pub panes: ByState,
    /// The agents that run, by what they do.
    #[serde(default)]
    pub agents: ByDoing,
    pub last_restore: Option<Epoch>,
    pub last_restore_ms: u64,
    /// Panes by the result of all restores.
    pub restored: Restored,
    /// Whether the sessions were to be restored when the host came up, and were not.
    pub not_restored: bool,
    /// Number of sessions that are missing because of that.
    pub not_restored_sessions: u64,
    /// Whether that restore is running, as far as the service manager knows.
    pub being_restored: bool,
    /// Number of sessions that were not closed and whose tmux server has ended since the host came up.
    pub ended_sessions: u64,
    /// Events in all.
    #[serde(default)]
    pub events: EventCounts,
    /// Whether a watch runs.
    #[serde(default)]
    pub watched: bool,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// Whether a user's tmux server runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    Running,
    #[default]
    None,
    /// Its socket must not be used.
    Refused,
}

/// Numbers of panes or sessions by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByState {
    pub live: u64,
    /// With an agent that waits to be resumed.
    pub suspended: u64,
    /// With an agent that ended without being closed on purpose.
    pub lost: u64,
    /// Without an agent.
    pub shell: u64,
}

impl ByState {
    pub(crate) fn count(&mut self, state: State) {
        *match state {
            State::Live => &mut self.live,
            State::Suspended => &mut self.suspended,
            State::Lost => &mut self.lost,
            State::Shell => &mut self.shell,
        } += 1;
    }

    /// The numbers by name.
    pub fn named(&self) -> [(&'static str, u64); 4] {
        let Self { live, suspended, lost, shell } = *self;
        [("live", live), ("suspended", suspended), ("lost", lost), ("shell", shell)]
    }

    pub fn total(&self) -> u64 {
        self.named().iter().fold(0, |sum, (_, number)| sum.saturating_add(*number))
    }
}

/// Numbers of agents by what they do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByDoing {
    pub busy: u64,
    /// For their user's permission or answer.
    pub waiting: u64,
    pub idle: u64,
    pub unknown: u64,
}

impl ByDoing {
    /// Counts an agent; `None` if it is not known what it does.
    pub(crate) fn count(&mut self, doing: Option<Doing>) {
        *match doing {
            Some(Doing::Busy) => &mut self.busy,
            Some(Doing::Waiting) => &mut self.waiting,
            Some(Doing::Idle) => &mut self.idle,
            None => &mut self.unknown,
        } += 1;
    }

    /// The numbers by name, those first that a person may have to look at.
    pub fn named(&self) -> [(&'static str, u64); 4] {
        let Self { busy, waiting, idle, unknown } = *self;
        [("waiting", waiting), ("busy", busy), ("idle", idle), ("unknown", unknown)]
    }
}

impl StatusReport {
    /// Enters the user's own record of activity.
    pub(crate) fn enter(&mut self, activity: &Activity) {
        self.last_good_save = time(activity.last_good_save);
        self.confirmed = time(activity.confirmed);
        self.last_save = time(activity.last_save);
        self.last_result = activity.last_result;
        self.last_save_ms = activity.last_save_ms;
        self.last_failure = time(activity.last_failure);
        self.failure_reason = reason(activity);
        self.failures_since_good = activity.failures_since_good;
        self.failures = activity.failures;
        self.failures_recorded = activity.failures;
        self.last_restore = time(activity.last_restore);
        self.last_restore_ms = activity.last_restore_ms;
        self.restored = activity.restored;
    }

    /// Adds root's record, which includes saves and restores whose process hung and was killed before
    /// it could record anything. A failure in both records counts once.
    pub fn enter_roots(&mut self, root: &Activity) {
        self.last_good_save = self.last_good_save.max(time(root.last_good_save));
        if root.last_failure > self.last_failure.unwrap_or(0) {
            self.last_failure = time(root.last_failure);
            self.failure_reason = reason(root);
        }
        if root.last_save > self.last_save.unwrap_or(0) {
            self.last_save = time(root.last_save);
            self.last_result = root.last_result;
            self.last_save_ms = root.last_save_ms;
        }
        // In one second, too: root's number is 0 after a good save.
        if root.last_failure >= self.last_good_save.unwrap_or(0) {
            self.failures_since_good = self.failures_since_good.max(root.failures_since_good);
        }
        self.failures_seen_by_root = root.failures;
        self.failures = self.failures.max(root.failures);
        if root.last_restore > self.last_restore.unwrap_or(0) {
            self.last_restore = time(root.last_restore);
            self.last_restore_ms = root.last_restore_ms;
        }
        self.restored.failed = self.restored.failed.saturating_add(root.restored.failed);
    }

    /// Whether a restore at boot failed that a person must repeat: sessions are missing, or the user works
    /// again beside them.
    pub fn must_be_restored(&self) -> bool {
        let matters = self.not_restored_sessions > 0 || self.server != ServerState::None;
        self.not_restored && !self.being_restored && matters
    }

    /// For how long a tmux server has been running without a good save: since the last one, or since
    /// the server started, whichever is later. `None` without a server. Times in the future are
    /// ignored: the clock was set back, or the record is forged.
    pub fn unsaved_for(&self, now: Epoch) -> Option<Duration> {
        if self.server == ServerState::None {
            return None;
        }
        let past = |time: Option<Epoch>| time.filter(|time| *time <= now);
        let since = past(self.last_good_save).max(past(self.server_since)).unwrap_or(0);
        Some(Duration::from_secs(now.saturating_sub(since)))
    }
}

fn time(epoch: Epoch) -> Option<Epoch> {
    (epoch != 0).then_some(epoch)
}

fn reason(activity: &Activity) -> Option<String> {
    (!activity.failure_reason.is_empty()).then(|| json_text(&activity.failure_reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_makes_a_user_overdue_and_only_for_as_long_as_it_runs() {
        let at = |server, server_since, last_good_save| StatusReport {
            server,
            server_since,
            last_good_save,
            ..StatusReport::default()
        };
        let seconds = |standing: StatusReport| standing.unsaved_for(1000).map(|age| age.as_secs());
        assert_eq!(seconds(at(ServerState::None, None, Some(1))), None);
        assert_eq!(seconds(at(ServerState::Running, Some(990), Some(1))), Some(10));
        assert_eq!(seconds(at(ServerState::Running, Some(1), Some(900))), Some(100));
        assert_eq!(seconds(at(ServerState::Running, Some(400), None)), Some(600));
        assert_eq!(seconds(at(ServerState::Refused, None, None)), Some(1000));
        assert_eq!(seconds(at(ServerState::Running, None, Some(5000))), Some(1000));
    }

    #[test]
    fn a_failed_restore_at_boot_needs_a_person_if_something_is_missing_or_a_server_runs() {
        let at = |server, not_restored_sessions, being_restored| {
            let not_restored = true;
            StatusReport {
                server,
                not_restored,
                not_restored_sessions,
                being_restored,
                ..StatusReport::default()
            }
            .must_be_restored()
        };
        assert!(at(ServerState::None, 3, false) && at(ServerState::Running, 0, false));
        assert!(!at(ServerState::None, 0, false), "nothing is missing");
        assert!(!at(ServerState::Running, 3, true), "it is about to come back");
        assert!(!StatusReport::default().must_be_restored());
    }

    #[test]
    fn what_root_saw_is_added_to_what_the_user_recorded() {
        let mut standing = StatusReport {
            last_good_save: Some(100),
            last_save: Some(100),
            last_result: Some(SaveResult::Saved),
            failures: 1,
            ..StatusReport::default()
        };
        let mut root = Activity::default();
        root.enter_save(200, Duration::ZERO, SaveResult::Failed, "it hung");
        root.enter_save(300, Duration::ZERO, SaveResult::Failed, "it hung");
        standing.enter_roots(&root);
        assert_eq!(standing.failure_reason.as_deref(), Some("it hung"));
        assert_eq!(
            (standing.last_save, standing.last_result),
            (Some(300), Some(SaveResult::Failed))
        );
        assert_eq!((standing.failures_since_good, standing.failures), (2, 2));
        assert_eq!(standing.last_good_save, Some(100));
    }
}
