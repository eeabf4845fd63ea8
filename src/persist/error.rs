//! Why a request failed: the errors of this room, each with its exit code and its hint.

use super::report::Problem;
use crate::agent::{self, Agent};
use crate::snapshot::SnapshotId;
use crate::snapshot::store::SnapshotError;
use crate::sys::FileError;
use crate::text::suggest::did_you_mean;
use crate::text::{io_reason, shown};
use crate::tmux::TmuxError;
use std::path::PathBuf;

/// Why a request of one user failed. Names in it are escaped already.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Tmux(#[from] TmuxError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A file that the user named cannot be used as a snapshot.
    #[error(transparent)]
    SnapshotFile(SnapshotError),
    /// The server of the newest snapshot runs, but nothing can connect to it.
    #[error(
        "the tmux server (process {pid}) still runs, but its socket {} is gone",
        shown(.socket)
    )]
    SocketGone { pid: i32, socket: PathBuf },
    /// The server of the newest snapshot listens at another path.
    #[error(
        "no tmux server listens at {}: the saved one (process {pid}) listens at {}",
        shown(.socket),
        shown(.listens_at)
    )]
    ListensElsewhere { pid: i32, socket: PathBuf, listens_at: PathBuf, tmpdir: Option<PathBuf> },
    #[error("{user} has no snapshots yet")]
    NoSnapshots { user: String },
    #[error("{user} has no snapshot '{name}'")]
    NoSuchSnapshot { user: String, name: String },
    #[error("no session '{name}': nothing has been saved yet")]
    NothingSaved { name: String },
    /// A word that names neither a session nor a conversation; `sessions` are the existing names.
    #[error("no session '{name}' and no conversation with that prefix in snapshot {snapshot}")]
    NotInSnapshot { name: String, snapshot: SnapshotId, sessions: Vec<String> },
    #[error("'{prefix}' is the prefix of {count} conversations in snapshot {snapshot}")]
    Ambiguous { prefix: String, count: usize, snapshot: SnapshotId },
    #[error("no session '{name}': neither live nor in any snapshot")]
    UnknownSession { name: String, sessions: Vec<String> },
    #[error("no live session or pane '{name}', and no live conversation with that prefix")]
    NotLive { name: String, sessions: Vec<String> },
    #[error("'{prefix}' is the prefix of {count} live conversations")]
    AmbiguousLive { prefix: String, count: usize },
    /// Panes cannot wait without it.
    #[error("start-claude is not installed beside persist")]
    NoLauncher,
    #[error("'{0}' is not a conversation id")]
    InvalidConversation(String),
    #[error("unknown agent '{0}'")]
    UnknownAgent(String),
    #[error("{0} has no transcript")]
    NoTranscript(String),
    #[error("no snapshot says which conversation ran in this pane")]
    UnknownConversation,
    #[error("another 'persist watch' runs for this user{}", .pid.map_or(String::new(), |pid| format!(" (process {pid})")))]
    WatchRuns { pid: Option<u32> },
    #[error("{doing}: {}", io_reason(source))]
    Watch { doing: &'static str, source: std::io::Error },
    #[error("reading the manifests: {}", io_reason(.0))]
    ReadManifests(#[source] std::io::Error),
    #[error("reading the manifests: {0}")]
    InvalidManifests(#[source] serde_json::Error),
}

impl Error {
    /// A command or an action that helps.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSnapshots { .. } | Self::NothingSaved { .. } => Some("persist save".to_owned()),
            Self::SocketGone { pid, .. } => Some(format!("kill -USR1 {pid}")),
            Self::ListensElsewhere { pid, tmpdir, .. } => Some(match tmpdir {
                Some(dir) => format!("export TMUX_TMPDIR={}", shown(dir)),
                None => format!("kill -USR1 {pid}"),
            }),
            Self::NoSuchSnapshot { .. } => Some("persist list".to_owned()),
            Self::NotInSnapshot { name, sessions, .. } => {
                let meant = did_you_mean(name, sessions.iter().map(String::as_str));
                Some(meant.unwrap_or_else(|| "persist show".to_owned()))
            }
            Self::UnknownSession { name, sessions } | Self::NotLive { name, sessions } => {
                did_you_mean(name, sessions.iter().map(String::as_str))
            }
            Self::Ambiguous { .. } | Self::AmbiguousLive { .. } => {
                Some("give more characters of the id".to_owned())
            }
            Self::UnknownAgent(_) => Some(format!("known agents: {}", known_agents())),
            _ => None,
        }
    }

    /// Whether another process held a lock for too long.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::File(error) if error.is_timeout())
    }

    /// Whether the arguments are invalid: exit code 2 instead of 1.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::SnapshotFile(_)
                | Self::NoSnapshots { .. }
                | Self::NoSuchSnapshot { .. }
                | Self::NothingSaved { .. }
                | Self::NotInSnapshot { .. }
                | Self::Ambiguous { .. }
                | Self::UnknownSession { .. }
                | Self::NotLive { .. }
                | Self::AmbiguousLive { .. }
                | Self::InvalidConversation(_)
                | Self::UnknownAgent(_)
        )
    }
}

fn known_agents() -> String {
    agent::all().map(Agent::name).collect::<Vec<_>>().join(", ")
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (usage, busy) = (error.is_usage(), error.is_busy());
        Self { message: error.to_string(), hint: error.hint(), usage, busy }
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        Error::from(error).into()
    }
}
