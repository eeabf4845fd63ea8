//! `events`: a table of what happened by itself.

use crate::persist::report::{EventsReport, ReportedEvent};
use crate::sys::clock;
use crate::text::table::{align, beginning, count, shown};
use std::fmt::Write;

pub(crate) fn events(name: &str, report: &EventsReport) -> String {
    if report.events.is_empty() {
        return format!("{name}: no events\n");
    }
    let head = ["TIME", "KIND", "SESSION", "PANE", "AGENT", "CAUSE", "MEMORY", "TEXT"];
    let mut table = vec![head.map(str::to_owned)];
    let or_none = |text: &Option<String>, most| {
        text.as_ref().map_or("-".to_owned(), |text| beginning(text, most))
    };
    table.extend(report.events.iter().map(|one| {
        [
            clock::local(one.time),
            beginning(&one.kind, 16),
            or_none(&one.session, 24),
            or_none(&one.pane, 8),
            or_none(&one.agent, 10),
            or_none(&one.cause, 12),
            one.bytes.map_or("-".to_owned(), |bytes| format!("{} MiB", bytes >> 20)),
            shown(&one.text),
        ]
    }));
    let mut text = format!("{name}: events\n{}", align(&table));
    if report.more > 0 {
        let _ = writeln!(text, "  and {} (--since 52w)", count(report.more, "older one"));
    }
    text
}

/// One event on a line of its own.
pub(crate) fn line(user: Option<&str>, event: &ReportedEvent) -> String {
    let user = user.map_or(String::new(), |user| format!("{}: ", shown(user)));
    format!("{}  {user}{}\n", clock::local(event.time), shown(&event.message))
}
