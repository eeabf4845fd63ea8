//! Why a change of the host's base failed, and why a whole run ended.

use super::archive::ArchiveError;
use crate::sys::FileError;
use crate::sys::net::download::FetchError;
use crate::sys::process::exec::ExecError;
use std::sync::Arc;

/// The run ends: what it does can no longer be put on record.
#[derive(Debug, thiserror::Error)]
pub enum HostApplyError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("writing the journal: {0}")]
    Journal(FileError),
    #[error("writing the record: {0}")]
    Json(#[from] serde_json::Error),
}

/// One change failed.
#[derive(Debug, thiserror::Error)]
pub enum HostChangeError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What is installed next could not be put on record, so nothing was.
    #[error("not installed: {0}")]
    Record(Box<HostApplyError>),
    /// A program ran and failed; `message` is what it printed at its end, not escaped.
    #[error("{program} {how}{}{message}", if message.is_empty() { "" } else { ": " })]
    Program { program: String, how: String, message: String },
    #[error("not installed: expected {expected}, found {found}")]
    Hash { expected: String, found: String },
    #[error("{path}: changed since it was planned")]
    Changed { path: String },
    /// `update` says why apt's lists could not be renewed, if so.
    #[error("no package of this name in apt's lists{update}")]
    UnknownPackage { update: String },
    #[error("{program} reported success, but it is not installed")]
    NotInstalled { program: &'static str },
    /// A tool is installed, and cannot be used: why.
    #[error("{0}")]
    Broken(String),
    #[error("{path}: {why}")]
    Content { path: String, why: String },
    /// One error of several changes.
    #[error(transparent)]
    Shared(Arc<Self>),
    /// The change was given to the wrong function: a defect of this program.
    #[error("internal error: {0}")]
    Internal(&'static str),
}
