//! Bounds of a report (pure): what one user's process reports must not fill root's memory or the journal.

use super::{
    ConversationReport, DiffReport, EndedReport, EventsReport, ForgetReport, HistoryReport,
    HookInstallReport, ImportReport, ListReport, PlanReport, PlannedRow, Problem, Report,
    RowResult, SaveReport, SuspendReport, WatchReport,
};

/// Maximum number of notes, and of warnings.
const MAX_LINES: usize = 30;
/// Maximum length of each, and of an error, in bytes.
const MAX_LENGTH: usize = 400;

impl Report {
    /// The same report with at most 30 notes and warnings, and none of them longer than 400 bytes.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        match &mut self {
            Self::Save(SaveReport { warnings, notes, error, .. }) => {
                clip_lines(warnings);
                clip(notes, error);
            }
            Self::Status(status) => clip(&mut status.notes, &mut status.error),
            Self::Doctor(doctor) => clip(&mut Vec::new(), &mut doctor.error),
            Self::Plan(PlanReport { rows, notes, error, .. }) => {
                rows.iter_mut().for_each(clip_row);
                clip(notes, error);
            }
            Self::List(ListReport { notes, error, .. })
            | Self::Forget(ForgetReport { notes, error, .. })
            | Self::History(HistoryReport { notes, error, .. })
            | Self::Diff(DiffReport { notes, error, .. })
            | Self::Conversation(ConversationReport { notes, error, .. })
            | Self::Ended(EndedReport { notes, error, .. })
            | Self::Import(ImportReport { notes, error, .. })
            | Self::HookInstall(HookInstallReport { notes, error, .. })
            | Self::Suspend(SuspendReport { notes, error, .. })
            | Self::Events(EventsReport { notes, error, .. })
            | Self::Watch(WatchReport { notes, error, .. }) => clip(notes, error),
        }
        self
    }
}

/// What a pane's row says in words; its names are bounded by the size of the report.
fn clip_row(row: &mut PlannedRow) {
    clip_text(&mut row.reason);
    row.agent_state.iter_mut().for_each(clip_text);
    row.waiting_for.iter_mut().for_each(clip_text);
    if let Some(RowResult::Failed(why) | RowResult::Skipped(Some(why))) = &mut row.result {
        clip_text(why);
    }
}

fn clip(notes: &mut Vec<String>, error: &mut Option<Problem>) {
    clip_lines(notes);
    if let Some(error) = error {
        clip_text(&mut error.message);
        error.hint.iter_mut().for_each(clip_text);
    }
}

fn clip_lines(lines: &mut Vec<String>) {
    let left_out = lines.len().saturating_sub(MAX_LINES);
    if left_out > 0 {
        lines.truncate(MAX_LINES - 1);
        lines.push(format!("{} more", left_out + 1));
    }
    lines.iter_mut().for_each(clip_text);
}

fn clip_text(text: &mut String) {
    if text.len() > MAX_LENGTH {
        text.truncate(text.floor_char_boundary(MAX_LENGTH));
        text.push_str("...");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn save(lines: usize, length: usize) -> SaveReport {
        let line = "\u{e9}".repeat(length / 2);
        let error = Some(Problem::failed(&line).with_hint(Some(line.clone())));
        let (notes, warnings) = (vec![line.clone(); lines], vec![line; lines]);
        SaveReport { warnings, notes, error, ..SaveReport::default() }
    }

    #[test]
    fn a_report_of_a_save_is_small_whatever_a_users_process_says() {
        let bounded = Report::Save(save(10_000, 10_000)).bounded();
        assert!(serde_json::to_string(&bounded).unwrap().len() < 64 << 10);
        assert_eq!(bounded.notes().len(), MAX_LINES);
        assert_eq!(bounded.notes().last().unwrap(), "9971 more");
        assert!(bounded.warnings()[0].ends_with("..."));
        assert!(bounded.problem().unwrap().hint.unwrap().len() <= MAX_LENGTH + 3);
    }

    #[test]
    fn what_is_said_of_each_pane_of_a_restore_is_bounded() {
        let long = "\u{e9}".repeat(10_000);
        let row = PlannedRow {
            reason: long.clone(),
            agent_state: Some(long.clone()),
            waiting_for: Some(long.clone()),
            result: Some(RowResult::Failed(long.clone())),
            ..PlannedRow::default()
        };
        let notes = vec![long.clone(); 1000];
        let bounded =
            Report::Plan(PlanReport { rows: vec![row; 2], notes, ..PlanReport::default() });
        let text = serde_json::to_string(&bounded.bounded()).unwrap();
        assert!(text.len() < 64 << 10, "{}", text.len());
        for report in [
            Report::History(HistoryReport {
                notes: vec![long.clone(); 99],
                ..HistoryReport::default()
            }),
            Report::Diff(DiffReport { notes: vec![long.clone(); 99], ..DiffReport::default() }),
            Report::List(ListReport { notes: vec![long.clone(); 99], ..ListReport::default() }),
            Report::Forget(ForgetReport {
                notes: vec![long.clone(); 99],
                ..ForgetReport::default()
            }),
        ] {
            let bounded = report.bounded();
            assert_eq!(bounded.notes().len(), MAX_LINES);
            assert!(bounded.notes().iter().all(|note| note.len() <= MAX_LENGTH + 3));
        }
    }

    #[test]
    fn an_ordinary_report_stays_as_it_is() {
        let report = Report::Save(save(MAX_LINES, MAX_LENGTH));
        assert_eq!(report.clone().bounded(), report);
    }
}
