//! Exit codes, one table for every program of the suite.

use super::perform::UserReport;
use crate::persist::Report;
use std::process::ExitCode;

/// How a program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// It failed, wholly or for some.
    Failed = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// It was refused.
    Refused = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
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
