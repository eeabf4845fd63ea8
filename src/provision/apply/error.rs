//! Why a change failed, and why a whole run ended.

use crate::offboard::StageError;
use crate::provision::observe::ObserveError;
use crate::provision::state::state_dir::StateError;
use crate::provision::worker::WorkerError;
use crate::roster::ports::PortError;
use crate::sys::FileError;
use crate::sys::accounts::AccountError;
use crate::sys::process::tool::ToolError;
use std::path::PathBuf;

/// The run ends: what it does can no longer be put on record.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error("writing the journal: {0}")]
    Journal(FileError),
    #[error("reading the journal: {0}")]
    ReadJournal(FileError),
    #[error("planning the maps again: {0}")]
    Observe(#[from] ObserveError),
    #[error("planning the maps again: {0}")]
    Ports(#[from] PortError),
}

/// One change failed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The user's process reports that the task failed.
    #[error("{0}")]
    Task(String),
    #[error(transparent)]
    Cut(#[from] StageError),
    #[error("{path}: changed since it was planned")]
    Changed { path: String },
    #[error("{0} exists already")]
    HomeExists(String),
    #[error(
        "no uid from {min} to {max} is free that was never used (UID_MIN and UID_MAX of /etc/login.defs)"
    )]
    NoUid { min: u32, max: u32 },
    #[error("the account is root")]
    IsRoot,
    #[error("its home is {}, not {expected}", crate::text::shown(home))]
    OtherHome { home: PathBuf, expected: String },
    #[error("{0} is not a home")]
    NotAHome(String),
    #[error("{home} belongs to uid {found}, not to {expected}")]
    HomeOwner { home: String, found: u32, expected: u32 },
    #[error("{0} was not made")]
    NoHome(String),
    #[error("{file} has no {key}")]
    NoKey { file: String, key: String },
    #[error("{file} {key}: not UTF-8")]
    KeyNotUtf8 { file: String, key: String },
    #[error("skipped: other changes of this user took more than 10 minutes")]
    Late,
    /// The executor was given a change of another kind: a defect of this program.
    #[error("internal error: {0}")]
    Internal(&'static str),
}
