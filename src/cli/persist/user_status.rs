//! How saving goes for one user, judged by the age of the last good save.

use super::json;
use crate::persist::Report;
use crate::persist::report::StatusReport;
use crate::supervisor::task::UserReport;
use crate::sys::clock::Epoch;
use crate::text::table::shown;
use crate::text::time::ago;
use serde_json::Value;
use std::time::Duration;

pub(crate) struct UserStatus<'a> {
    report: &'a UserReport,
    pub(crate) status: &'a StatusReport,
    /// Seconds since the last good save.
    pub(crate) age: Option<u64>,
    /// Whether a tmux server has been running for too long without a good save.
    pub(crate) overdue: bool,
    pub(crate) now: Epoch,
}

impl<'a> UserStatus<'a> {
    /// `None` if the report is another than one of `status`.
    pub(crate) fn new(report: &'a UserReport, now: Epoch, max_age: Duration) -> Option<Self> {
        let Report::Status(status) = &report.report else { return None };
        let age = status.last_good_save.map(|good| now.saturating_sub(good));
        let overdue = status.unsaved_for(now).is_some_and(|unsaved| unsaved > max_age);
        Some(Self { report, status, age, overdue, now })
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

    /// What is wrong if the last good save is too old.
    pub(crate) fn error(&self, max_age: Duration) -> Option<String> {
        if !self.overdue {
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
