//! One step of a restore: what happens to one pane of the snapshot (pure).

use super::mode::{Mode, When};
use crate::agent::{ConversationId, Resumption};
use crate::persist::report::PlannedRow;
use crate::snapshot::Row;
use crate::text::json_text;
use std::path::PathBuf;

/// What happens to one pane of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The pane.
    pub row: Row,
    /// Where it comes back, or that it does not.
    pub action: Action,
    /// The session it goes to, or is live in; printable when it is a pane.
    pub target: Vec<u8>,
    /// Whether a restore does it.
    pub selected: bool,
    /// Why, where there is something to say.
    pub reason: String,
    /// What runs in the pane.
    pub start: Start,
    /// Whether the pane's directory can be entered; the home stands in for it otherwise.
    pub has_directory: bool,
    /// A file with what the pane showed, to be shown again.
    pub shows: Option<PathBuf>,
    /// When its agent starts, once that is settled.
    pub when: Option<When>,
}

/// What a plan does with a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make it, with its session.
    New,
    /// Leave it: it, or what it held, is live.
    Skip,
    /// Resume its agent in the very pane that it was in, where a shell waits.
    InPlace {
        /// tmux's id of the pane.
        pane: u32,
        /// Its first process; none when that has ended.
        pid: Option<i32>,
    },
    /// Make it in a session of another name, since its own is taken by other work.
    Renamed,
}

/// What a restored pane runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The user's shell.
    Shell,
    /// The user's shell, after one line that says why it is no agent.
    ShellBecause(String),
    /// A program on the site's list, by its argument list; then the user's shell.
    Program(Vec<Vec<u8>>),
    /// An agent on its conversation.
    Agent {
        /// Its name.
        agent: String,
        /// The conversation.
        id: ConversationId,
        /// How.
        how: Resumption,
    },
}

impl Step {
    /// The step for a report.
    pub fn describe(&self) -> PlannedRow {
        let text = |value: &Option<Vec<u8>>| value.as_deref().map(json_text);
        PlannedRow {
            session: json_text(&self.row.session),
            window: self.row.window,
            pane: self.row.pane,
            cwd: json_text(&self.row.cwd),
            conversation: text(&self.row.conversation),
            agent: text(&self.row.agent),
            state: self.row.state.word().to_owned(),
            action: match self.action {
                Action::New => "new",
                Action::Skip => "skip",
                Action::InPlace { .. } => "in_place",
                Action::Renamed => "renamed",
            }
            .to_owned(),
            target: json_text(&self.target),
            selected: self.selected,
            reason: self.reason.clone(),
            mode: self.when.map(|when| match when {
                When::Now(_) => Mode::Eager,
                When::OnDemand => Mode::Lazy,
            }),
            result: None,
        }
    }
}
