//! Why a file was not uploaded or fetched.

use super::bounds::{MAX_FILE, MAX_TOTAL};
use crate::kept::KeptError;
use terminal_lobby::sys::fs::FileError;

/// Why a file was not uploaded or fetched.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Kept(#[from] KeptError),
    #[error("writing it: {0}")]
    Write(std::io::Error),
    #[error("it is larger than {} MiB", MAX_FILE >> 20)]
    TooLarge,
    #[error("all files of yours would have more than {} MiB: remove some, or end sessions", MAX_TOTAL >> 20)]
    TooMuch,
    #[error("the disk of the host is nearly full")]
    NearlyFull,
    #[error("too many uploads wait")]
    TooMany,
    #[error("the browser sent more than it said")]
    More,
    #[error("too many files of that name")]
    NoName,
    #[error("there is no such session")]
    NoSession,
    #[error("there are too many entries to be listed")]
    TooManyEntries,
    #[error("it is not below the session's directory or your home")]
    Elsewhere,
    #[error("that name is not one")]
    Invalid,
    #[error("a task of the lobby itself failed")]
    Task(#[from] tokio::task::JoinError),
}
