//! What one user's work came to: the contract of `--json` (docs/output-formats.md), and what a worker
//! tells root. Root trusts none of it: it is bounded, typed, and printed escaped.

mod check;
mod diff;
mod history;
mod problem;
mod standing;

pub use check::{Check, CheckState, DoctorReport};
pub use diff::{ComparedField, ComparedPane, ComparedSession, DiffReport};
pub use history::{ClosedSession, HistoryConversation, HistoryReport};
pub use problem::Problem;
pub use standing::{ByState, ServerState, StatusReport};

use super::restore::mode::Mode;
pub use crate::snapshot::SaveResult;
use serde::{Deserialize, Serialize};

/// The report on one request for one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case", deny_unknown_fields)]
pub enum Report {
    /// Of `save`.
    Save(SaveReport),
    /// Of `show` and `restore`.
    Plan(PlanReport),
    /// Of `list`.
    List(ListReport),
    /// Of `status`.
    Status(Box<StatusReport>),
    /// Of `doctor`.
    Doctor(Box<DoctorReport>),
    /// Of `forget`.
    Forget(ForgetReport),
    /// Of `history`.
    History(HistoryReport),
    /// Of `diff`.
    Diff(DiffReport),
    /// Of `conversation`.
    Conversation(ConversationReport),
    /// Of `ended`.
    Ended(EndedReport),
    /// Of `import`.
    Import(ImportReport),
    /// Of `hook --install` and `--uninstall`.
    HookInstall(HookInstallReport),
}

/// What became of a save.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaveReport {
    /// `saved`, `unchanged`, `nothing` or `failed`.
    pub result: SaveResult,
    /// The id of the snapshot that now describes the user.
    pub snapshot: Option<String>,
    /// Sessions in it.
    pub sessions: usize,
    /// Panes in it.
    pub panes: usize,
    /// Panes in it that are lost: not there any more, or without the agent that was in them.
    pub lost: usize,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What a restore would do or did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanReport {
    /// The id of the snapshot.
    pub snapshot: Option<String>,
    /// One per pane of the snapshot.
    pub rows: Vec<PlannedRow>,
    /// How agents were told to start or to wait; none without agents to start.
    pub agents: Option<BudgetResult>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Problem>,
}

/// One pane of a plan. Bytes that are not UTF-8 are escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRow {
    /// Session name.
    pub session: String,
    /// Window index.
    pub window: u32,
    /// Pane index.
    pub pane: u32,
    /// Working directory.
    pub cwd: String,
    /// Conversation id.
    pub conversation: Option<String>,
    /// The agent's name.
    pub agent: Option<String>,
    /// `live`, `suspended`, `lost`, `shell`.
    pub state: String,
    /// `new` or `skip`.
    pub action: String,
    /// The session it goes to, or is already live in.
    pub target: String,
    /// Whether a restore does it.
    pub selected: bool,
    /// Why, where there is something to say.
    pub reason: String,
    /// Whether its agent starts by itself (`eager`) or waits for Enter (`lazy`).
    pub mode: Option<Mode>,
    /// What became of it, after a restore: `restored`, `skipped`, `not selected`, `failed: ...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// How the agents of a plan were told to start or to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetResult {
    /// What was asked for.
    pub mode: Mode,
    /// Agents that start by themselves.
    pub eager: u64,
    /// Agents that wait for Enter.
    pub lazy: u64,
    /// Memory for those that start, in bytes; none when it does not matter or is not known.
    pub memory: Option<u64>,
    /// What each is taken to need, in bytes; none when it does not matter.
    pub agent: Option<u64>,
}

/// The snapshots of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListReport {
    /// Newest first.
    pub snapshots: Vec<ListedSnapshot>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Problem>,
}

/// One snapshot of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedSnapshot {
    /// Its id.
    pub id: String,
    /// Sessions in it.
    pub sessions: usize,
    /// Panes in it.
    pub panes: usize,
    /// Agents in it: panes that are live or suspended.
    pub live: usize,
    /// Panes in it that are lost.
    pub lost: usize,
    /// Whether it is the newest sound one, which a restore takes.
    pub newest: bool,
    /// Whether it can be read.
    pub sound: bool,
}

/// The sessions that were recorded as closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgetReport {
    /// Their names.
    pub sessions: Vec<String>,
    /// The conversations that were named by their ids.
    pub conversations: Vec<String>,
    /// How many live sessions were ended.
    pub killed: usize,
    /// When, in seconds since the epoch.
    pub closed: u64,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Problem>,
}

/// What is on disk of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConversationReport {
    /// Its id.
    pub conversation: String,
    /// Its agent.
    pub agent: String,
    /// Its transcript.
    pub transcript: String,
    /// The directory it was started in, if the transcript says.
    pub cwd: Option<String>,
    /// Its title, else its first prompt.
    pub title: Option<String>,
    /// When it was last written, in seconds since the epoch.
    pub last_activity: u64,
    /// Whether it certainly has no transcript: every place for one could be looked into.
    pub absent: bool,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Problem>,
}

/// An ending that was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndedReport {
    /// The conversation.
    pub conversation: String,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Problem>,
}

/// What became of the agents' settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookInstallReport {
    /// `installed`, `removed`, `unchanged` or `failed`.
    pub result: HookInstallResult,
    /// The file.
    pub file: String,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Problem>,
}

/// What was taken over of the older suite.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportReport {
    /// How many snapshots were written.
    pub snapshots: usize,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Problem>,
}

/// The outcome for the agents' settings in one word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookInstallResult {
    /// The agent calls our hook from now on.
    Installed,
    /// It does so no more.
    Removed,
    /// Nothing had to be changed.
    Unchanged,
    /// It did not work; nothing was changed.
    #[default]
    Failed,
}

impl Report {
    /// What a person should know.
    pub fn notes(&self) -> &[String] {
        match self {
            Self::Status(standing) => &standing.notes,
            Self::Doctor(_) => &[],
            Self::Save(SaveReport { notes, .. })
            | Self::Plan(PlanReport { notes, .. })
            | Self::List(ListReport { notes, .. })
            | Self::Forget(ForgetReport { notes, .. })
            | Self::History(HistoryReport { notes, .. })
            | Self::Diff(DiffReport { notes, .. })
            | Self::Conversation(ConversationReport { notes, .. })
            | Self::Ended(EndedReport { notes, .. })
            | Self::Import(ImportReport { notes, .. })
            | Self::HookInstall(HookInstallReport { notes, .. }) => notes,
        }
    }

    /// What went wrong with the whole request.
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::Save(SaveReport { error, .. }) => error.as_ref().map(Problem::failed),
            Self::Status(standing) => standing.error.clone(),
            Self::Doctor(examined) => examined.error.clone(),
            Self::Plan(PlanReport { error, .. })
            | Self::List(ListReport { error, .. })
            | Self::Forget(ForgetReport { error, .. })
            | Self::History(HistoryReport { error, .. })
            | Self::Diff(DiffReport { error, .. })
            | Self::Conversation(ConversationReport { error, .. })
            | Self::Ended(EndedReport { error, .. })
            | Self::Import(ImportReport { error, .. })
            | Self::HookInstall(HookInstallReport { error, .. }) => error.clone(),
        }
    }

    /// Whether what was compared differs.
    pub fn has_differences(&self) -> bool {
        matches!(self, Self::Diff(compared) if !compared.sessions.is_empty())
    }

    /// Whether a part failed although the whole was carried out.
    pub fn partly_failed(&self) -> bool {
        let failed =
            |row: &PlannedRow| row.result.as_ref().is_some_and(|r| r.starts_with("failed"));
        matches!(self, Self::Plan(planned) if planned.rows.iter().any(failed))
    }
}
