//! What can fail on root's side, and what each failure means for the caller.

use super::config::ConfigError;
use crate::identity::MapError;
use crate::sys::accounts::AccountError;
use crate::sys::fs::FileError;
use crate::sys::process::exec::ExecError;
use crate::text::{io_reason, shown};
use std::io;
use std::path::PathBuf;

/// What a failure means for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The arguments or the configuration are invalid.
    Usage,
    /// The caller may not do this, or a file that root depends on could be another user's.
    Refused,
    /// It was tried and failed.
    Failed,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("'{}' is not a terminal user: {} does not name it", shown(user), shown(map))]
    UnknownUser { user: String, map: PathBuf, suggestion: Option<String> },
    #[error("'{}' is not a terminal user: there is no {}", shown(user), shown(map))]
    NoMap { user: String, map: PathBuf },
    #[error("no user named, and this command works on one user only")]
    UserRequired,
    #[error("{0} must be run as root")]
    NotRoot(&'static str),
    #[error("only root may act for another user: '{}'", shown(user))]
    OtherUser { user: String },
    #[error("'persist keeper' keeps a terminal user's session and must not run as root")]
    KeeperAsRoot,
    #[error("root is not a terminal user")]
    RootAccount,
    #[error("{}: no terminal users", shown(map))]
    EmptyMap { map: PathBuf },
    #[error(transparent)]
    MapLine(#[from] MapError),
    #[error("{0}")]
    UnreadableMap(#[source] FileError),
    /// Something that root depends on is not root's own.
    #[error("{0}")]
    Untrusted(#[source] FileError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    File(FileError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("invalid job: {0}")]
    InvalidJob(#[source] serde_json::Error),
    #[error("invalid job: root requested something else than a restore")]
    NotARestore,
    #[error("writing JSON: {0}")]
    Encode(#[source] serde_json::Error),
    #[error("the worker {status}: {stderr}")]
    WorkerFailed { status: String, stderr: String },
    #[error("the {from} returned an invalid report: {source}")]
    InvalidReport { from: &'static str, source: serde_json::Error },
    #[error("asking the user's session: {}", io_reason(.0))]
    SessionRequest(#[source] io::Error),
    #[error("{program} {status}: {stderr}")]
    Systemd { program: &'static str, status: String, stderr: String },
    #[error("{unit}: {result}: {status}; {source}")]
    SessionUnit { unit: String, result: String, status: String, source: Box<Self> },
    #[error("{}: {source}; no sessions were restored", shown(home))]
    HomeNotMounted { home: PathBuf, source: Box<Self> },
    #[error("home {} {why}; no sessions were restored", shown(home))]
    UnusableHome { home: PathBuf, why: String },
    #[error("the path is not UTF-8")]
    NotUtf8,
    /// The report of a restore has an error.
    #[error("{0}")]
    Restore(String),
    #[error("{doing}: {}", io_reason(source))]
    Io { doing: &'static str, source: io::Error },
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        if error.is_untrusted() { Self::Untrusted(error) } else { Self::File(error) }
    }
}

impl Error {
    pub fn kind(&self) -> Kind {
        match self {
            Self::UnknownUser { .. }
            | Self::NoMap { .. }
            | Self::UserRequired
            | Self::UnreadableMap(_)
            | Self::Config(_)
            | Self::InvalidJob(_)
            | Self::NotARestore => Kind::Usage,
            Self::NotRoot(_) | Self::OtherUser { .. } | Self::KeeperAsRoot | Self::Untrusted(_) => {
                Kind::Refused
            }
            _ => Kind::Failed,
        }
    }

    /// A command or an action that helps.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownUser { suggestion, .. } => suggestion.clone(),
            Self::UserRequired => Some("--user NAME".to_owned()),
            Self::EmptyMap { map } => Some(format!("echo 'IDENTITY=OS_USER' >>{}", shown(map))),
            Self::WorkerFailed { .. } | Self::InvalidReport { .. } => {
                Some("persist doctor".to_owned())
            }
            Self::SessionUnit { unit, .. } => Some(format!("journalctl -u {unit}")),
            _ => None,
        }
    }
}
