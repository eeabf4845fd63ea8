//! Why root has no backup.

use super::protocol::Kind;
use crate::sys::FileError;
use crate::sys::accounts::AccountError;
use crate::t3::settings::SettingsError;
use crate::t3::user_process::AskError;
use crate::text::shown;
use std::path::PathBuf;

/// Why there is no backup. The older ones are as they were.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("the name of the version cannot be part of a file name")]
    Version,
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// What the user's process says, not escaped yet.
    #[error("{message}")]
    Failed { kind: Kind, message: String },
    #[error("{}: {source}", shown(path))]
    Record { path: PathBuf, source: serde_json::Error },
}

impl BackupError {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Failed { kind, .. } => *kind,
            Self::File(error) if error.is_unwritable() => Kind::Full,
            Self::Ask(error) if error.is_deadline() => Kind::Deadline,
            _ => Kind::Other,
        }
    }

    /// Whether the user has nothing to back up.
    pub fn is_no_data(&self) -> bool {
        self.kind() == Kind::NoData
    }
}
