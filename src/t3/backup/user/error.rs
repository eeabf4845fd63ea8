//! Why a backup was not made, as the user's process knows it.

use crate::sys::FileError;
use crate::t3::backup::protocol::Kind;
use crate::text::shown;
use rusqlite::ErrorCode;
use std::path::PathBuf;

/// Why there is no backup. Its sentence is sent to root, which clips and escapes it.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("there is no database: the instance has not run yet")]
    NoData,
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{doing}: {source}")]
    Database { doing: &'static str, source: rusqlite::Error },
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    #[error("{doing}: not done within {seconds} s")]
    Deadline { doing: &'static str, seconds: u64 },
    #[error("{}: {free} MiB are free and {needed} MiB are needed", shown(path))]
    NoSpace { path: PathBuf, free: u64, needed: u64 },
    #[error("there is no backup {0}")]
    NoBackup(String),
    #[error("{}: {source}", shown(path))]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("{}: {why}", shown(path))]
    Unusable { path: PathBuf, why: String },
}

impl UserError {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoData => Kind::NoData,
            Self::Corrupt(_) => Kind::Corrupt,
            Self::Deadline { .. } => Kind::Deadline,
            Self::NoSpace { .. } => Kind::Full,
            Self::NoBackup(_) => Kind::NoBackup,
            Self::File(error) if error.is_unwritable() => Kind::Full,
            Self::File(error) if error.is_timeout() => Kind::Deadline,
            Self::Database { source, .. } => match source.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Kind::Corrupt,
                Some(
                    ErrorCode::OperationInterrupted
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked,
                ) => Kind::Deadline,
                Some(ErrorCode::DiskFull) => Kind::Full,
                _ => Kind::Other,
            },
            _ => Kind::Other,
        }
    }
}
