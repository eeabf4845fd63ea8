//! What can go wrong in the gateway.

use std::io;
use terminal_lobby::sys::accounts::AccountError;
use terminal_lobby::sys::fs::FileError;

/// An error of the gateway.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatewayError {
    #[error("{file}: {key}: {why}")]
    Setting { file: String, key: String, why: String },
    #[error("listening on {address}: {source}")]
    Listen { address: String, source: io::Error },
    #[error("{doing}: {source}")]
    Io { doing: &'static str, source: io::Error },
    #[error("{0}")]
    Refused(String),
    #[error("following {path}: {source}")]
    Follow { path: String, source: io::Error },
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Why a file that decides who is let in, or a user in it, does not count.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeopleError {
    #[error("{path}: {source}")]
    Stat { path: String, source: io::Error },
    #[error("{path}: others than root and the lobby can write it")]
    OthersWrite { path: String },
    #[error("{path}: not UTF-8")]
    NotUtf8 { path: String },
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path}: {why}")]
    Table { path: String, why: String },
    #[error("reading the files failed")]
    Interrupted,
    #[error("uid {0} is not a person's")]
    NotAPerson(u32),
    #[error("no such account on this host")]
    NoAccount,
    #[error(transparent)]
    Account(#[from] AccountError),
}
