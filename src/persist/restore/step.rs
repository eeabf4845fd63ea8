//! One step of a restore: what happens to one pane of the snapshot (pure).

use crate::agent::{ConversationId, Resumption};
use crate::persist::report::{PlannedRow, RowAction};
use crate::persist::restore_mode::{Mode, When};
use crate::snapshot::Row;
use crate::sys::clock::Epoch;
use crate::text::json_text;
use std::path::PathBuf;

/// What happens to one pane of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The pane, as in the snapshot.
    pub row: Row,
    pub action: Action,
    /// The session that it is restored in, or where it is live; a place such as `web:0.1` if that is a
    /// pane.
    pub target: Vec<u8>,
    /// What the session is marked with, if it comes back as a whole: what it was made of.
    pub origin: Option<Vec<u8>>,
    /// Whether a restore does it.
    pub selected: bool,
    /// Why this action; empty if there is nothing to explain.
    pub reason: String,
    pub start: Start,
    /// When it was closed on purpose, if it was.
    pub closed: Option<Epoch>,
    /// Whether its directory is on a mount that does not answer now.
    pub directory_hangs: bool,
    /// Whether its agent cannot come back now, but later may: it stays lost.
    pub deferred: bool,
    /// Whether the pane's directory can be entered; if not, the pane starts in the home.
    pub has_directory: bool,
    /// Whether the session's own directory can be entered.
    pub has_session_path: bool,
    /// A file with the pane's scrollback, to be printed again.
    pub scrollback: Option<PathBuf>,
    /// When its agent starts, once that is decided.
    pub when: Option<When>,
}

/// What a restore does with a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Create it, with its session.
    New,
    /// Leave it alone: it, or what it held, is live.
    Skip,
    /// Resume its agent in the same pane that it was in, where a shell waits.
    InPlace {
        /// tmux's id of the pane.
        pane: u32,
        /// Its first process; `None` if that has exited.
        pid: Option<i32>,
    },
    /// Create it in a session of another name, since its own is taken by other work.
    Renamed,
}

/// What a restored pane runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    Shell,
    /// The user's shell, after one line that explains why it is not the agent.
    ShellBecause(String),
    /// A program that the configuration lists, by its argument list; then the user's shell.
    Program(Vec<Vec<u8>>),
    /// An agent with its conversation.
    Agent {
        agent: String,
        id: ConversationId,
        resumption: Resumption,
    },
}

impl Step {
    /// The row of a report.
    pub fn describe(&self) -> PlannedRow {
        let text = |value: &Option<Vec<u8>>| value.as_deref().map(json_text);
        PlannedRow {
            session: json_text(&self.row.session),
            window: self.row.window,
            pane: self.row.pane,
            cwd: json_text(&self.row.cwd),
            conversation: text(&self.row.conversation),
            agent: text(&self.row.agent),
            state: self.row.state,
            action: match self.action {
                Action::New => RowAction::New,
                Action::Skip => RowAction::Skip,
                Action::InPlace { .. } => RowAction::InPlace,
                Action::Renamed => RowAction::Renamed,
            },
            target: json_text(&self.target),
            selected: self.selected,
            reason: self.reason.clone(),
            closed: self.closed,
            mode: self.when.map(|when| match when {
                When::Now(_) => Mode::Eager,
                When::OnDemand => Mode::Lazy,
            }),
            result: None,
        }
    }
}
