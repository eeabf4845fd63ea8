//! The report of `show` and `restore`: a row for each pane of the snapshot (pure).

use super::problem::Problem;
use crate::persist::restore_mode::Mode;
use crate::snapshot::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a restore would do or did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanReport {
    /// The id of the snapshot.
    pub snapshot: Option<String>,
    /// One for each pane of the snapshot.
    pub rows: Vec<PlannedRow>,
    /// How many agents start and how many wait; `None` if there are no agents to start.
    pub agents: Option<BudgetResult>,
    /// Notes for the user.
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// One pane of a plan. Bytes that are not UTF-8 are escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRow {
    pub session: String,
    pub window: u32,
    pub pane: u32,
    pub cwd: String,
    pub conversation: Option<String>,
    pub agent: Option<String>,
    pub state: State,
    pub action: RowAction,
    /// The session or pane that it is restored to, or where it is already live.
    pub target: String,
    /// Whether a restore does it.
    pub selected: bool,
    /// Why this action; empty if there is nothing to explain.
    pub reason: String,
    /// When it was closed on purpose, in seconds since the epoch, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<u64>,
    /// What its agent does, if it is live and that is known: `idle`, `busy`, `waiting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_state: Option<String>,
    /// What its agent waits for, in the agent's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    /// Whether its agent starts by itself (`eager`) or waits for Enter (`lazy`).
    pub mode: Option<Mode>,
    /// The result of a restore; `None` in a plan that was not executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RowResult>,
}

/// What a restore does with a pane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowAction {
    /// Create it, with its session.
    New,
    /// Leave it alone: it, or what it held, is live.
    #[default]
    Skip,
    /// Resume its agent in the very pane that it was in.
    InPlace,
    /// Create it in a session of another name.
    Renamed,
}

/// The result of a restore for one pane. In JSON it is one string: `restored`, `skipped`,
/// `skipped: WHY`, `not selected` or `failed: WHY`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RowResult {
    Restored,
    /// It is live already; or, with a reason, it became so after the plan was made.
    Skipped(Option<String>),
    NotSelected,
    Failed(String),
}

/// How the agents of a plan start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetResult {
    /// The mode that was requested or configured.
    pub mode: Mode,
    /// Agents that start by themselves.
    pub eager: u64,
    /// Agents that wait for Enter.
    pub lazy: u64,
    /// Memory for the agents that start, in bytes; `None` if it does not matter or is not known.
    pub memory: Option<u64>,
    /// The estimate for one agent, in bytes; `None` if it does not matter.
    pub agent: Option<u64>,
}

/// Numbers of sessions by the result of a restore. Each counts once: as failed if any of its panes
/// failed, else as restored if any was restored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionTally {
    pub restored: usize,
    pub skipped: usize,
    pub failed: usize,
}

impl RowAction {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Skip => "skip",
            Self::InPlace => "in_place",
            Self::Renamed => "renamed",
        }
    }
}

impl RowResult {
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

impl std::fmt::Display for RowResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Restored => f.write_str("restored"),
            Self::Skipped(None) => f.write_str("skipped"),
            Self::Skipped(Some(why)) => write!(f, "skipped: {why}"),
            Self::NotSelected => f.write_str("not selected"),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

impl From<RowResult> for String {
    fn from(result: RowResult) -> Self {
        result.to_string()
    }
}

/// A string that is not one of a row's results.
#[derive(Debug, thiserror::Error)]
#[error("invalid result of a row")]
pub struct InvalidResult;

impl TryFrom<String> for RowResult {
    type Error = InvalidResult;

    fn try_from(text: String) -> Result<Self, InvalidResult> {
        match (text.as_str(), text.split_once(": ")) {
            ("restored", _) => Ok(Self::Restored),
            ("skipped", _) => Ok(Self::Skipped(None)),
            ("not selected", _) => Ok(Self::NotSelected),
            (_, Some(("skipped", why))) => Ok(Self::Skipped(Some(why.to_owned()))),
            (_, Some(("failed", why))) => Ok(Self::Failed(why.to_owned())),
            _ => Err(InvalidResult),
        }
    }
}

impl PlanReport {
    /// Whether any pane was not restored although it should have been.
    pub fn has_failed_rows(&self) -> bool {
        self.rows.iter().any(|row| row.result.as_ref().is_some_and(RowResult::is_failure))
    }

    /// Counts the sessions by result, after a restore.
    pub fn sessions_by_result(&self) -> SessionTally {
        let mut sessions: BTreeMap<&str, [bool; 2]> = BTreeMap::new();
        for row in &self.rows {
            let [restored, failed] = sessions.entry(&row.session).or_default();
            match &row.result {
                Some(RowResult::Restored) => *restored = true,
                Some(RowResult::Failed(_)) => *failed = true,
                Some(RowResult::Skipped(_) | RowResult::NotSelected) | None => {}
            }
        }
        let mut tally = SessionTally::default();
        for [restored, failed] in sessions.into_values() {
            *match (restored, failed) {
                (_, true) => &mut tally.failed,
                (true, false) => &mut tally.restored,
                (false, false) => &mut tally.skipped,
            } += 1;
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_one_string_that_reads_back_the_same() {
        let why = || "window: gone".to_owned();
        for (result, text) in [
            (RowResult::Restored, "restored"),
            (RowResult::Skipped(None), "skipped"),
            (RowResult::Skipped(Some(why())), "skipped: window: gone"),
            (RowResult::NotSelected, "not selected"),
            (RowResult::Failed(why()), "failed: window: gone"),
        ] {
            assert_eq!(serde_json::to_value(&result).unwrap(), text);
            assert_eq!(serde_json::from_value::<RowResult>(text.into()).unwrap(), result);
        }
        assert!(serde_json::from_value::<RowResult>("done".into()).is_err());
        let row = serde_json::to_value(PlannedRow::default()).unwrap();
        assert_eq!((&row["state"], &row["action"]), (&"shell".into(), &"skip".into()));
        assert_eq!(serde_json::to_value(RowAction::InPlace).unwrap(), RowAction::InPlace.word());
    }

    #[test]
    fn a_session_counts_once_by_the_worst_result_of_its_panes() {
        let row = |session: &str, result| PlannedRow {
            session: session.to_owned(),
            result: Some(result),
            ..PlannedRow::default()
        };
        let rows = vec![
            row("a", RowResult::Restored),
            row("a", RowResult::Restored),
            row("a", RowResult::Failed(String::new())),
            row("b", RowResult::Skipped(None)),
            row("c", RowResult::Restored),
            row("c", RowResult::Skipped(None)),
            row("d", RowResult::NotSelected),
        ];
        let report = PlanReport { rows, ..PlanReport::default() };
        let expected = SessionTally { restored: 1, skipped: 2, failed: 1 };
        assert_eq!(report.sessions_by_result(), expected);
        assert!(report.has_failed_rows());
    }
}
