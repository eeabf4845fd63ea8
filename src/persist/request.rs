//! What one user's process is asked to do, as root hands it over (pure data).

use super::capture::extras::CapturePolicy;
use super::restore::mode::{Mode, Settings};
use crate::agent::hooks::Event;
use crate::snapshot::retention::Rules;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// What to do. Names that a user chose are in the snapshot file's escapes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Take a snapshot.
    Save,
    /// Take one because something changed, unless another is about to.
    SaveSoon,
    /// Bring sessions back.
    Restore {
        /// Only these; every one that is not closed when empty.
        sessions: Vec<String>,
        /// Snapshot id or file; the newest sound one when absent.
        from: Option<String>,
        /// Only say what would be done.
        dry_run: bool,
        /// Which agents start by themselves; as configured when absent.
        mode: Option<Mode>,
    },
    /// Show what a restore would do.
    Show {
        /// Snapshot id or file.
        snapshot: Option<String>,
        /// Which agents would start by themselves; as configured when absent.
        mode: Option<Mode>,
    },
    /// List the snapshots.
    List,
    /// Say how saving goes.
    Status,
    /// Say what is wrong.
    Doctor {
        /// Where the host's files are: `/`.
        root: PathBuf,
    },
    /// Record that sessions were closed on purpose.
    Forget {
        /// Which.
        sessions: Vec<String>,
        /// Why.
        reason: String,
        /// Whether to end those that are live.
        kill: bool,
    },
    /// Tell every conversation that was ever seen.
    History {
        /// Not only the last ones.
        all: bool,
    },
    /// Compare two snapshots: ids, files, `latest` or `live`.
    Diff {
        /// The first.
        from: String,
        /// The second.
        to: String,
    },
    /// Say what is on disk of a conversation.
    Conversation {
        /// Its id.
        id: String,
        /// Its agent; whichever has it when absent.
        agent: Option<String>,
    },
    /// Record how an agent ended.
    Ended(Ended),
    /// Take over the manifests that come on standard input.
    Import,
    /// Take in what an agent told its hook.
    HookEvent(HookCall),
    /// Tell agents to call our hook, or no more.
    HookInstall(HookInstall),
}

/// How an agent ended, as its launcher saw it. Text is in the snapshot file's escapes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Its conversation, when the one who saw it knows.
    pub conversation: Option<String>,
    /// The pane it was in: its server's pid, and its number there. What the newest snapshot knows
    /// to have run there ended, too.
    pub pane: Option<(i32, u32)>,
    /// Its name.
    pub agent: String,
    /// The tmux session it was in; empty when unknown.
    pub session: String,
    /// Whether on purpose.
    pub closed: bool,
    /// What was seen.
    pub reason: String,
}

/// What happened to which agent, and where. All of it is the user's own claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookCall {
    pub(super) event: Event,
    pub(super) conversation: String,
    pub(super) agent: String,
    pub(super) pid: i32,
    pub(super) start: u64,
    pub(super) at: u64,
    pub(super) pane: Option<HookPane>,
}

/// A pane by its server's socket and its number there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookPane {
    pub(super) socket: PathBuf,
    pub(super) id: u32,
}

/// What to tell which agents.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookInstall {
    /// Whether to call our hook, or no more.
    pub install: bool,
    /// For whom.
    pub scope: Scope,
    /// The agent's name.
    pub agent: String,
    /// Where the machine's `etc` is; for packages that are being built, and tests.
    pub root: PathBuf,
    /// Options that the hook is to be called with.
    pub options: Vec<String>,
}

/// Whose agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The caller's own.
    User,
    /// Those of every user of this machine.
    Machine,
}

/// A request with all that the worker needs to know of the site.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What to do.
    pub request: Request,
    /// The state directory of the site; the user's own is below it.
    pub state_dir: PathBuf,
    /// Whether the user's own directory may be made here: where nobody else makes it.
    pub may_create: bool,
    /// Whether a tmux server may be started from here, where none runs.
    pub may_start_server: bool,
    /// tmux's `-L`.
    pub socket: String,
    /// tmux's `TMUX_TMPDIR`, for a caller that has one.
    pub tmpdir: Option<PathBuf>,
    /// How long one answer of tmux may take.
    pub tmux_deadline: Duration,
    /// How long to wait for another save or restore to finish.
    pub lock_wait: Duration,
    /// For how long what is lost is carried forward.
    pub lost_window: Duration,
    /// Which snapshots are kept.
    pub retention: Rules,
    /// What is kept besides.
    pub keep: CapturePolicy,
    /// Whether the user's server is to tell of changes.
    pub save_on_change: bool,
    /// The configuration file that a caller named.
    pub config: Option<PathBuf>,
    /// What the site says about restoring agents.
    pub restore: Settings,
}
