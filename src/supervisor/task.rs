//! What a command asks for, and what came of it (pure).

use super::error::Error;
use super::targets::Target;
use crate::persist::{Report, Request};
use std::path::PathBuf;

/// What a command asks for.
#[derive(Debug, Clone)]
pub struct Task {
    pub target: Target,
    pub request: Request,
}

/// One user's report.
#[derive(Debug, Clone)]
pub struct UserReport {
    pub user: String,
    pub report: Report,
}

/// The reports of a task, and what went wrong besides.
#[derive(Debug)]
pub struct TaskResult {
    /// In alphabetical order of the users.
    pub reports: Vec<UserReport>,
    /// Problems of no single user.
    pub problems: Vec<Error>,
    /// Whether one user was requested by name.
    pub single: bool,
    /// Whether it was done by workers for root.
    pub by_root: bool,
    /// The directory that holds the users' state directories.
    pub state_dir: PathBuf,
}

impl UserReport {
    pub(crate) fn new(user: String, report: Report) -> Self {
        Self { user, report }
    }
}
