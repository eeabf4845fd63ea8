//! `diff`: `+` what was added, `-` what was removed, `~` what changed.

use crate::cli::output::{paint, style};
use crate::persist::report::{Change, ComparedField, ComparedPane, ComparedSession, DiffReport};
use crate::text::table::{beginning, end, shown};

pub(crate) fn diff(name: &str, compared: &DiffReport) -> String {
    let side = |side: &Option<String>| side.as_deref().map_or("-".to_owned(), shown);
    let (from, to) = (side(&compared.from), side(&compared.to));
    if compared.sessions.is_empty() {
        return format!("{name}: no difference between {from} and {to}\n");
    }
    let head = format!("{name}: from {from} to {to}\n");
    head + &compared.sessions.iter().map(session).collect::<String>()
}

fn session(session: &ComparedSession) -> String {
    let was = session.was.as_ref().map(|was| format!(" (was {})", beginning(was, 40)));
    let line = format!(
        "{} {}{}\n",
        sign(session.change),
        beginning(&session.session, 60),
        was.unwrap_or_default()
    );
    line + &session.panes.iter().map(pane).collect::<String>()
}

fn pane(pane: &ComparedPane) -> String {
    let mut what = vec![pane.state.word().to_owned()];
    what.extend(pane.agent.as_ref().map(|agent| beginning(agent, 10)));
    what.extend(pane.conversation.as_ref().map(|id| beginning(id, 36)));
    what.push(end(&pane.cwd, 60));
    let (sign, place) = (sign(pane.change), format!("{}.{}", pane.window, pane.pane));
    let line = format!("    {sign} {place}  {}\n", what.join("  "));
    line + &pane.fields.iter().map(field).collect::<String>()
}

fn field(field: &ComparedField) -> String {
    // Words of a command are ended by NUL bytes.
    let value = |value: &Option<String>| {
        let text = value.as_ref().map(|value| value.replace('\0', " "));
        text.map_or("-".to_owned(), |text| end(text.trim_end(), 60))
    };
    format!("          {}: {} -> {}\n", shown(&field.field), value(&field.from), value(&field.to))
}

fn sign(change: Change) -> String {
    match change {
        Change::Added => paint(style::ADDED, "+"),
        Change::Removed => paint(style::REMOVED, "-"),
        Change::Renamed | Change::Changed => paint(style::CHANGED, "~"),
    }
}
