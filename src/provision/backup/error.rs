//! Why a backup or a restore was not made.

use crate::sys::FileError;
use crate::sys::accounts::AccountError;
use crate::sys::process::exec::ExecError;
use crate::text::shown;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("restic is not installed")]
    NoRestic,
    /// restic's own message, shortened.
    #[error("restic {verb} {how}: {text}")]
    Restic { verb: String, how: String, text: String },
    #[error("restic {verb}: an answer that is not understood: {source}")]
    Answer { verb: String, source: serde_json::Error },
    #[error("{path}:{line}: expected NAME=VALUE")]
    Environment { path: String, line: usize },
    #[error("{}: {why}", shown(.path))]
    Home { path: PathBuf, why: String },
    #[error("the repository has no backup of {0}'s home")]
    NoSnapshot(String),
    #[error("no one backup of {user}'s home has an id that begins with '{}'", shown(.id))]
    NoSuchSnapshot { user: String, id: String },
    #[error("the record {name}: {source}")]
    Record { name: &'static str, source: serde_json::Error },
    /// It must be left as it is.
    #[error("{}: {why}", shown(.path))]
    Refused { path: PathBuf, why: String },
}
