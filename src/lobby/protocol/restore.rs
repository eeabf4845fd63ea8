//! Snapshots, plans and what became of sessions, as the page gets them (pure). Everything that a user or a program
//! chose is text in which control and direction characters are replaced; what is sent back to name a session is
//! beside it, in escapes.

use super::sessions::{directory, shown};
use serde::Serialize;
use std::path::Path;
use terminal_lobby::persist::report::{
    BudgetResult, Change, ComparedSession, ListedSnapshot, PlannedRow, ReportedEvent, RowAction,
};
use terminal_lobby::persist::restore_mode::Mode;
use terminal_lobby::persist::sessions::past::{Going, PastPane, Period, time_of};
use terminal_lobby::text::escape;

/// The snapshots of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Snapshots {
    /// Newest first, valid ones alone.
    pub snapshots: Vec<Snapshot>,
    /// What is said of those that cannot be read, and of other files among them.
    pub notes: Vec<String>,
    /// Whether this lobby is restoring sessions now.
    pub restoring: bool,
}

/// One snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    pub id: String,
    /// In seconds since the epoch.
    pub time: u64,
    pub sessions: usize,
    pub panes: usize,
    pub agents: usize,
    /// Panes in it that are lost.
    pub lost: usize,
    /// Whether it is the newest.
    pub newest: bool,
    /// Whether it was saved before the host came up.
    pub before_boot: bool,
}

/// What a restore would do or did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// One for each pane.
    pub rows: Vec<Row>,
    pub notes: Vec<String>,
    /// How many agents start and how many wait for Enter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<BudgetResult>,
    /// What one agent is expected to take, in bytes.
    pub agent_memory: u64,
    /// What new agents could take now, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<u64>,
    /// How the sessions of the snapshot differ from the present ones, where both are there; and which are newer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Changed>,
}

/// One pane of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What names the session in a request.
    pub session: String,
    pub name: String,
    pub window: u32,
    pub pane: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    pub directory: String,
    pub action: RowAction,
    pub target: String,
    pub selected: bool,
    pub reason: String,
    /// When it was closed, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<u64>,
    /// `eager`: its agent starts at once; `lazy`: that waits for Enter.
    pub mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The snapshot, if it is not the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// A session that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    pub session: String,
    pub name: String,
    pub change: Change,
    /// Its name in the snapshot, if that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    pub fields: Vec<Field>,
}

/// What of a pane or its window has changed; without a field, the pane is new or gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    pub window: u32,
    pub pane: u32,
    pub change: Change,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What became of sessions and of their memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Past {
    pub goings: Vec<Gone>,
    /// Latest first.
    pub memory: Vec<MemoryEvent>,
    /// What agents could take now, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<u64>,
    pub notes: Vec<String>,
}

/// How a session went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gone {
    pub session: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    pub why: String,
    pub closed: bool,
}

/// An agent that was suspended or resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemoryEvent {
    /// In seconds since the epoch.
    pub time: u64,
    pub name: String,
    /// `suspended` or `woken`.
    pub kind: String,
    /// What was given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// A session over the snapshots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct History {
    /// Latest first.
    pub periods: Vec<Shown>,
    /// Snapshots that cannot be read.
    pub damaged: Vec<String>,
}

/// What it was for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub name: String,
    /// The earliest and the latest snapshot, in seconds since the epoch.
    pub first: u64,
    pub last: u64,
    /// The id of the latest.
    pub id: String,
    pub snapshots: usize,
    pub panes: Vec<ShownPane>,
}

/// One of its panes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownPane {
    pub window: u32,
    pub pane: u32,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    pub directory: String,
}

impl Snapshot {
    /// `None` for one that is not valid.
    pub fn of(listed: &ListedSnapshot) -> Option<Self> {
        let time = time_of(&listed.id)?;
        listed.valid.then(|| Self {
            id: listed.id.clone(),
            time,
            sessions: listed.sessions,
            panes: listed.panes,
            agents: listed.live,
            lost: listed.lost,
            newest: listed.newest,
            before_boot: listed.before_boot,
        })
    }
}

impl Row {
    /// Of a plan from `from`, for a user with this home.
    pub fn of(row: PlannedRow, from: Option<&str>, home: &[u8]) -> Self {
        Self {
            session: escape(row.session.as_bytes()),
            name: text(&row.session),
            window: row.window,
            pane: row.pane,
            agent: row.agent.as_deref().map(text),
            directory: directory(row.cwd.as_bytes(), home),
            action: row.action,
            target: text(&row.target),
            selected: row.selected,
            reason: text(&row.reason),
            closed: row.closed,
            mode: row.mode,
            result: row.result.map(|result| text(&result.to_string())),
            from: from.map(str::to_owned),
        }
    }
}

impl Changed {
    /// `None` for one that is gone: that is in the plan.
    pub fn of(compared: &ComparedSession, home: &[u8]) -> Option<Self> {
        if compared.change == Change::Removed {
            return None;
        }
        let is_new = compared.change == Change::Added;
        let value = |value: &String| directory(value.as_bytes(), home);
        let mut fields = Vec::new();
        for pane in compared.panes.iter().filter(|_| !is_new) {
            let (window, at, change) = (pane.window, pane.pane, pane.change);
            let whole =
                Field { window, pane: at, change, field: String::new(), from: None, to: None };
            if pane.fields.is_empty() || change != Change::Changed {
                fields.push(whole);
                continue;
            }
            fields.extend(pane.fields.iter().map(|field| Field {
                field: text(&field.field),
                from: field.from.as_ref().map(value),
                to: field.to.as_ref().map(value),
                ..whole.clone()
            }));
        }
        Some(Self {
            session: escape(compared.session.as_bytes()),
            name: text(&compared.session),
            change: compared.change,
            was: compared.was.as_deref().map(text),
            fields,
        })
    }
}

impl Gone {
    pub fn of(going: &Going) -> Self {
        Self {
            session: escape(&going.session),
            name: shown(&going.session),
            at: going.at,
            why: text(&going.why),
            closed: going.closed,
        }
    }
}

impl MemoryEvent {
    pub fn of(event: &ReportedEvent) -> Self {
        Self {
            time: event.time,
            name: event.session.as_deref().map(text).unwrap_or_default(),
            kind: text(&event.kind),
            bytes: event.bytes,
        }
    }
}

impl Shown {
    /// For a user with this home.
    pub fn of(period: &Period, home: &[u8]) -> Self {
        let pane = |pane: &PastPane| ShownPane {
            window: pane.window,
            pane: pane.pane,
            state: pane.state,
            agent: pane.agent.as_deref().map(shown),
            directory: directory(&pane.cwd, home),
        };
        Self {
            name: shown(&period.name),
            first: period.first,
            last: period.last,
            id: period.id.clone(),
            snapshots: period.snapshots,
            panes: period.panes.iter().map(pane).collect(),
        }
    }
}

/// A message for the page: paths below the home as `~/...`.
pub fn below_home(message: &str, home: &Path) -> String {
    match home.to_str().filter(|home| home.len() > 1) {
        Some(home) => text(&message.replace(&format!("{home}/"), "~/")),
        None => text(message),
    }
}

fn text(text: &str) -> String {
    shown(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_chose_is_shown_without_marks_of_direction_and_named_exactly() {
        let planned = PlannedRow {
            session: "\u{202e}evil\x1b".into(),
            cwd: "/home/ann/\u{200f}x".into(),
            ..PlannedRow::default()
        };
        let row = Row::of(planned, None, b"/home/ann");
        assert_eq!(
            (row.name.as_str(), row.directory.as_str()),
            ("\u{fffd}evil\u{fffd}", "~/\u{fffd}x")
        );
        assert_eq!(row.session, "\\xe2\\x80\\xaeevil\\x1b");
    }

    #[test]
    fn what_has_changed_is_said_field_by_field_and_what_is_gone_is_left_to_the_plan() {
        use terminal_lobby::persist::report::{ComparedField, ComparedPane};
        let field = ComparedField {
            field: "cwd".into(),
            from: Some("/home/ann/a".into()),
            to: Some("/srv".into()),
        };
        let pane = ComparedPane { fields: vec![field], ..ComparedPane::default() };
        let session = |change| ComparedSession {
            session: "a".into(),
            change,
            panes: vec![pane.clone()],
            ..ComparedSession::default()
        };
        let changed = Changed::of(&session(Change::Changed), b"/home/ann").unwrap();
        let field = &changed.fields[0];
        assert_eq!((field.from.as_deref(), field.to.as_deref()), (Some("~/a"), Some("/srv")));
        assert!(Changed::of(&session(Change::Added), b"/").unwrap().fields.is_empty());
        assert_eq!(Changed::of(&session(Change::Removed), b"/"), None);
    }
}
