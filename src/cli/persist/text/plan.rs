//! `show` and `restore`: one line a pane, then how many sessions.

use crate::cli::output::{paint, style};
use crate::persist::report::{BudgetResult, PlanReport, PlannedRow, RowAction, RowResult};
use crate::persist::restore_mode::Mode;
use crate::snapshot::SnapshotId;
use crate::sys::clock::Epoch;
use crate::text::table::{align, beginning, count, shown};
use crate::text::time::ago;
use std::collections::BTreeMap;

/// What became of a pane, or would.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Skipped,
    Restored,
    Failed,
}

/// Renders a plan, or with `executed` what was done. `None` without a snapshot.
pub(crate) fn plan(name: &str, plan: &PlanReport, executed: bool, now: Epoch) -> Option<String> {
    let id = plan.snapshot.as_ref()?;
    let taken = SnapshotId::parse(id)
        .map_or(String::new(), |id| format!(", {}", ago(now.saturating_sub(id.seconds()))));
    let mut text = format!("{name}: snapshot {}{taken}\n", shown(id));
    if plan.rows.is_empty() {
        return plan.error.is_none().then_some(text);
    }
    text += &plan.agents.as_ref().map_or(String::new(), agents);
    let last = if executed { "RESULT" } else { "PLAN" };
    let mut table = vec![["PANE", "SAVED AS", last, "REASON"].map(str::to_owned)];
    table.extend(plan.rows.iter().map(|row| cells(row, executed)));
    text += &align(&table);
    Some(text + &format!("{name}: {}\n", counts(plan, executed)))
}

/// How many agents start and how many wait, and why not more start.
fn agents(agents: &BudgetResult) -> String {
    let BudgetResult { eager, lazy, .. } = agents;
    let memory = agents.memory.zip(agents.agent).map_or(String::new(), |(memory, agent)| {
        format!(" ({} MiB for agents of {} MiB)", memory >> 20, agent >> 20)
    });
    format!("  agents: {eager} start at once, {lazy} wait for Enter{memory}\n")
}

fn cells(row: &PlannedRow, executed: bool) -> [String; 4] {
    let pane = format!("{}:{}.{}", beginning(&row.session, 40), row.window, row.pane);
    let agent = row.agent.as_ref().map_or(String::new(), |agent| format!(" {}", shown(agent)));
    let (outcome, result) = if executed { result(row) } else { planned(row) };
    let style = match outcome {
        Outcome::Skipped => style::FAINT,
        Outcome::Restored => style::GOOD,
        Outcome::Failed => style::ERROR,
    };
    [
        pane,
        row.state.word().to_owned() + &agent,
        paint(style, &result),
        shown(&row.reason) + &does(row),
    ]
}

/// What the agent of a live pane does.
fn does(row: &PlannedRow) -> String {
    let state =
        row.agent_state.as_deref().map_or(String::new(), |state| format!("; {}", shown(state)));
    let what =
        row.waiting_for.as_deref().map_or(String::new(), |what| format!(" for: {}", shown(what)));
    state + &what
}

fn planned(row: &PlannedRow) -> (Outcome, String) {
    if row.action == RowAction::Skip {
        return (Outcome::Skipped, "skip".to_owned());
    }
    if !row.selected {
        return (Outcome::Skipped, "not selected".to_owned());
    }
    let verb = match row.mode {
        Some(Mode::Lazy) => "wait for Enter",
        Some(_) => "start agent",
        None => "open",
    };
    (Outcome::Restored, format!("{verb}{}", place(row)))
}

fn result(row: &PlannedRow) -> (Outcome, String) {
    let text = row.result.as_ref().map_or(String::new(), |result| shown(&result.to_string()));
    match &row.result {
        Some(RowResult::Restored) => {
            let waits = if row.mode == Some(Mode::Lazy) { ", waits for Enter" } else { "" };
            (Outcome::Restored, format!("restored{}{waits}", place(row)))
        }
        Some(RowResult::Failed(_)) => (Outcome::Failed, text),
        Some(RowResult::Skipped(_) | RowResult::NotSelected) | None => (Outcome::Skipped, text),
    }
}

/// Where the pane comes back, unless in a session of its own name.
fn place(row: &PlannedRow) -> String {
    match row.action {
        RowAction::InPlace => " in its pane".to_owned(),
        RowAction::Renamed => format!(" as {}", beginning(&row.target, 40)),
        RowAction::New | RowAction::Skip => String::new(),
    }
}

/// Sessions by what became of them, or would.
fn counts(plan: &PlanReport, executed: bool) -> String {
    if executed {
        let tally = plan.sessions_by_result();
        let restored = count(tally.restored, "session");
        return format!("{restored} restored, {} skipped, {} failed", tally.skipped, tally.failed);
    }
    let mut sessions: BTreeMap<&str, bool> = BTreeMap::new();
    for row in &plan.rows {
        let is_restored = planned(row).0 == Outcome::Restored;
        *sessions.entry(&row.session).or_default() |= is_restored;
    }
    let restored = sessions.values().filter(|&&is_restored| is_restored).count();
    format!("{} to restore, {} skipped", count(restored, "session"), sessions.len() - restored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::State;

    fn row(session: &str, pane: u32, action: RowAction) -> PlannedRow {
        PlannedRow {
            session: session.to_owned(),
            pane,
            action,
            state: State::Live,
            agent: Some("claude".to_owned()),
            target: format!("{session}-1432"),
            selected: true,
            mode: Some(Mode::Eager),
            ..PlannedRow::default()
        }
    }

    fn text(rows: Vec<PlannedRow>, executed: bool) -> String {
        let snapshot = Some("20261120T144343Z".to_owned());
        let report = PlanReport { snapshot, rows, ..PlanReport::default() };
        let now = SnapshotId::parse("20261120T144843Z").unwrap().seconds();
        anstream::adapter::strip_str(&plan("ann", &report, executed, now).unwrap()).to_string()
    }

    #[test]
    fn a_plan_has_a_line_a_pane_and_counts_sessions() {
        let shell = PlannedRow {
            agent: None,
            state: State::Shell,
            mode: None,
            ..row("web", 1, RowAction::New)
        };
        let closed = PlannedRow {
            selected: false,
            reason: "closed on purpose".into(),
            ..row("old", 0, RowAction::New)
        };
        let rows =
            vec![row("web", 0, RowAction::New), shell, closed, row("api", 0, RowAction::Renamed)];
        let expected = "\
ann: snapshot 20261120T144343Z, 5 min ago
  PANE     SAVED AS     PLAN                     REASON
  web:0.0  live claude  start agent
  web:0.1  shell        open
  old:0.0  live claude  not selected             closed on purpose
  api:0.0  live claude  start agent as api-1432
ann: 2 sessions to restore, 1 skipped
";
        assert_eq!(text(rows, false), expected);
    }

    #[test]
    fn a_restore_reports_each_pane_and_a_session_by_its_worst_one() {
        let result = |row: PlannedRow, result| PlannedRow { result: Some(result), ..row };
        let lazy = PlannedRow { mode: Some(Mode::Lazy), ..row("web", 0, RowAction::InPlace) };
        let rows = vec![
            result(lazy, RowResult::Restored),
            result(row("web", 1, RowAction::New), RowResult::Failed("no space".into())),
            result(row("api", 0, RowAction::Skip), RowResult::Skipped(None)),
        ];
        let expected = "\
ann: snapshot 20261120T144343Z, 5 min ago
  PANE     SAVED AS     RESULT
  web:0.0  live claude  restored in its pane, waits for Enter
  web:0.1  live claude  failed: no space
  api:0.0  live claude  skipped
ann: 0 sessions restored, 1 skipped, 1 failed
";
        assert_eq!(text(rows, true), expected);
    }
}
