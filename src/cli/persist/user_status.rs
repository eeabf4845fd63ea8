//! How saving goes for one user, judged by the age of the last good save.

use super::json;
use crate::persist::Report;
use crate::persist::report::StatusReport;
use crate::supervisor::task::UserReport;
use crate::sys::clock::Epoch;
use crate::text::table::{count, shown};
use crate::text::time::ago;
use serde_json::Value;
use std::time::Duration;

pub(crate) struct UserStatus<'a> {
    report: &'a UserReport,
    pub(crate) status: &'a StatusReport,
    /// Seconds since the last good save.
    pub(crate) age: Option<u64>,
    /// Whether a person must act: a tmux server has been running for too long without a good save, or the
    /// user's sessions were not restored when the host came up.
    pub(crate) overdue: bool,
    /// The former alone.
    pub(crate) save_overdue: bool,
    pub(crate) now: Epoch,
}

impl<'a> UserStatus<'a> {
    /// `None` if the report is another than one of `status`.
    pub(crate) fn new(report: &'a UserReport, now: Epoch, max_age: Duration) -> Option<Self> {
        let Report::Status(status) = &report.report else { return None };
        let age = status.last_good_save.map(|good| now.saturating_sub(good));
        let save_overdue = status.unsaved_for(now).is_some_and(|unsaved| unsaved > max_age);
        let overdue = save_overdue || status.must_be_restored();
        Some(Self { report, status, age, overdue, save_overdue, now })
    }

    pub(crate) fn user(&self) -> &str {
        &self.report.user
    }

    pub(crate) fn json(&self) -> Value {
        let mut value = json::user(self.report);
        if let Value::Object(object) = &mut value {
            object.insert("age".to_owned(), self.age.into());
            object.insert("overdue".to_owned(), self.overdue.into());
        }
        value
    }

    /// What is wrong if a person must act.
    pub(crate) fn errors(&self, max_age: Duration) -> Vec<String> {
        let not_restored = self.status.must_be_restored().then(|| {
            let missing = match self.status.not_restored_sessions {
                0 => String::new(),
                missing => format!(": {} missing", sessions(missing)),
            };
            format!(
                "not restored since the host came up{missing} ('persist restore' brings them back)"
            )
        });
        self.save_error(max_age).into_iter().chain(not_restored).collect()
    }

    /// What may be wrong: the user can have ended the server on purpose.
    pub(crate) fn warning(&self) -> Option<String> {
        let ended = self.status.ended_sessions;
        (ended > 0).then(|| {
            format!(
                "the tmux server has ended, or was killed, with {} not closed ('persist restore' brings back \
                 what it had)",
                sessions(ended)
            )
        })
    }

    fn save_error(&self, max_age: Duration) -> Option<String> {
        if !self.save_overdue {
            return None;
        }
        let last =
            self.age.map_or("never saved".to_owned(), |age| format!("last saved {}", ago(age)));
        let why =
            self.status.failure_reason.as_ref().filter(|_| self.status.failures_since_good > 0);
        let why = why.map_or(String::new(), |why| format!("; the last attempt: {}", shown(why)));
        let limit = max_age.as_secs() / 60;
        Some(format!("{last}, although a tmux server is running (limit: {limit} min){why}"))
    }
}

fn sessions(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "session")
}
