//! What a person reads: reports on standard output, notes and problems on standard error.

mod diff;
mod history;

use crate::cli::output::{error, hint, note, of_user};
use crate::persist::report::{
    BudgetResult, ConversationReport, ForgetReport, HookInstallReport, HookInstallResult,
    ImportReport, ListReport, PlanReport, PlannedRow, SaveReport, SaveResult,
};
use crate::persist::restore::mode::Mode;
use crate::persist::{Report, Request};
use crate::supervisor::worker::{Task, TaskResult, UserReport};
use crate::text::escape;
use crate::text::table::{align, count, shown};
use std::path::Path;

/// Renders the reports of a command; with `quiet`, nothing.
pub fn render(task: &Task, done: &TaskResult, quiet: bool) -> String {
    if quiet {
        return String::new();
    }
    let executed = matches!(task.request, Request::Restore { dry_run: false, .. });
    done.reports.iter().filter_map(|user| one(user, &done.state_dir, executed)).collect()
}

/// Prints the notes and errors of the reports; with `quiet`, errors only.
pub fn messages(done: &TaskResult, quiet: bool) {
    for problem in &done.problems {
        error(&problem.to_string());
        problem.hint().iter().for_each(|text| hint(text));
    }
    for UserReport { user, report, hint: help } in &done.reports {
        if !quiet {
            report.notes().iter().for_each(|text| note(&of_user(user, text)));
        }
        if let Some(problem) = report.problem() {
            error(&of_user(user, &problem.message));
            help.iter().for_each(|text| hint(text));
        }
    }
}

fn one(user: &UserReport, state_dir: &Path, executed: bool) -> Option<String> {
    let name = &user.user;
    match &user.report {
        Report::Save(saved) => save(name, state_dir, saved),
        Report::Plan(planned) => plan(name, planned, executed),
        Report::List(listed) if listed.error.is_none() => Some(list(name, listed)),
        Report::Forget(forgotten) if forgotten.error.is_none() => Some(forget(name, forgotten)),
        Report::Conversation(described) if described.error.is_none() => Some(describe(described)),
        Report::Import(ImportReport { snapshots, error: None, .. }) => {
            Some(format!("{name}: {} of the older suite imported\n", count(*snapshots, "snapshot")))
        }
        Report::History(remembered) if remembered.error.is_none() => {
            Some(history::history(name, remembered))
        }
        Report::Diff(compared) if compared.error.is_none() => Some(diff::diff(name, compared)),
        Report::HookInstall(wired) if wired.error.is_none() => Some(wire(name, wired)),
        Report::List(_)
        | Report::History(_)
        | Report::Diff(_)
        | Report::Forget(_)
        | Report::Import(_)
        | Report::Conversation(_)
        | Report::Ended(_)
        | Report::Status(_)
        | Report::HookInstall(_)
        | Report::Doctor(_) => None,
    }
}

fn save(name: &str, state_dir: &Path, saved: &SaveReport) -> Option<String> {
    let what = match saved.result {
        SaveResult::Saved => "saved",
        SaveResult::Unchanged => "unchanged",
        SaveResult::Nothing => return Some(format!("{name}: nothing to save\n")),
        SaveResult::Failed => return None,
    };
    let id = saved.snapshot.as_deref().map_or("-".into(), shown);
    let (sessions, panes) = (count(saved.sessions, "session"), count(saved.panes, "pane"));
    let lost = if saved.lost > 0 { format!(" ({} lost)", saved.lost) } else { String::new() };
    let place = state_dir.join(format!("{name}.tsv"));
    let place = escape(place.as_os_str().as_encoded_bytes());
    Some(format!("{name}: {what} {id}: {sessions}, {panes}{lost}, in {place}\n"))
}

fn wire(name: &str, wired: &HookInstallReport) -> String {
    let what = match wired.result {
        HookInstallResult::Installed => "hooks installed in",
        HookInstallResult::Removed => "hooks removed from",
        HookInstallResult::Unchanged | HookInstallResult::Failed => "nothing to change in",
    };
    let file = if wired.file.is_empty() { "the settings".into() } else { shown(&wired.file) };
    format!("{name}: {what} {file}\n")
}

fn plan(name: &str, planned: &PlanReport, executed: bool) -> Option<String> {
    let id = shown(planned.snapshot.as_ref()?);
    let mut text = format!("{name}: snapshot {id}\n");
    text += &planned.agents.as_ref().map_or(String::new(), agents);
    if planned.rows.is_empty() {
        return planned.error.is_none().then_some(text); // what was wrong is said by itself
    }
    let last = if executed { "RESULT" } else { "SELECTED" };
    let mut table =
        vec![["PANE", "STATE", "ACTION", "MODE", "TARGET", last, "REASON"].map(str::to_owned)];
    table.extend(planned.rows.iter().map(|row| plan_row(row, executed)));
    text.push_str(&align(&table));
    Some(text)
}

/// How many agents start and how many wait, and why not more start.
fn agents(agents: &BudgetResult) -> String {
    let BudgetResult { eager, lazy, .. } = agents;
    let means = agents.memory.zip(agents.agent).map_or(String::new(), |(memory, agent)| {
        format!(" ({} MiB for agents of {} MiB)", memory >> 20, agent >> 20)
    });
    format!("  agents: {eager} start by themselves, {lazy} on Enter{means}\n")
}

fn plan_row(row: &PlannedRow, executed: bool) -> [String; 7] {
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
    let mode = match row.mode {
        Some(Mode::Eager) => "eager",
        Some(Mode::Lazy) => "lazy",
        _ => "-",
    };
    let (action, target) = (shown(&row.action), shown(&row.target));
    [place, state, action, mode.to_owned(), target, outcome, shown(&row.reason)]
}

fn forget(name: &str, forgotten: &ForgetReport) -> String {
    let ForgetReport { sessions, conversations, killed, .. } = forgotten;
    let what: Vec<String> = sessions.iter().chain(conversations).map(|what| shown(what)).collect();
    let ended = match killed {
        0 => String::new(),
        &killed => format!(" ({} ended)", count(killed, "live session")),
    };
    format!("{name}: closed on purpose: {}{ended}\n", what.join(", "))
}

fn describe(described: &ConversationReport) -> String {
    let line = |what: &str, value: &str| format!("{what:<14}{}\n", shown(value));
    let mut text = line("conversation", &described.conversation) + &line("agent", &described.agent);
    text += &described.title.as_ref().map_or(String::new(), |title| line("title", title));
    text += &described.cwd.as_ref().map_or(String::new(), |cwd| line("directory", cwd));
    let written = i64::try_from(described.last_activity).ok();
    let written = written.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    text += &written.map_or(String::new(), |time| line("last activity", &time.to_rfc3339()));
    text + &line("transcript", &described.transcript)
}

fn list(name: &str, listed: &ListReport) -> String {
    if listed.snapshots.is_empty() {
        return format!("{name}: no snapshots\n");
    }
    let mut table = vec![["SNAPSHOT", "SESSIONS", "PANES", "LIVE", "LOST", ""].map(str::to_owned)];
    table.extend(listed.snapshots.iter().map(|snapshot| {
        let mark = match (snapshot.newest, snapshot.sound) {
            (true, _) => "newest",
            (false, true) => "",
            (false, false) => "damaged",
        };
        let (sessions, panes) = (snapshot.sessions.to_string(), snapshot.panes.to_string());
        let (live, lost) = (snapshot.live.to_string(), snapshot.lost.to_string());
        [shown(&snapshot.id), sessions, panes, live, lost, mark.to_owned()]
    }));
    format!("{name}:\n{}", align(&table))
}
