//! One step of a restore: what happens to one pane of the snapshot (pure).

use super::never_prompted;
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
    /// Whether its agent cannot be resumed: a shell stands for it in its pane.
    pub is_impossible: bool,
    /// Whether the pane's directory can be entered; if not, the pane starts in the home.
    pub has_directory: bool,
    /// Whether the session's own directory can be entered.
    pub has_session_path: bool,
    /// A file with the pane's scrollback, to be printed again.
    pub scrollback: Option<PathBuf>,
    /// When its agent starts, once that is decided.
    pub when: Option<When>,
    /// A line that its pane shows first: what happened to its agent.
    pub note: Option<String>,
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
    /// End what runs in the pane and start its agent there: it is suspended, or woken.
    Replace {
        /// tmux's id of the pane.
        pane: u32,
        /// Its first process.
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

impl Action {
    /// tmux's id of the existing pane in which the agent starts; `None` if its pane is created.
    pub fn existing_pane(self) -> Option<u32> {
        match self {
            Self::InPlace { pane, .. } | Self::Replace { pane, .. } => Some(pane),
            Self::New | Self::Skip | Self::Renamed => None,
        }
    }
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
            conversation: text(&never_prompted::as_saved(&self.row).conversation),
            agent: text(&self.row.agent),
            state: self.row.state,
            action: match self.action {
                Action::New => RowAction::New,
                Action::Skip => RowAction::Skip,
                Action::InPlace { .. } | Action::Replace { .. } => RowAction::InPlace,
                Action::Renamed => RowAction::Renamed,
            },
            target: json_text(&self.target),
            selected: self.selected,
            reason: self.reason.clone(),
            closed: self.closed,
            agent_state: None,
            waiting_for: None,
            mode: self.when.map(|when| match when {
                When::Now(_) => Mode::Eager,
                When::OnDemand => Mode::Lazy,
            }),
            result: None,
        }
    }
}
