//! Every session of a user, as a page shows them: what runs, what waits for its person, what was lost.
//!
//! States are levels, found anew each time from what there is now: tmux, the agents' own records, the newest
//! snapshot. Nothing is remembered of what happened before.

mod agent_facts;
mod branch;
mod conversation;
mod ended;
mod gone;
mod known;
mod live;
pub mod past;
mod view;

pub use conversation::Conversation;
pub use known::Known;
pub use view::{Need, SessionView};

use super::capture::{Capture, capture, doing};
use super::context::Context;
use super::error::Error;
use super::save::missing;
use crate::agent::{self, Home};
use crate::persist::capture::agents::{borrowed, environments};
use crate::process::Proc;
use crate::sys::fs::random_hex;
use crate::tmux::SessionFacts;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// All of them, and where agents write down what they do.
#[derive(Debug, Clone, Default)]
pub struct SessionList {
    /// In the order of need, then of names.
    pub sessions: Vec<SessionView>,
    /// Directories whose changes mean that an agent's state may have changed.
    pub record_dirs: Vec<PathBuf>,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// Lists them. A live session without a birth id gets one.
///
/// # Errors
/// If the tmux server does not answer or the state directory cannot be read.
pub fn list(context: &Context, known: &mut Known) -> Result<SessionList, Error> {
    let (home, proc) = (Home::new(&context.account.home), Proc::default());
    let mut list = SessionList::default();
    let store = context.store()?;
    let stored = match &store {
        Some(store) => store.newest(&mut list.notes)?.map(|(_, stored)| stored),
        None => None,
    };
    let previous = stored.as_ref().map(|stored| &stored.snapshot);
    let rows = previous.map_or(&[][..], |snapshot| &snapshot.rows);
    list.record_dirs = agent::record_dirs(&home, borrowed(&environments(rows)));
    let captured = capture(context, previous, &home, &proc)?;
    if let Some(mut captured) = captured {
        doing::complete(&mut captured, &home, &proc);
        let mut facts = context.server.session_facts()?;
        give_birth_ids(context, &captured, &mut facts)?;
        let of_live = environments(&captured.snapshot.rows);
        list.record_dirs.extend(agent::record_dirs(&home, borrowed(&of_live)));
        let found = live::Found { captured: &captured, facts: &facts, now: context.now };
        list.sessions = found.views(&home, &proc, known);
    }
    if let (Some(store), Some(stored)) = (&store, stored) {
        let ended = ended::of(store, &stored, &list.sessions, context.now, known, &mut list.notes);
        let snapshot = missing::not_closed(store, stored, &mut list.notes);
        let gone = gone::of(&snapshot, &list.sessions);
        list.sessions.extend(gone);
        list.sessions.extend(ended);
    }
    known.sweep();
    list.record_dirs.sort();
    list.record_dirs.dedup();
    list.sessions.sort_by(|a, b| (a.need, &a.name).cmp(&(b.need, &b.name)));
    Ok(list)
}

fn give_birth_ids(
    context: &Context,
    captured: &Capture,
    facts: &mut BTreeMap<u32, SessionFacts>,
) -> Result<(), Error> {
    let mut new = BTreeMap::new();
    for number in captured.session_ids.values() {
        let own = facts.entry(*number).or_default();
        if own.birth_id.is_none() {
            let id = random_hex()[..16].to_owned();
            own.birth_id = Some(id.clone());
            new.insert(*number, id);
        }
    }
    if new.is_empty() { Ok(()) } else { Ok(context.server.set_birth_ids(&new)?) }
}
