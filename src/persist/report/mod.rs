//! The report of a request for one user: the contract of `--json` (docs/output-formats.md), and what a
//! worker reports to root. To root it is untrusted input: bounded, typed, printed escaped (pure).

mod bounds;
mod diff;
mod doctor;
mod events;
mod history;
mod plan;
mod problem;
mod status;
mod suspend;
mod watch;

pub use crate::snapshot::SaveResult;
pub use diff::{Change, ComparedField, ComparedPane, ComparedSession, DiffReport};
pub use doctor::{Check, CheckState, DoctorReport};
pub use events::{EventCounts, EventsReport, ReportedEvent};
pub use history::{ClosedSession, ConversationState, HistoryConversation, HistoryReport};
pub use plan::{BudgetResult, PlanReport, PlannedRow, RowAction, RowResult, SessionTally};
pub use problem::Problem;
pub use status::{ByDoing, ByState, ServerState, StatusReport};
pub use suspend::{SuspendReport, SuspendResult, SuspendedAgent};
pub use watch::WatchReport;

use serde::{Deserialize, Serialize};

/// The report on one request for one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case", deny_unknown_fields)]
pub enum Report {
    Save(SaveReport),
    /// Of `show` and `restore`.
    Plan(PlanReport),
    List(ListReport),
    Status(Box<StatusReport>),
    Doctor(Box<DoctorReport>),
    Forget(ForgetReport),
    History(HistoryReport),
    Events(EventsReport),
    Diff(DiffReport),
    Conversation(ConversationReport),
    Ended(EndedReport),
    Import(ImportReport),
    /// Of `hook --install` and `--uninstall`.
    HookInstall(HookInstallReport),
    /// Of a watch and its steps.
    Watch(WatchReport),
    /// Of `suspend` and `resume`.
    Suspend(SuspendReport),
}

/// The report of `save`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaveReport {
    pub result: SaveResult,
    /// The id of the snapshot that now describes the user.
    pub snapshot: Option<String>,
    pub sessions: usize,
    pub panes: usize,
    /// Panes in it that are lost: no longer there, or without the agent that was in them.
    pub lost: usize,
    /// Live sessions that were not saved, since they are excluded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub excluded: usize,
    /// What a person should know even of saves that work.
    pub warnings: Vec<String>,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The report of `list`: the snapshots of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListReport {
    /// Newest first.
    pub snapshots: Vec<ListedSnapshot>,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// One snapshot of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedSnapshot {
    pub id: String,
    pub sessions: usize,
    pub panes: usize,
    /// Agents in it: panes that are live or suspended.
    pub live: usize,
    /// Panes in it that are lost.
    pub lost: usize,
    /// Whether it is the newest valid one, which a restore uses.
    pub newest: bool,
    /// Whether it is valid. Called `sound` in JSON.
    #[serde(rename = "sound")]
    pub valid: bool,
    /// Whether it is from before the host came up.
    #[serde(default)]
    pub before_boot: bool,
}

/// The report of `forget`: what was recorded as closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgetReport {
    pub sessions: Vec<String>,
    /// Conversations that were given by their ids.
    pub conversations: Vec<String>,
    /// Number of live sessions that were ended.
    pub killed: usize,
    /// The time recorded, in seconds since the epoch.
    pub closed: u64,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// The report of `conversation`: what is on disk of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConversationReport {
    pub conversation: String,
    pub agent: String,
    /// Path of its transcript.
    pub transcript: String,
    /// The directory it was started in, if the transcript says.
    pub cwd: Option<String>,
    /// Its title, else its first prompt.
    pub title: Option<String>,
    /// When it was last written, in seconds since the epoch.
    pub last_activity: u64,
    /// Whether it certainly has no transcript: every place for one could be searched.
    pub absent: bool,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// The report of `ended`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndedReport {
    pub conversation: String,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// The report of `hook --install` and `--uninstall`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookInstallReport {
    pub result: HookInstallResult,
    /// Path of the settings file.
    pub file: String,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// The report of `import`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportReport {
    /// Number of snapshots written.
    pub snapshots: usize,
    /// Number of sessions recorded as closed on purpose.
    pub closed: usize,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// The result for the agent's settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookInstallResult {
    /// The agent calls our hook from now on.
    Installed,
    /// It no longer does.
    Removed,
    /// Nothing needed to change.
    Unchanged,
    /// Nothing was changed.
    #[default]
    Failed,
}

impl Report {
    /// Notes for the user.
    pub fn notes(&self) -> &[String] {
        match self {
            Self::Status(standing) => &standing.notes,
            Self::Doctor(_) => &[],
            Self::Save(SaveReport { notes, .. })
            | Self::Plan(PlanReport { notes, .. })
            | Self::List(ListReport { notes, .. })
            | Self::Forget(ForgetReport { notes, .. })
            | Self::History(HistoryReport { notes, .. })
            | Self::Events(EventsReport { notes, .. })
            | Self::Diff(DiffReport { notes, .. })
            | Self::Conversation(ConversationReport { notes, .. })
            | Self::Ended(EndedReport { notes, .. })
            | Self::Import(ImportReport { notes, .. })
            | Self::HookInstall(HookInstallReport { notes, .. })
            | Self::Suspend(SuspendReport { notes, .. })
            | Self::Watch(WatchReport { notes, .. }) => notes,
        }
    }

    /// What a person should know although the request worked.
    pub fn warnings(&self) -> &[String] {
        match self {
            Self::Save(SaveReport { warnings, .. }) => warnings,
            _ => &[],
        }
    }

    /// Why the whole request failed.
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::Status(standing) => standing.error.clone(),
            Self::Doctor(examined) => examined.error.clone(),
            Self::Save(SaveReport { error, .. })
            | Self::Plan(PlanReport { error, .. })
            | Self::List(ListReport { error, .. })
            | Self::Forget(ForgetReport { error, .. })
            | Self::History(HistoryReport { error, .. })
            | Self::Events(EventsReport { error, .. })
            | Self::Diff(DiffReport { error, .. })
            | Self::Conversation(ConversationReport { error, .. })
            | Self::Ended(EndedReport { error, .. })
            | Self::Import(ImportReport { error, .. })
            | Self::HookInstall(HookInstallReport { error, .. })
            | Self::Suspend(SuspendReport { error, .. })
            | Self::Watch(WatchReport { error, .. }) => error.clone(),
        }
    }

    /// Whether a comparison found differences.
    pub fn has_differences(&self) -> bool {
        matches!(self, Self::Diff(compared) if !compared.sessions.is_empty())
    }

    /// Whether part of the request failed although the request as a whole did not.
    pub fn partly_failed(&self) -> bool {
        match self {
            Self::Plan(plan) => plan.has_failed_rows(),
            Self::Suspend(suspended) => suspended.has_failures(),
            _ => false,
        }
    }
}
