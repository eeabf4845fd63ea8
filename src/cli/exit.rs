//! Exit codes, one table for every program of the suite.

use crate::persist::Report;
use crate::supervisor::worker::UserReport;
use std::process::ExitCode;

/// How a program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// It failed, wholly or for some.
    Failed,
    /// The arguments are wrong.
    Usage,
    /// There are differences, where the caller asked for that to be told.
    Differs,
    /// It was refused.
    Refused,
    /// What it depends on is not known.
    Unknown,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage | Exit::Differs => 2,
            Exit::Refused => 3,
            Exit::Unknown => 4,
        })
    }
}

/// An error that ends the program: one sentence, and how it ends.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What is wrong, naming the file, line, user or argument.
    pub message: String,
    /// How the program ends.
    pub exit: Exit,
}

impl Failure {
    /// Something that failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: Exit::Failed }
    }

    /// Wrong arguments.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: Exit::Usage }
    }

    /// For a caller to whom 2 says that there are differences.
    #[must_use]
    pub fn in_detail(self, detailed: bool) -> Self {
        let exit = if detailed && self.exit == Exit::Usage { Exit::Failed } else { self.exit };
        Self { exit, ..self }
    }

    /// Something that depends on what is not known.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: Exit::Unknown }
    }

    /// Something the caller may not do.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: Exit::Refused }
    }
}

/// The exit code that a set of reports comes to.
pub fn of_reports(reports: &[UserReport], other_problems: bool) -> Exit {
    let problems: Vec<_> = reports.iter().filter_map(|user| user.report.problem()).collect();
    let partly = |user: &UserReport| Report::partly_failed(&user.report);
    if problems.iter().any(|problem| !problem.usage) || reports.iter().any(partly) || other_problems
    {
        Exit::Failed
    } else if problems.is_empty() {
        Exit::Done
    } else {
        Exit::Usage
    }
}

/// As [`of_reports`], for a caller who asked to be told of differences: 2 says that there are some,
/// and nothing else, so that wrong arguments are failures, too.
pub fn detailed(exit: Exit, reports: &[UserReport]) -> Exit {
    match exit {
        Exit::Usage => Exit::Failed,
        Exit::Done if reports.iter().any(|user| user.report.has_differences()) => Exit::Differs,
        exit => exit,
    }
}
