//! What can go wrong in the lobby.

use crate::kept::KeptError;
use std::io;
use terminal_lobby::persist::error::Error as PersistError;
use terminal_lobby::persist::prompt::PromptError;
use terminal_lobby::sys::accounts::AccountError;
use terminal_lobby::tmux::TmuxError;

/// An error of the lobby.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("listening on {address}: {source}")]
    Listen { address: String, source: io::Error },
    #[error("{doing}: {source}")]
    Io { doing: &'static str, source: io::Error },
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Persist(#[from] PersistError),
    #[error(transparent)]
    Tmux(#[from] TmuxError),
    /// A pseudo-terminal could not be made, or its program not be started.
    #[error("starting a terminal: {0}")]
    Terminal(#[from] pty_process::Error),
    #[error(transparent)]
    Prompt(#[from] PromptError),
    #[error(transparent)]
    Kept(#[from] KeptError),
    #[error("there is no such session any more")]
    NoSession,
    #[error("there is no such snapshot any more, or it is damaged")]
    NoSnapshot,
    /// A lock was held for too long.
    #[error("another save or restore of yours runs now; try again in a moment")]
    Busy,
    #[error("{0}")]
    Refused(&'static str),
    #[error("{0}")]
    NotShared(String),
    /// What `persist` says of it.
    #[error("{0}")]
    Reported(String),
    #[error("too many views: {0} at most")]
    TooManyViews(usize),
    #[error("too many new sessions: {0} a minute at most")]
    TooManyNew(usize),
    #[error("a task of the lobby itself failed")]
    Task(#[from] tokio::task::JoinError),
}
