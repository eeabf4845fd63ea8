//! `history` for a person.

use crate::persist::report::HistoryReport;
use crate::text::table::{align, beginning, count, end, minute, shown};
use std::fmt::Write;

pub(crate) fn history(name: &str, remembered: &HistoryReport) -> String {
    let mut text = if remembered.conversations.is_empty() {
        format!("{name}: no conversation was ever seen\n")
    } else {
        let of = remembered.snapshot.as_deref().map_or("no snapshot".to_owned(), shown);
        format!("{name}: conversations, as of {of}, times in UTC\n{}", conversations(remembered))
    };
    if remembered.more > 0 {
        let _ = writeln!(text, "  and {} (--all)", count(remembered.more, "older one"));
    }
    if !remembered.closed.is_empty() {
        let _ = write!(text, "{name}: sessions closed on purpose\n{}", closed(remembered));
    }
    text
}

fn conversations(remembered: &HistoryReport) -> String {
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
    table.extend(remembered.conversations.iter().map(|one| {
        let ended = one.ended.map(minute).into_iter();
        let reason = one.reason.as_ref().filter(|reason| !reason.is_empty());
        let ended: Vec<String> = ended.chain(reason.map(|reason| beginning(reason, 32))).collect();
        [
            minute(one.last_seen),
            minute(one.first_seen),
            shown(&one.state),
            beginning(&one.agent, 10),
            beginning(&one.conversation, 36),
            beginning(&one.session, 24),
            end(&one.cwd, 32),
            ended.join("  "),
        ]
    }));
    align(&table)
}

fn closed(remembered: &HistoryReport) -> String {
    let mut table = vec![["CLOSED", "SESSION", "REASON"].map(str::to_owned)];
    table.extend(
        remembered.closed.iter().map(|one| {
            [minute(one.closed), beginning(&one.session, 40), beginning(&one.reason, 60)]
        }),
    );
    align(&table)
}
