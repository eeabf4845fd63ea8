//! `persist status`: what is reported of each user, with what root saw, judged by age.

use super::args::Common;
use super::{json, metrics, outcome, text};
use crate::cli::config_file;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, of_user};
use crate::persist::report::StatusReport;
use crate::persist::{Report, Request};
use crate::supervisor::root_activity;
use crate::supervisor::targets::Target;
use crate::supervisor::worker::{self, Task, UserReport};
use crate::sys::accounts;
use crate::sys::clock::{self, Epoch};
use crate::sys::fs::{self, trusted_path};
use crate::text::table::{align, shown};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Reports on these users, or all.
pub(crate) fn run(
    common: &Common,
    users: Vec<String>,
    metrics: Option<&Path>,
    max_age: Option<u32>,
) -> Result<Exit, Failure> {
    let mut config = config_file::load(&common.overrides())?;
    if let Some(minutes) = max_age {
        config.max_age = Duration::from_secs(60 * u64::from(minutes));
    }
    let task = Task { target: Target::NamedOrAll(users), request: Request::Status };
    let mut done = worker::run(&config, &task)?;
    root_activity::enter(&mut done);
    let judged: Vec<Judged> = done
        .reports
        .iter()
        .filter_map(|user| Judged::new(user, clock::now(), config.max_age))
        .collect();
    if let Some(file) = metrics {
        write_metrics(file, &metrics::render(&judged, clock::now()))?;
    }
    let text = match (common.json, common.quiet) {
        (true, _) => json::object(judged.iter().map(Judged::json).collect(), done.single),
        (false, true) => String::new(),
        (false, false) => table(&judged),
    };
    crate::cli::output::print(&text)?;
    text::messages(&done, common.quiet);
    for user in &judged {
        if let Some(why) = user.complaint(config.max_age) {
            error(&of_user(user.user(), &why));
        }
    }
    let overdue = judged.iter().any(|user| user.overdue);
    Ok(outcome::of_reports(&done.reports, overdue || !done.problems.is_empty()))
}

/// One user's standing, at one time.
pub(crate) struct Judged<'a> {
    report: &'a UserReport,
    /// What is known.
    pub(crate) standing: &'a StatusReport,
    /// Seconds since the last good save.
    age: Option<u64>,
    /// Whether there has been something to save for too long.
    pub(crate) overdue: bool,
    now: Epoch,
}

impl<'a> Judged<'a> {
    fn new(report: &'a UserReport, now: Epoch, max_age: Duration) -> Option<Self> {
        let Report::Status(standing) = &report.report else { return None };
        let age = standing.last_good_save.map(|good| now.saturating_sub(good));
        let overdue = standing.unsaved_for(now).is_some_and(|unsaved| unsaved > max_age);
        Some(Self { report, standing, age, overdue, now })
    }

    /// The user's name.
    pub(crate) fn user(&self) -> &str {
        &self.report.user
    }

    fn json(&self) -> Value {
        let mut value = json::user(self.report);
        if let Value::Object(object) = &mut value {
            object.insert("age".to_owned(), self.age.into());
            object.insert("overdue".to_owned(), self.overdue.into());
        }
        value
    }

    /// Why a person must look: the last good save is too old.
    fn complaint(&self, max_age: Duration) -> Option<String> {
        if !self.overdue {
            return None;
        }
        let ago =
            self.age.map_or("never saved".to_owned(), |age| format!("last saved {}", ago(age)));
        let why =
            self.standing.failure_reason.as_ref().filter(|_| self.standing.failures_since_good > 0);
        let why = why.map_or(String::new(), |why| format!("; the last attempt: {}", shown(why)));
        let limit = max_age.as_secs() / 60;
        Some(format!("{ago}, although a tmux server is running (limit: {limit} min){why}"))
    }

    fn row(&self) -> [String; 10] {
        let standing = self.standing;
        let panes = standing.panes.named().map(|(_, number)| number.to_string());
        let [live, suspended, lost, shell] = panes;
        let age = self.age.map_or("-".to_owned(), ago);
        let failures = match (standing.failures_since_good, standing.last_failure) {
            (0, _) => "0".to_owned(),
            (number, Some(when)) => format!("{number}, {}", ago(self.now.saturating_sub(when))),
            (number, None) => number.to_string(),
        };
        [
            self.user().to_owned(),
            if self.overdue { format!("{age} !") } else { age },
            standing.sessions.total().to_string(),
            standing.panes.total().to_string(),
            live,
            suspended,
            lost,
            shell,
            failures,
            standing.snapshot.as_deref().map_or("-".into(), shown),
        ]
    }
}

fn table(users: &[Judged]) -> String {
    let head = [
        "USER",
        "LAST SAVE",
        "SESSIONS",
        "PANES",
        "LIVE",
        "SUSPENDED",
        "LOST",
        "SHELL",
        "FAILURES",
        "SNAPSHOT",
    ];
    let rows = std::iter::once(head.map(str::to_owned)).chain(users.iter().map(Judged::row));
    align(&rows.collect::<Vec<_>>())
}

/// A time span as a person says it.
pub(crate) fn ago(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{number} {unit} ago")
}

/// Replaces the file in one step. For root only where nobody else could put a link or another
/// file in its place.
fn write_metrics(file: &Path, text: &str) -> Result<(), Failure> {
    let shown = crate::text::escape(file.as_os_str().as_encoded_bytes());
    let usage = |why: &dyn std::fmt::Display| Failure::usage(format!("--metrics {shown}: {why}"));
    let path = std::path::absolute(file).map_err(|error| usage(&error))?;
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(usage(&"names no file"));
    };
    let name = name.to_str().ok_or_else(|| usage(&"the name is not UTF-8"))?;
    if accounts::is_root() {
        trusted_path::assert_roots_own(dir).map_err(|error| {
            Failure::refused(format!(
                "--metrics {shown}: root writes only where nobody else may: {error}"
            ))
        })?;
    }
    fs::write_public_hint(dir, name, text.as_bytes())
        .map_err(|error| Failure::failed(format!("--metrics: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_said_in_one_unit() {
        let said = [0, 119, 120, 7_199, 7_200, 172_800, u64::MAX].map(ago);
        let expected =
            ["0 s", "119 s", "2 min", "119 min", "2 h", "2 days", "213503982334601 days"];
        assert_eq!(said, expected.map(|span| format!("{span} ago")));
    }
}
