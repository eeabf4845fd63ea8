//! Reports for people: results on standard output, notes and errors on standard error.

mod diff;
mod events;
mod history;
mod lines;
mod plan;
mod suspend;

pub(crate) use events::line as event_line;

use crate::cli::output::{error, hint, note, of_user, warning};
use crate::persist::{Report, Request};
use crate::supervisor::task::{Task, TaskResult, UserReport};
use crate::sys::clock::{self, Epoch};

/// Renders the reports of a command; with `quiet`, nothing.
pub fn render(task: &Task, done: &TaskResult, quiet: bool) -> String {
    if quiet {
        return String::new();
    }
    let executed = matches!(task.request, Request::Restore { dry_run: false, .. });
    let now = clock::now();
    let mut text: String =
        done.reports.iter().filter_map(|user| one(user, done, executed, now)).collect();
    if matches!(task.request, Request::Save) && !done.single && done.reports.len() > 1 {
        text += &lines::saved_users(&done.reports);
    }
    text
}

/// Prints the notes, warnings and errors of the reports; with `quiet`, no notes.
pub fn messages(done: &TaskResult, quiet: bool) {
    for problem in &done.problems {
        error(&problem.to_string());
        problem.hint().iter().for_each(|text| hint(text));
    }
    for UserReport { user, report } in &done.reports {
        if !quiet {
            report.notes().iter().for_each(|text| note(&of_user(user, text)));
        }
        report.warnings().iter().for_each(|text| warning(&of_user(user, text)));
        if let Some(problem) = report.problem() {
            error(&of_user(user, &problem.message));
            problem.hint.iter().for_each(|text| hint(text));
        }
    }
}

/// The text of one user's report; `None` if it failed, or has a text of its own elsewhere.
fn one(user: &UserReport, done: &TaskResult, executed: bool, now: Epoch) -> Option<String> {
    let name = &user.user;
    match &user.report {
        Report::Save(report) => lines::save(name, &done.state_dir, report),
        Report::Plan(report) => plan::plan(name, report, executed, now),
        Report::List(report) if report.error.is_none() => Some(lines::list(name, report, now)),
        Report::Forget(report) if report.error.is_none() => Some(lines::forget(name, report)),
        Report::Conversation(report) if report.error.is_none() => {
            Some(lines::conversation(report, now))
        }
        Report::Import(report) if report.error.is_none() => Some(lines::import(name, report)),
        Report::History(report) if report.error.is_none() => {
            Some(history::history(name, report, now))
        }
        Report::Events(report) if report.error.is_none() => Some(events::events(name, report)),
        Report::Diff(report) if report.error.is_none() => Some(diff::diff(name, report)),
        Report::HookInstall(report) if report.error.is_none() => {
            Some(lines::hook_install(name, report))
        }
        Report::Watch(report) if report.error.is_none() => Some(report.text.clone()),
        Report::Suspend(report) if report.error.is_none() => {
            Some(suspend::suspend(name, report, now))
        }
        Report::Suspend(_)
        | Report::Watch(_)
        | Report::List(_)
        | Report::History(_)
        | Report::Events(_)
        | Report::Diff(_)
        | Report::Forget(_)
        | Report::Import(_)
        | Report::Conversation(_)
        | Report::Ended(_)
        | Report::Status(_)
        | Report::HookInstall(_)
        | Report::Doctor(_) => None,
    }
}
