//! Why something in a home could not be inspected, or a task in it failed.

use crate::provision::settings::repository::AddressError;
use crate::sys::FileError;
use crate::sys::process::exec::ExecError;
use crate::text::shown;
use std::io;
use std::path::PathBuf;

/// An error of the user's process. Its sentence is sent to root, which clips and escapes it.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("HOME names no home")]
    NoHome,
    #[error("{}: {}", shown(path), crate::text::io_reason(source))]
    Home { path: PathBuf, source: io::Error },
    #[error("{}: a link: not followed", shown(.0))]
    Link(PathBuf),
    #[error("{}: not a directory", shown(.0))]
    NotADirectory(PathBuf),
    #[error("{}: belongs to another user", shown(.0))]
    ForeignOwner(PathBuf),
    /// What is there is not what the task needs.
    #[error("{path}: {problem}")]
    Unusable { path: String, problem: String },
    /// The home is not in the state that the task needs.
    #[error("{0}")]
    Precondition(String),
    #[error("{name} exists already and was not made by this program: left as it is")]
    InTheWay { name: String },
    /// A program ran and failed; `text` is the line of its output that gives the error.
    #[error("{command}: {text}")]
    Command { command: String, text: String },
    #[error("invalid request: {0}")]
    Request(&'static str),
    #[error("invalid request: {0}")]
    Address(#[from] AddressError),
    #[error("{0}")]
    Freshen(#[from] freshen::RefusedToRoot),
    /// A move was interrupted: the clone is safe, and the next run goes on.
    #[error("{reason}; the clone is in ~/{place}")]
    Interrupted { reason: Box<Self>, place: &'static str },
}

impl HomeError {
    #[allow(clippy::needless_pass_by_value, reason = "an error, passed as it is")]
    pub(super) fn unusable(path: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self::Unusable { path: path.into(), problem: problem.to_string() }
    }
}
