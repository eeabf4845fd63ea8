//! Why data were not restored.

use crate::sys::FileError;
use crate::sys::accounts::AccountError;
use crate::sys::process::tool::ToolError;
use crate::t3::backup::BackupError;
use crate::t3::backup::protocol::Kind;
use crate::t3::served::ServedError;
use crate::t3::settings::SettingsError;
use crate::t3::user_process::AskError;
use crate::text::shown;
use std::path::PathBuf;

/// Why data were not restored. If it was begun, [`super::resume`] finishes it, and the instance does not start until
/// then.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Served(#[from] ServedError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Unit(#[from] ToolError),
    #[error("there is no complete backup")]
    NoBackup,
    #[error("no data were set aside")]
    NothingSetAside,
    /// What the user's process says, not escaped yet.
    #[error("{message}")]
    Failed { kind: Kind, message: String },
    #[error("{}: {source}", shown(path))]
    Journal { path: PathBuf, source: serde_json::Error },
}
