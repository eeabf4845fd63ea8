//! The facts that a plan is made from (pure).

use crate::agent::{Resumption, Status};
use crate::persist::capture::Place;
use crate::persist::capture_policy::CapturePolicy;
use crate::tmux::Pane;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The agent of a row without one, as in manifests of the older suite.
pub const DEFAULT_AGENT: &[u8] = b"claude";

/// An agent's name and a conversation's id.
pub type ResumptionKey = (Vec<u8>, Vec<u8>);

/// Facts about the live sessions, the directories and the transcripts.
#[derive(Debug, Default)]
pub struct Facts {
    /// Names of live sessions.
    pub sessions: BTreeSet<Vec<u8>>,
    /// Sessions of the snapshot of which a restore made a live one, with its name.
    pub made: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Sessions of the snapshot whose names belong to other work.
    pub taken: BTreeSet<Vec<u8>>,
    /// By conversation, in small letters, what its agent does, if that is known.
    pub statuses: BTreeMap<Vec<u8>, Status>,
    /// Live conversations, each with its place, such as `web:0.1` or `process 77`.
    pub conversations: BTreeMap<Vec<u8>, String>,
    /// The places of live agents.
    pub agents: BTreeSet<Place>,
    /// How each conversation of the snapshot can be resumed by its agent.
    pub resumptions: BTreeMap<ResumptionKey, Resumption>,
    /// Directories of the snapshot that can be entered.
    pub directories: BTreeSet<Vec<u8>>,
    /// Directories of the snapshot on a mount that does not answer, each with that mount.
    pub unanswered: BTreeMap<Vec<u8>, PathBuf>,
    /// Conversations of which something is on a mount that does not answer, each with that mount.
    pub unreachable: BTreeMap<Vec<u8>, PathBuf>,
    /// For each conversation of the snapshot that is not live: the pane that it was in.
    pub panes: BTreeMap<Vec<u8>, FormerPane>,
    /// By place, the live panes that could not be started in their directories, and those.
    pub homeless: BTreeMap<Place, (FormerPane, Vec<u8>)>,
    /// The local time as `HHMM`, for the name of a session whose own name is taken.
    pub hhmm: String,
    /// Which programs may be started again.
    pub keep: CapturePolicy,
    /// The places of `conversations` where a conversation waits for Enter.
    pub waiting: BTreeSet<String>,
    /// The processes of the agents that run.
    pub running: Vec<i32>,
    /// Panes of a restore that is running, or was interrupted.
    pub unfinished: Vec<Pane>,
}

/// A live pane in which a conversation ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerPane {
    /// tmux's id of it.
    pub id: u32,
    /// Its first process; `None` if that has exited and the pane remained.
    pub pid: Option<i32>,
    /// Its place, escaped: `web:0.1`.
    pub place: String,
    pub runs: Occupant,
}

/// What runs in a pane that an agent has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupant {
    /// Nothing but a shell at its prompt, or nothing at all.
    Shell,
    /// Another conversation of an agent.
    Agent,
    Other,
}

impl Facts {
    /// `is live in PLACE` or `is waiting in PLACE`, for a place of `conversations`.
    pub fn is_in(&self, place: &str) -> String {
        format!("is {} in {place}", if self.waiting.contains(place) { "waiting" } else { "live" })
    }
}
