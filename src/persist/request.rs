//! Requests to one user's process, as root passes them to it (pure).

use super::capture_policy::CapturePolicy;
use super::restore_mode::{Mode, Settings};
use super::suspend_request::{self, Suspend};
use super::watch_task::{WatchSettings, WatchTask};
use crate::agent::hooks::Event;
use crate::snapshot::retention::Rules;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// A request. Names that a user chose are in the snapshot file's escapes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    Save,
    /// Save because something changed, unless another process is about to.
    SaveSoon,
    Restore {
        /// Sessions or conversations to restore; if empty, all that are not closed.
        sessions: Vec<String>,
        /// Snapshot id or path; if absent, the newest valid snapshot.
        from: Option<String>,
        /// Only make the plan.
        dry_run: bool,
        /// Which agents start by themselves; if absent, as configured.
        mode: Option<Mode>,
    },
    /// Show what a restore would do.
    Show {
        /// Snapshot id or path; if absent, the newest valid snapshot.
        snapshot: Option<String>,
        /// Which agents would start by themselves; if absent, as configured.
        mode: Option<Mode>,
    },
    /// Suspend agents.
    Suspend(Suspend),
    /// Start suspended agents.
    Resume {
        /// Sessions, panes, or prefixes of conversation ids.
        words: Vec<String>,
    },
    List,
    /// Report when the user was last saved and what failed.
    Status,
    /// Check the user's part of the installation.
    Doctor {
        /// The root of the host's file system: `/`.
        root: PathBuf,
    },
    /// Record that sessions or agents were closed on purpose.
    Forget {
        /// Names of sessions, or prefixes of conversation ids.
        sessions: Vec<String>,
        reason: String,
        /// Also end the live sessions among them.
        kill: bool,
    },
    /// Report the known conversations.
    History {
        /// Without a limit on their number.
        all: bool,
    },
    /// Report what happened to the sessions by itself.
    Events(EventsRequest),
    /// Compare two snapshots, each an id, a path, `latest` or `live`.
    Diff {
        from: String,
        to: String,
    },
    /// Describe what is on disk of a conversation.
    Conversation {
        id: String,
        /// Its agent; if absent, all are searched.
        agent: Option<String>,
    },
    /// Record how an agent ended.
    Ended(Ended),
    /// Import the manifests that come on standard input.
    Import,
    /// Handle an event that an agent reports to its hook.
    HookEvent(HookCall),
    /// Install or remove an agent's hook.
    HookInstall(HookInstall),
    /// Wait for what is killed, or do a step of that.
    Watch(WatchTask),
}

/// How an agent ended, as its launcher saw it. Text is in the snapshot file's escapes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Its conversation, if the launcher knows it.
    pub conversation: Option<String>,
    /// Its pane: the pid of the tmux server, and the number of the pane there. The conversation
    /// that the newest snapshot has for this pane ended, too.
    pub pane: Option<(i32, u32)>,
    pub agent: String,
    /// Its tmux session; empty if unknown.
    pub session: String,
    /// Whether it was closed on purpose.
    pub closed: bool,
    /// Why it is taken for closed, or not.
    pub reason: String,
}

/// Which events to report. Names are in the snapshot file's escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsRequest {
    /// Those since this time, in seconds since the epoch; if absent, the latest.
    pub since: Option<u64>,
    /// Those of these sessions; if empty, of all.
    pub sessions: Vec<String>,
    /// Those of these kinds; if empty, of all.
    pub kinds: Vec<String>,
}

/// An event of an agent, as the agent's hook saw it. The user's own claim: untrusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookCall {
    pub(super) event: Event,
    pub(super) conversation: String,
    pub(super) agent: String,
    /// The agent's process.
    pub(super) pid: i32,
    /// The start of that process, in clock ticks since boot.
    pub(super) start: u64,
    /// The time of the event, in nanoseconds since boot.
    pub(super) at: u64,
    pub(super) pane: Option<HookPane>,
}

/// A pane, by the socket of its server and its number there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookPane {
    pub(super) socket: PathBuf,
    pub(super) id: u32,
}

/// The installation or removal of an agent's hook.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookInstall {
    /// Install it; otherwise, remove it.
    pub install: bool,
    pub scope: Scope,
    pub agent: String,
    /// The directory that has the machine's `etc`; not `/` for packages that are built, and tests.
    pub root: PathBuf,
    /// Options for the hook's command line.
    pub options: Vec<String>,
}

/// Whose agents call the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    User,
    /// Those of every user of this machine.
    Machine,
}

/// A request with the settings of the site that the user's process needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    pub request: Request,
    /// The site's state directory; the user's own is below it.
    pub state_dir: PathBuf,
    /// Whether the user's state directory may be created here, instead of by root.
    pub may_create: bool,
    /// Whether a tmux server may be started here if none runs.
    pub may_start_server: bool,
    /// tmux's `-L`.
    pub socket: String,
    /// The caller's `TMUX_TMPDIR`.
    pub tmpdir: Option<PathBuf>,
    /// Maximum time for one answer of tmux.
    pub tmux_deadline: Duration,
    /// Maximum time for a restore.
    pub restore_deadline: Duration,
    /// Maximum time to wait for another save or restore to finish.
    pub lock_wait: Duration,
    /// For how long lost sessions and agents are carried forward.
    pub lost_window: Duration,
    /// Rules for deleting old snapshots.
    pub retention: Rules,
    /// What a snapshot records besides windows, panes and agents.
    pub keep: CapturePolicy,
    /// Whether the tmux server gets hooks that save on every change.
    pub save_on_change: bool,
    /// The configuration file, if the caller named one.
    pub config: Option<PathBuf>,
    /// The site's settings for restoring agents.
    pub restore: Settings,
    /// The site's command that is run for each event; empty if there is none.
    pub notify: Vec<String>,
    /// The site's settings of the watch.
    #[serde(default)]
    pub watch: WatchSettings,
    /// The site's settings for suspending idle agents.
    pub suspend: suspend_request::Settings,
}

impl Request {
    /// The name of the command, for traces.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Save => "save",
            Self::SaveSoon => "save --coalesce",
            Self::Restore { .. } => "restore",
            Self::Show { .. } => "show",
            Self::Suspend(_) => "suspend",
            Self::Resume { .. } => "resume",
            Self::List => "list",
            Self::Status => "status",
            Self::Doctor { .. } => "doctor",
            Self::Forget { .. } => "forget",
            Self::History { .. } => "history",
            Self::Events(_) => "events",
            Self::Diff { .. } => "diff",
            Self::Conversation { .. } => "conversation",
            Self::Ended(_) => "ended",
            Self::Import => "import",
            Self::HookEvent(_) => "hook",
            Self::HookInstall(_) => "hook --install",
            Self::Watch(_) => "watch",
        }
    }
}
