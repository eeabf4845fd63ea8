//! Reports that are a few lines: `save`, `list`, `forget`, `conversation`, `import`, `hook`.

use crate::cli::output::{paint, style};
use crate::persist::Report;
use crate::persist::report::{
    ConversationReport, ForgetReport, HookInstallReport, HookInstallResult, ImportReport,
    ListReport, SaveReport, SaveResult,
};
use crate::snapshot::SnapshotId;
use crate::supervisor::task::UserReport;
use crate::sys::clock::Epoch;
use crate::text::table::{align, count, shown};
use crate::text::time::ago;
use std::path::Path;

pub(crate) fn save(name: &str, state_dir: &Path, report: &SaveReport) -> Option<String> {
    let result = match report.result {
        SaveResult::Saved => "saved",
        SaveResult::Unchanged => "unchanged",
        SaveResult::Nothing => return Some(format!("{name}: nothing to save\n")),
        SaveResult::Failed => return None,
    };
    let id = report.snapshot.as_deref().map_or("-".into(), shown);
    let (sessions, panes) = (count(report.sessions, "session"), count(report.panes, "pane"));
    let lost = if report.lost > 0 { format!(" ({} lost)", report.lost) } else { String::new() };
    let excluded = match report.excluded {
        0 => String::new(),
        number => format!(", {number} excluded"),
    };
    let link = state_dir.join(format!("{name}.tsv"));
    let link = crate::text::shown(&link);
    Some(format!("{name}: {result} {id}: {sessions}, {panes}{lost}{excluded}, in {link}\n"))
}

/// The last line of a save for several users.
pub(crate) fn saved_users(reports: &[UserReport]) -> String {
    let number = |wanted| {
        let is = |user: &&UserReport| matches!(&user.report, Report::Save(report) if report.result == wanted);
        reports.iter().filter(is).count()
    };
    let [saved, unchanged, nothing, failed] =
        [SaveResult::Saved, SaveResult::Unchanged, SaveResult::Nothing, SaveResult::Failed]
            .map(number);
    let saved = count(saved, "user");
    format!(
        "{saved} saved, {unchanged} unchanged, {nothing} with nothing to save, {failed} failed\n"
    )
}

pub(crate) fn hook_install(name: &str, report: &HookInstallReport) -> String {
    let result = match report.result {
        HookInstallResult::Installed => "hooks installed in",
        HookInstallResult::Removed => "hooks removed from",
        HookInstallResult::Unchanged | HookInstallResult::Failed => "nothing to change in",
    };
    let file = if report.file.is_empty() { "the settings".into() } else { shown(&report.file) };
    format!("{name}: {result} {file}\n")
}

pub(crate) fn import(name: &str, report: &ImportReport) -> String {
    let closed = match report.closed {
        0 => String::new(),
        closed => format!(", {} recorded as closed", count(closed, "session")),
    };
    let snapshots = count(report.snapshots, "snapshot");
    format!("{name}: {snapshots} of the older suite imported{closed}\n")
}

pub(crate) fn forget(name: &str, report: &ForgetReport) -> String {
    let ForgetReport { sessions, conversations, killed, .. } = report;
    let names =
        |names: &[String]| names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ");
    let mut parts = Vec::new();
    for (noun, forgotten) in [("session", sessions), ("conversation", conversations)] {
        if !forgotten.is_empty() {
            parts.push(format!("{} ({})", count(forgotten.len(), noun), names(forgotten)));
        }
    }
    let ended = match killed {
        0 => String::new(),
        &killed => format!(", {} ended", count(killed, "live session")),
    };
    format!("{name}: {} recorded as closed on purpose{ended}\n", parts.join(" and "))
}

pub(crate) fn conversation(report: &ConversationReport, now: Epoch) -> String {
    let line = |what: &str, value: &str| format!("{what:<14}{}\n", shown(value));
    let mut text = line("conversation", &report.conversation) + &line("agent", &report.agent);
    text += &report.title.as_ref().map_or(String::new(), |title| line("title", title));
    text += &report.cwd.as_ref().map_or(String::new(), |cwd| line("directory", cwd));
    text += &line("last activity", &ago(now.saturating_sub(report.last_activity)));
    text + &line("transcript", &report.transcript)
}

pub(crate) fn list(name: &str, report: &ListReport, now: Epoch) -> String {
    if report.snapshots.is_empty() {
        return format!("{name}: no snapshots\n");
    }
    let head = ["SNAPSHOT", "TAKEN", "SESSIONS", "PANES", "LIVE", "LOST", "NOTE"];
    let mut table = vec![head.map(str::to_owned)];
    table.extend(report.snapshots.iter().map(|snapshot| {
        let note = match (snapshot.newest, snapshot.valid) {
            (true, _) => "newest".to_owned(),
            (false, true) => String::new(),
            (false, false) => paint(style::ERROR, "damaged"),
        };
        let taken = SnapshotId::parse(&snapshot.id)
            .map_or(String::new(), |id| ago(now.saturating_sub(id.seconds())));
        let [sessions, panes, live, lost] =
            [snapshot.sessions, snapshot.panes, snapshot.live, snapshot.lost]
                .map(|n| n.to_string());
        [shown(&snapshot.id), taken, sessions, panes, live, lost, note]
    }));
    format!("{name}:\n{}", align(&table))
}
