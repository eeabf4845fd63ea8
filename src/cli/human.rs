//! What a person reads: reports on standard output, notes and problems on standard error.

use super::args::Work;
use super::perform::{Done, UserReport};
use crate::persist::report::{
    Described, Forgotten, Imported, Listed, Planned, PlannedRow, SaveResult, Saved,
};
use crate::persist::{Report, Request};
use crate::snapshot::escape;
use std::path::Path;

/// Renders the reports of a command; with `quiet`, nothing.
pub fn render(work: &Work, done: &Done, quiet: bool) -> String {
    if quiet {
        return String::new();
    }
    let executed = matches!(work.request, Request::Restore { dry_run: false, .. });
    done.reports.iter().filter_map(|user| one(user, &done.state_dir, executed)).collect()
}

/// Notes and problems, a line each; with `quiet`, problems only.
pub fn problems(reports: &[UserReport], quiet: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for UserReport { user, report } in reports {
        if !quiet {
            lines.extend(report.notes().iter().map(|note| format!("{user}: {}", shown(note))));
        }
        lines
            .extend(report.problem().map(|problem| format!("{user}: {}", shown(&problem.message))));
    }
    lines
}

fn one(user: &UserReport, state_dir: &Path, executed: bool) -> Option<String> {
    let name = &user.user;
    match &user.report {
        Report::Save(saved) => save(name, state_dir, saved),
        Report::Plan(planned) => plan(name, planned, executed),
        Report::List(listed) if listed.error.is_none() => Some(list(name, listed)),
        Report::Forget(Forgotten { sessions, error: None, .. }) => {
            Some(format!("{name}: closed on purpose: {}\n", sessions.join(", ")))
        }
        Report::Conversation(described) if described.error.is_none() => Some(describe(described)),
        Report::Import(Imported { snapshots, error: None, .. }) => {
            Some(format!("{name}: {} of the older suite imported\n", count(*snapshots, "snapshot")))
        }
        Report::List(_)
        | Report::Forget(_)
        | Report::Import(_)
        | Report::Conversation(_)
        | Report::Ended(_) => None,
    }
}

fn save(name: &str, state_dir: &Path, saved: &Saved) -> Option<String> {
    let what = match saved.result {
        SaveResult::Saved => "saved",
        SaveResult::Unchanged => "unchanged",
        SaveResult::Nothing => return Some(format!("{name}: nothing to save\n")),
        SaveResult::Failed => return None,
    };
    let id = saved.snapshot.as_deref().map_or("-".into(), shown);
    let (sessions, panes) = (count(saved.sessions, "session"), count(saved.panes, "pane"));
    let place = state_dir.join(format!("{name}.tsv"));
    let place = escape(place.as_os_str().as_encoded_bytes());
    Some(format!("{name}: {what} {id}: {sessions}, {panes}, in {place}\n"))
}

fn plan(name: &str, planned: &Planned, executed: bool) -> Option<String> {
    let id = shown(planned.snapshot.as_ref()?);
    let mut text = format!("{name}: snapshot {id}\n");
    let last = if executed { "RESULT" } else { "SELECTED" };
    let mut table = vec![["PANE", "STATE", "ACTION", "TARGET", last, "REASON"].map(str::to_owned)];
    table.extend(planned.rows.iter().map(|row| plan_row(row, executed)));
    text.push_str(&align(&table));
    Some(text)
}

fn plan_row(row: &PlannedRow, executed: bool) -> [String; 6] {
    let outcome = match (&row.result, row.selected) {
        (Some(result), _) if executed => shown(result),
        (_, true) => "yes".to_owned(),
        (_, false) => "no".to_owned(),
    };
    let place = format!("{}:{}.{}", shown(&row.session), row.window, row.pane);
    let state = row
        .agent
        .as_ref()
        .map_or(shown(&row.state), |agent| format!("{} {}", shown(&row.state), shown(agent)));
    [place, state, shown(&row.action), shown(&row.target), outcome, shown(&row.reason)]
}

fn describe(described: &Described) -> String {
    let line = |what: &str, value: &str| format!("{what:<14}{}\n", shown(value));
    let mut text = line("conversation", &described.conversation) + &line("agent", &described.agent);
    text += &described.title.as_ref().map_or(String::new(), |title| line("title", title));
    text += &described.cwd.as_ref().map_or(String::new(), |cwd| line("directory", cwd));
    let written = i64::try_from(described.last_activity).ok();
    let written = written.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    text += &written.map_or(String::new(), |time| line("last activity", &time.to_rfc3339()));
    text + &line("transcript", &described.transcript)
}

fn list(name: &str, listed: &Listed) -> String {
    if listed.snapshots.is_empty() {
        return format!("{name}: no snapshots\n");
    }
    let mut table = vec![["SNAPSHOT", "SESSIONS", "PANES", ""].map(str::to_owned)];
    table.extend(listed.snapshots.iter().map(|snapshot| {
        let mark = match (snapshot.newest, snapshot.sound) {
            (true, _) => "newest",
            (false, true) => "",
            (false, false) => "damaged",
        };
        let (sessions, panes) = (snapshot.sessions.to_string(), snapshot.panes.to_string());
        [shown(&snapshot.id), sessions, panes, mark.to_owned()]
    }));
    format!("{name}:\n{}", align(&table))
}

/// Columns of equal width, two spaces apart; no spaces at the ends of lines.
fn align<const N: usize>(table: &[[String; N]]) -> String {
    let width =
        |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in table {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Text that may come from a user, for a terminal. What is escaped already has no more to
/// escape but its backslashes, which stay.
fn shown(text: &str) -> String {
    if text.chars().any(char::is_control) { escape(text.as_bytes()) } else { text.to_owned() }
}
