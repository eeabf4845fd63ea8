//! What can go wrong with the search.

use std::path::PathBuf;
use terminal_lobby::sys::fs::FileError;
use terminal_lobby::text::shown;

/// Why conversations could not be searched.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the index of conversations: {0}")]
    Index(#[from] rusqlite::Error),
    #[error("reading {}: {source}", shown(.file))]
    Read { file: PathBuf, source: std::io::Error },
    #[error("the disk is nearly full, so no more conversations are read")]
    NearlyFull,
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
    #[error("it took too long: use more words, or longer ones")]
    Slow,
}

impl SearchError {
    /// Whether the index is of no use and is to be made anew.
    pub(super) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(self, Self::Index(error) if matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)))
    }

    /// Whether it was interrupted.
    pub(super) fn is_interrupt(&self) -> bool {
        matches!(self, Self::Index(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted))
    }
}
