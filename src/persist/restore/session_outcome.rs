//! What becomes of a session of a snapshot, and of each pane of one whose name is live (pure).

use super::facts::Facts;
use super::pane_start;
use super::selection::Selection;
use super::step::{Action, Start, Step};
use crate::agent::ConversationId;
use crate::persist::save::closings::Closings;
use crate::snapshot::{Row, SnapshotId};
use std::collections::BTreeSet;

/// What becomes of a whole session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionOutcome {
    /// A session of that name is live, as this: each pane is looked at for itself.
    Live(Vec<u8>),
    /// All its conversations run elsewhere, one of them here: it was renamed (lesson 13).
    Elsewhere(String),
    /// It is absent; the reason, when it does not come back by itself.
    Absent {
        /// It was closed on purpose.
        closed: Option<String>,
        /// tmux cannot have it.
        impossible: bool,
    },
}

pub(crate) fn of_session(
    name: &[u8],
    rows: &[&Row],
    snapshot: SnapshotId,
    facts: &Facts,
    closings: &Closings,
) -> SessionOutcome {
    // Before 3.7 tmux itself turns these two into underscores.
    let as_tmux_calls_it: Vec<u8> =
        name.iter().map(|byte| if b":.".contains(byte) { b'_' } else { *byte }).collect();
    for called in [name, &as_tmux_calls_it] {
        if facts.sessions.contains(called) {
            return SessionOutcome::Live(called.to_vec());
        }
    }
    let conversations: Vec<&Vec<u8>> =
        rows.iter().filter_map(|row| row.conversation.as_ref()).collect();
    let place_of = |id: &&Vec<u8>| {
        let id = ConversationId::parse(id)?;
        facts.conversations.get(id.as_str().as_bytes())
    };
    let live: Vec<&String> = conversations.iter().filter_map(place_of).collect();
    if !live.is_empty() && live.len() == conversations.len() {
        return SessionOutcome::Elsewhere(live[0].clone());
    }
    let closed = closings.of_session(name, rows, snapshot);
    SessionOutcome::Absent { closed, impossible: name.contains(&0) }
}

impl SessionOutcome {
    /// Whether a pane of an absent session is selected; why not.
    pub(crate) fn selects(&self, row: &Row, chosen: Option<&Selection>) -> Result<(), String> {
        let Self::Absent { closed, impossible } = self else { return Err(String::new()) };
        if *impossible {
            return Err("tmux takes no NUL byte in a name".to_owned());
        }
        match (chosen, closed) {
            (Some(chosen), _) if chosen.has(row) => Ok(()),
            (Some(_), _) => Err("not chosen".to_owned()),
            (None, Some(why)) => Err(why.clone()),
            (None, None) => Ok(()),
        }
    }
}

/// Decides on a pane whose session's name is live. Only a conversation that runs nowhere is worth
/// more than a look: it goes back into its very pane if a shell waits there, else into a session
/// of a name of its own.
pub(crate) fn beside_live(
    step: &mut Step,
    closed: Option<&str>,
    facts: &Facts,
    names: &BTreeSet<&[u8]>,
    chosen: Option<&Selection>,
    taken: &mut BTreeSet<Vec<u8>>,
) {
    let id = step.row.conversation.as_deref().and_then(ConversationId::parse);
    let Some(id) = id else {
        "a session of that name is live".clone_into(&mut step.reason);
        return;
    };
    if let Some(place) = facts.conversations.get(id.as_str().as_bytes()) {
        place.as_bytes().clone_into(&mut step.target);
        step.reason = format!("its conversation {}", facts.is_in(place));
        return;
    }
    if let Start::ShellBecause(why) = pane_start::of(&step.row, facts, taken) {
        step.reason = why;
        return;
    }
    let explicit = chosen.is_some_and(|chosen| chosen.has(&step.row));
    match facts.panes.get(id.as_str().as_bytes()) {
        Some(pane) if pane.waits => {
            step.action = Action::InPlace { pane: pane.id, pid: pane.pid };
            pane.place.as_bytes().clone_into(&mut step.target);
        }
        Some(pane) if !explicit => {
            pane.place.as_bytes().clone_into(&mut step.target);
            step.reason = format!("its pane {} runs something else now", pane.place);
            return;
        }
        _ => {
            step.action = Action::Renamed;
            step.target = free_name(&step.row.session, facts, names);
            step.row.group = None;
        }
    }
    match (chosen, closed) {
        (Some(_), _) if explicit => step.selected = true,
        (Some(_), _) => "not chosen".clone_into(&mut step.reason),
        (None, Some(why)) => why.clone_into(&mut step.reason),
        (None, None) => step.selected = true,
    }
    pane_start::settle(step, None, facts, taken);
}

/// `name-HHMM`, and a number after it where that is taken, too.
fn free_name(name: &[u8], facts: &Facts, names: &BTreeSet<&[u8]>) -> Vec<u8> {
    let first = [name, b"-", facts.hhmm.as_bytes()].concat();
    let is_taken = |name: &[u8]| facts.sessions.contains(name) || names.contains(name);
    let numbered = (2..).map(|n: u32| [first.as_slice(), b"-", n.to_string().as_bytes()].concat());
    let mut candidates = std::iter::once(first.clone()).chain(numbered);
    candidates.find(|candidate| !is_taken(candidate)).unwrap_or(first)
}
