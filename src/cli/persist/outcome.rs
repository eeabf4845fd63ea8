//! The exit code that a command's reports come to.

use crate::cli::exit::Exit;
use crate::persist::Report;
use crate::supervisor::task::{TaskResult, UserReport};

/// The exit code of a task.
pub fn of(done: &TaskResult) -> Exit {
    of_reports(&done.reports, !done.problems.is_empty())
}

/// The exit code of these reports; with `other_problems`, something failed besides.
pub fn of_reports(reports: &[UserReport], other_problems: bool) -> Exit {
    let problems: Vec<_> = reports.iter().filter_map(|user| user.report.problem()).collect();
    let partly = |user: &UserReport| Report::partly_failed(&user.report);
    if reports
        .iter()
        .any(|user| matches!(&user.report, Report::Watch(report) if report.start_sessions))
    {
        return Exit::SessionsToStart;
    }
    if problems.iter().any(|problem| !problem.usage) || reports.iter().any(partly) || other_problems
    {
        Exit::Failed
    } else if problems.is_empty() {
        Exit::Done
    } else {
        Exit::Usage
    }
}

/// As [`of_reports`], for a caller to whom 2 means that there are differences: invalid arguments
/// are failures then, too.
pub fn detailed(exit: Exit, reports: &[UserReport]) -> Exit {
    match exit {
        Exit::Usage => Exit::Failed,
        Exit::Done if reports.iter().any(|user| user.report.has_differences()) => Exit::Differs,
        exit => exit,
    }
}
