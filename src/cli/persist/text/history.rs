//! `history`: conversations, then sessions that were closed.

use crate::persist::report::HistoryReport;
use crate::sys::clock::Epoch;
use crate::text::table::{align, beginning, count, end, shown};
use crate::text::time::ago;
use std::fmt::Write;

pub(crate) fn history(name: &str, report: &HistoryReport, now: Epoch) -> String {
    let mut text = if report.conversations.is_empty() {
        format!("{name}: no conversations\n")
    } else {
        let of = report.snapshot.as_deref().map_or("no snapshot".to_owned(), shown);
        format!("{name}: conversations as of {of}\n{}", conversations(report, now))
    };
    if report.more > 0 {
        let _ = writeln!(text, "  and {} (--all)", count(report.more, "older one"));
    }
    if !report.closed.is_empty() {
        let _ = write!(text, "{name}: sessions closed on purpose\n{}", closed(report, now));
    }
    text
}

fn conversations(report: &HistoryReport, now: Epoch) -> String {
    let ago = |time: u64| ago(now.saturating_sub(time));
    let head = [
        "LAST SEEN",
        "FIRST SEEN",
        "STATE",
        "AGENT",
        "CONVERSATION",
        "SESSION",
        "DIRECTORY",
        "ENDED",
    ];
    let mut table = vec![head.map(str::to_owned)];
    table.extend(report.conversations.iter().map(|one| {
        let ended = one.ended.map(ago).into_iter();
        let reason = one.reason.as_ref().filter(|reason| !reason.is_empty());
        let attach = one.attach.iter().map(|attach| beginning(attach, 60));
        let reason = reason.map(|reason| beginning(reason, 32));
        let ended: Vec<String> = ended.chain(reason).chain(attach).collect();
        [
            ago(one.last_seen),
            ago(one.first_seen),
            one.state.word().to_owned(),
            beginning(&one.agent, 10),
            beginning(&one.conversation, 36),
            beginning(&one.session, 24),
            end(&one.cwd, 32),
            ended.join("  "),
        ]
    }));
    align(&table)
}

fn closed(report: &HistoryReport, now: Epoch) -> String {
    let mut table = vec![["CLOSED", "SESSION", "REASON"].map(str::to_owned)];
    table.extend(report.closed.iter().map(|one| {
        [
            ago(now.saturating_sub(one.closed)),
            beginning(&one.session, 40),
            beginning(&one.reason, 60),
        ]
    }));
    align(&table)
}
