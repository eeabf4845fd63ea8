//! One session, as a page shows it (pure).

use super::conversation::Conversation;
use crate::sys::clock::Epoch;

/// What a session is, the neediest of its panes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// An agent waits for its person's permission or answer.
    Waiting,
    /// An agent works.
    Working,
    /// An agent is at its prompt.
    Idle,
    /// An agent runs, and what it does is not known.
    #[default]
    Unknown,
    /// An agent is to be resumed on demand.
    Suspended,
    /// No agent.
    Shell,
    /// Not there any more, though it was not closed.
    Lost,
    /// Only in the newest snapshot.
    Saved,
    /// Closed on purpose, not long ago.
    Ended,
}

/// One session. Names, titles and paths are bytes as they were: hostile until they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionView {
    /// What it is addressed by, from its birth on.
    pub birth_id: String,
    /// tmux's number of it, while it is there.
    pub number: Option<u32>,
    /// tmux's number of the pane that speaks for it, while that is there.
    pub pane: Option<u32>,
    /// The owner of a session that holds an agent which no one has asked for yet.
    pub spare: Option<String>,
    pub name: Vec<u8>,
    pub need: Need,
    /// What its agent waits for, as that says.
    pub waiting_for: Option<String>,
    pub agent: Option<Vec<u8>>,
    /// The conversation of that agent.
    pub conversation: Option<Conversation>,
    /// The title that its agent set.
    pub title: Option<Vec<u8>>,
    pub cwd: Vec<u8>,
    pub windows: usize,
    pub panes: usize,
    /// How many clients with a terminal show it.
    pub viewers: u32,
    /// Columns and rows of a terminal that shows all of its current window, if it is there.
    pub size: Option<(u16, u16)>,
    /// When it last printed or was last used; when a save first missed it; when it was closed; 0 if unknown.
    pub changed: Epoch,
    /// Since when its agent does what it does, if that is known.
    pub since: Option<Epoch>,
    /// The model that its agent used last, if that is known.
    pub model: Option<String>,
    /// The git branch of its directory.
    pub branch: Option<Vec<u8>>,
    /// Memory of its processes that no file backs, in bytes.
    pub memory: Option<u64>,
    /// How many commands its agent has running.
    pub commands: usize,
    /// Whether it may be attached to and left again with nothing lost: not where a session ends with its last client.
    pub survives_detach: bool,
    /// The snapshot from which it can come back, if that is not the newest.
    pub snapshot: Option<String>,
}
