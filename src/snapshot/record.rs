//! The record of one user's sessions at one time (pure).

use crate::sys::clock::Epoch;
use serde::{Deserialize, Serialize};

/// The immutable record of one user's sessions at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Name of the host it was taken on; empty when unknown.
    pub host: String,
    /// The kernel's boot id (`/proc/sys/kernel/random/boot_id`); empty when unknown.
    pub boot: String,
    /// The tmux server: its pid and start time; empty when unknown. Pane ids are that server's.
    pub server: String,
    /// The files that the server was started with by `tmux -f`, absolute; empty for the usual ones.
    pub config_files: Vec<Vec<u8>>,
    /// One row per pane, by session name, window index, pane index.
    pub rows: Vec<Row>,
}

/// One pane. Names, paths and titles are bytes as they were, never text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Session name.
    pub session: Vec<u8>,
    /// Working directory: an agent's own, else that of the pane's foreground process.
    pub cwd: Vec<u8>,
    /// What the agent can resume: its conversation's uuid.
    pub conversation: Option<Vec<u8>>,
    /// The agent that ran: `claude`, `codex`.
    pub agent: Option<Vec<u8>>,
    /// What the pane was.
    pub state: State,
    /// Window index.
    pub window: u32,
    /// Window name; absent when tmux renames the window by itself, after whatever runs.
    pub window_name: Option<Vec<u8>>,
    /// tmux's layout of the window, its leaves numbered by pane index.
    pub window_layout: Vec<u8>,
    /// Marks of the window.
    pub window_flags: WindowFlags,
    /// Pane index.
    pub pane: u32,
    /// Marks of the pane.
    pub pane_flags: PaneFlags,
    /// Pane title; absent when the program sets it or it is tmux's own.
    pub title: Option<Vec<u8>>,
    /// The argument list, each word ended by a NUL byte: the agent's, else the first process's.
    pub command: Option<Vec<u8>>,
    /// How the conversation is known (`record`, `stamp`, `files`, `argv`, `transcript`).
    pub evidence: Option<Vec<u8>>,
    /// Whether the conversation had a transcript, that is, had been prompted. Of an agent whose
    /// conversation is unknown: no, if nothing was said to it.
    pub prompted: Option<bool>,
    /// Session group.
    pub group: Option<Vec<u8>>,
    /// tmux's id of the pane, the number after `%`; absent for a pane that was not there.
    pub pane_id: Option<u32>,
    /// Of what is lost: when a save last saw it alive, in seconds since the epoch.
    pub last_seen: Option<Epoch>,
    /// Of what is lost: when a save first missed it.
    pub lost_since: Option<Epoch>,
    /// The session and index of the window that this one is a link to, outside a session group.
    pub linked: Option<(Vec<u8>, u32)>,
    /// The window's place in its session's stack of last windows, from 1; 0 outside it.
    pub stack: u32,
    /// Options that differ from the server's: `name=value`, separated by spaces.
    pub options: Option<Vec<u8>>,
    /// Variables of the session's environment: `NAME=value`, each ended by a NUL byte.
    pub environment: Option<Vec<u8>>,
    /// The argument list of a program that is started again, each word ended by a NUL byte.
    pub program: Option<Vec<u8>>,
    /// Variables that the agent was started with, of a fixed list: `NAME=value`, each ended by a NUL
    /// byte.
    pub agent_environment: Option<Vec<u8>>,
    /// The conversation that the agent's own was forked from.
    pub parent: Option<Vec<u8>>,
    /// The agent's version, if it says so itself.
    pub agent_version: Option<Vec<u8>>,
    /// Of a lost session whose name other work took: the server and the name that it had, separated
    /// by `/`.
    pub origin: Option<Vec<u8>>,
    /// The session's own directory, where its new windows open.
    pub session_path: Option<Vec<u8>>,
    /// Options that users and their tools set on the session, the window and the pane
    /// ([`crate::tmux::user_options`]).
    pub user_options: Option<Vec<u8>>,
    /// The words that start its agent, without the agent's arguments, each ended by a NUL byte. If the
    /// first is a name, the agent was found by it, and the others are what it was.
    pub agent_program: Option<Vec<u8>>,
    /// Whether tmux had the window's name as it is, without the escapes that it has for others.
    pub plain_window_name: bool,
}

/// What a pane was when it was saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// An agent ran in it.
    Live,
    /// An agent was to be resumed on demand.
    Suspended,
    /// It, or the agent in it, had ended without having been closed on purpose.
    Lost,
    /// No agent.
    #[default]
    Shell,
}

/// Marks of a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WindowFlags {
    /// Its session's current window: `*`.
    pub active: bool,
    /// Its session's last window: `-`.
    pub last: bool,
    /// Its active pane is zoomed: `Z`.
    pub zoomed: bool,
    /// tmux renames it by itself: `a`.
    pub automatic_rename: bool,
}

/// Marks of a pane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaneFlags {
    /// Its window's active pane: `*`.
    pub active: bool,
    /// Its window's last pane: `-`.
    pub last: bool,
    /// Its program had ended and the pane remained: `d`.
    pub dead: bool,
    /// A shell waited below its agent: `s`.
    pub shell: bool,
}

impl State {
    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Suspended => "suspended",
            Self::Lost => "lost",
            Self::Shell => "shell",
        }
    }

    /// Reads the word in the file.
    pub fn parse(word: &[u8]) -> Option<Self> {
        let all = [Self::Live, Self::Suspended, Self::Lost, Self::Shell];
        all.into_iter().find(|state| state.word().as_bytes() == word)
    }
}

impl WindowFlags {
    /// The letters in the file.
    pub fn letters(self) -> String {
        letters(&[
            (self.active, '*'),
            (self.last, '-'),
            (self.zoomed, 'Z'),
            (self.automatic_rename, 'a'),
        ])
    }

    /// Reads the letters; those of a later version are skipped.
    pub fn parse(letters: &[u8]) -> Self {
        let has = |letter| letters.contains(&letter);
        Self { active: has(b'*'), last: has(b'-'), zoomed: has(b'Z'), automatic_rename: has(b'a') }
    }
}

impl PaneFlags {
    /// The letters in the file.
    pub fn letters(self) -> String {
        letters(&[(self.active, '*'), (self.last, '-'), (self.dead, 'd'), (self.shell, 's')])
    }

    /// Reads the letters; those of a later version are skipped.
    pub fn parse(letters: &[u8]) -> Self {
        let has = |letter| letters.contains(&letter);
        Self { active: has(b'*'), last: has(b'-'), dead: has(b'd'), shell: has(b's') }
    }
}

fn letters(flags: &[(bool, char)]) -> String {
    flags.iter().filter(|(set, _)| *set).map(|(_, letter)| letter).collect()
}

impl Snapshot {
    /// How many sessions it holds.
    pub fn sessions(&self) -> usize {
        let names: std::collections::BTreeSet<&[u8]> =
            self.rows.iter().map(|row| row.session.as_slice()).collect();
        names.len()
    }

    /// The rows of panes that were there, whatever ran in them.
    pub fn present(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.is_present())
    }
}

impl Row {
    /// Whether the pane was there: what is lost may have left a shell behind.
    pub fn is_present(&self) -> bool {
        self.state != State::Lost || self.pane_id.is_some()
    }

    /// The conversation in small letters: ids that differ by case alone are equal.
    pub fn conversation_key(&self) -> Option<Vec<u8>> {
        self.conversation.as_deref().map(<[u8]>::to_ascii_lowercase)
    }

    /// Where it is, printable: `web:0.1`.
    pub fn label(&self) -> String {
        format!("{}:{}.{}", crate::text::escape(&self.session), self.window, self.pane)
    }

    /// Where it is, for ordering and for finding it again.
    pub fn place(&self) -> (&[u8], u32, u32) {
        (&self.session, self.window, self.pane)
    }
}
