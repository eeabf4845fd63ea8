//! What a comeback has to know: what is live, what was closed, who looked, how much memory there is.

use super::memory_state::HostMemory;
use super::verdict::Evidence;
use super::warn::hierarchy;
use crate::agent::conversation::key_of;
use crate::agent::{self, Home};
use crate::persist::capture::agents::{borrowed, environments};
use crate::persist::capture::{Capture, capture, left_behind};
use crate::persist::context::Context;
use crate::persist::deaths::Death;
use crate::persist::error::Error;
use crate::persist::restore::budget;
use crate::persist::restore_mode::Mode;
use crate::persist::save::closings::Closings;
use crate::persist::save::read_closings;
use crate::process::Proc;
use crate::snapshot::{EndKind, Row, State, Store};
use crate::sys::clock::Epoch;
use crate::sys::terminal;
use crate::tmux::{Attention, SocketState};
use std::collections::BTreeSet;
use std::path::Path;

/// Services that end other programs before memory runs out, by their control groups.
const EARLYOOM: &str = "system.slice/earlyoom.service";
/// The words with which the launcher records that an agent was killed.
const BY_SIGNAL: &[u8] = b"was killed by signal";

/// The facts.
#[derive(Debug)]
pub struct Facts {
    /// The server that listens, as a snapshot names it.
    pub server: Option<String>,
    /// The socket is there, and nothing listens.
    pub stale_socket: bool,
    pub earlyoom: bool,
    /// Whether nothing should be started now.
    pub memory_is_short: bool,
    captured: Capture,
    /// Conversations that run in a pane or elsewhere, in small letters.
    live: BTreeSet<Vec<u8>>,
    /// The panes of the newest snapshot, with what was left behind since.
    rows: Vec<Row>,
    /// The server of the newest snapshot.
    saved_server: String,
    closings: Closings,
    attention: Attention,
    left: Vec<(Vec<u8>, Epoch)>,
    proc: Proc,
}

impl Facts {
    pub fn gather(
        context: &Context,
        store: &Store,
        root: &Path,
        notes: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let (home, proc) = (Home::new(&context.account.home), Proc::default());
        let newest = store.newest(notes)?.map(|(_, stored)| stored);
        let captured =
            capture(context, newest.as_ref().map(|stored| &stored.snapshot), &home, &proc)?;
        let server = captured.as_ref().map(|captured| captured.snapshot.server.clone());
        let captured = captured.unwrap_or_default();
        let mut snapshot =
            newest.as_ref().map(|stored| stored.snapshot.clone()).unwrap_or_default();
        let left = crate::persist::capture::agents::left_behind(&snapshot.rows, &home, &proc);
        let saved_server = snapshot.server.clone();
        if let Some(newest) = &newest {
            let activity = store.activity(notes);
            let seen = activity.confirmed.max(newest.id.seconds());
            let _ = left_behind::enter(&mut snapshot, seen, &left, &activity.marked_off);
        }
        let known = environments(snapshot.rows.iter().chain(&captured.snapshot.rows));
        let outside = agent::live(&home, borrowed(&known), &proc, &captured.agents);
        let mut live: BTreeSet<Vec<u8>> =
            outside.into_iter().map(|(id, _)| id.key().into()).collect();
        live.extend(captured.snapshot.rows.iter().filter_map(Row::conversation_key));
        live.extend(captured.beside.iter().filter_map(Row::conversation_key));
        let attention = context.server.attention().unwrap_or_default();
        Ok(Self {
            stale_socket: context.server.socket.state() == SocketState::Stale,
            earlyoom: hierarchy(root).join(EARLYOOM).is_dir(),
            memory_is_short: memory_is_short(context, root),
            server,
            captured,
            live,
            rows: snapshot.rows,
            saved_server,
            closings: read_closings::read(store, notes),
            attention,
            left: left
                .into_iter()
                .map(|one| (one.conversation.key().into(), one.started))
                .collect(),
            proc,
        })
    }

    /// When a process started that has ended, in seconds since the epoch.
    pub fn started(&self, death: &Death) -> Option<Epoch> {
        self.proc.time_of(death.start)
    }

    /// What is known of the death of an agent.
    pub fn evidence(&self, death: &Death) -> Evidence {
        let started = self.started(death).unwrap_or(0);
        let id = self.conversation_of(death);
        let ending = id.as_ref().and_then(|id| {
            let of_it = |ending: &&crate::snapshot::Ending| {
                ending.conversation.eq_ignore_ascii_case(id) && ending.ended >= started
            };
            self.closings.endings.0.iter().rfind(of_it)
        });
        let is_closed =
            ending.is_some_and(|ending| ending.how == EndKind::Closed)
                || self.closings.tombstones.0.iter().any(|tombstone| {
                    tombstone.session == death.session && tombstone.closed >= started
                });
        let was_killed = ending.is_some_and(|ending| ending.reason.starts_with(BY_SIGNAL));
        let left = id.is_some_and(|id| {
            let key = key_of(&id);
            self.left.iter().any(|(known, at)| *known == key && at.abs_diff(started) <= 5)
        });
        Evidence {
            closed: is_closed,
            server_runs: self.server.is_some(),
            left_behind: left || was_killed,
            stale_socket: self.stale_socket,
            earlyoom: self.earlyoom,
        }
    }

    /// The conversation that an agent was on last: what the newest snapshot has for its pane, else what was known
    /// when it was listed.
    pub fn conversation_of(&self, death: &Death) -> Option<Vec<u8>> {
        let in_pane = |row: &&Row| {
            self.saved_server == death.server
                && row.pane_id == death.pane
                && row.agent.as_deref() == Some(&death.agent)
        };
        let saved = self.rows.iter().find(in_pane).and_then(|row| row.conversation.clone());
        saved.or_else(|| death.conversation.clone())
    }

    /// Whether its pane is still there.
    pub fn has_pane(&self, death: &Death) -> bool {
        self.is_same_server(death)
            && self.captured.snapshot.rows.iter().any(|row| row.pane_id == death.pane)
    }

    /// Whether an agent runs in its pane again.
    pub fn runs_agent(&self, death: &Death) -> bool {
        self.is_same_server(death)
            && death.pane.is_some_and(|pane| self.captured.agent_of_pane.contains_key(&pane))
    }

    /// Whether the server that listens is the one that had its pane.
    pub fn is_same_server(&self, death: &Death) -> bool {
        self.server.as_ref() == Some(&death.server)
    }

    /// Whether a conversation runs anywhere.
    pub fn is_live(&self, conversation: &[u8]) -> bool {
        self.live.contains(&key_of(conversation))
    }

    /// Whether a conversation waits in a pane until a person resumes it.
    pub fn waits(&self, conversation: &[u8]) -> bool {
        let key = Some(key_of(conversation));
        let mut rows = self.captured.snapshot.rows.iter();
        rows.any(|row| row.state == State::Suspended && row.conversation_key() == key)
    }

    /// Whether the launcher has recorded since then that an agent on a conversation ended, and not that it was closed.
    pub fn has_ended_since(&self, conversation: &[u8], since: Epoch) -> bool {
        self.closings.endings.0.iter().any(|ending| {
            ending.how == EndKind::Lost
                && ending.ended >= since
                && ending.conversation.eq_ignore_ascii_case(conversation)
        })
    }

    /// Where a conversation was last seen in the server that listens: that, the pane and the session.
    pub fn place_of(&self, conversation: &[u8]) -> Option<(String, u32, Vec<u8>)> {
        let server = self.server.clone().filter(|server| *server == self.saved_server)?;
        let key = Some(key_of(conversation));
        let row = self.rows.iter().find(|row| row.conversation_key() == key)?;
        Some((server, row.pane_id?, row.session.clone()))
    }

    /// When a person last looked at a session.
    pub fn looked_at(&self, session: &[u8]) -> Option<Epoch> {
        self.attention.get(self.captured.session_ids.get(session)?).copied()
    }

    /// When a person last looked at any session.
    pub fn looked_anywhere(&self) -> Option<Epoch> {
        self.attention.values().copied().max()
    }

    /// Prints a line in the pane of a death, if it is still there.
    pub fn print_in_pane(&self, death: &Death, text: &str) {
        let pid = death.pane.filter(|_| self.is_same_server(death));
        let pid = pid.and_then(|pane| self.captured.pids.get(&pane));
        if let Some(pid) = pid {
            // A pane that cannot be written to shows nothing; the note is in the journal.
            let _ = terminal::print_on_terminal_of(*pid, text);
        }
    }
}

/// Whether nothing should be started now: the host is short of memory, or what is left is less than one agent needs.
fn memory_is_short(context: &Context, root: &Path) -> bool {
    let read =
        |file: &str| std::fs::read_to_string(root.join("proc").join(file)).unwrap_or_default();
    if HostMemory::parse(&read("pressure/memory"), &read("meminfo")).is_short() {
        return true;
    }
    if context.restore.mode != Mode::Auto {
        return false;
    }
    let (uid, server) = (context.account.uid.as_raw(), context.server.socket.server_pid());
    let available = shared::memory::Memory::read_for(root, uid, server);
    let budget = budget::of_user(&context.restore, Mode::Auto, available, Vec::new());
    budget.memory.is_some_and(|memory| memory < budget.agent)
}
