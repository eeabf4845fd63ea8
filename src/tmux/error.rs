//! Why a tmux server could not be used (pure).

use super::panes::InvalidAnswer;
use super::socket::Refusal;
use crate::sys::FileError;
use crate::sys::process::exec::ExecError;
use crate::text::{io_reason, shown};
use std::io;
use std::path::PathBuf;

/// Why a server could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TmuxError {
    #[error("{}: {refusal}", shown(.socket))]
    Refused { socket: PathBuf, refusal: Refusal },
    /// None runs, and the caller may not start one.
    #[error(
        "no tmux server listens at {}, and none is started from here: it would live, and end, \
         with this login; as the user: persist restore",
        shown(.socket)
    )]
    NotRunning { socket: PathBuf },
    /// The client could not be run, hung or wrote too much.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The client ended with an error: how, and what it printed.
    #[error("tmux {ending}: {message}")]
    Client { ending: String, message: String },
    #[error(transparent)]
    Answer(#[from] InvalidAnswer),
    /// The directory of the socket could not be made.
    #[error(transparent)]
    Directory(#[from] FileError),
    /// The control-mode connection broke.
    #[error("talking to tmux: {}", io_reason(.0))]
    Connection(#[from] io::Error),
}
