//! What a restore does with a session of a snapshot, and with each pane of one whose name is live
//! (pure).

use super::facts::{Facts, Occupant};
use super::pane_start;
use super::selection::Selection;
use super::step::{Action, Start, Step};
use crate::agent::ConversationId;
use crate::persist::save::closings::Closings;
use crate::snapshot::{Row, SnapshotId};
use crate::text::escape;
use std::collections::BTreeSet;

/// What a restore does with a whole session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionOutcome {
    /// A session of this name is live: what to do is decided pane by pane.
    Live(Vec<u8>),
    /// All its conversations run elsewhere, the first of them at this place: the session was renamed
    /// (lesson 13).
    Elsewhere(String),
    /// It is not live.
    Absent {
        /// Why it is not restored unless the user names it: it was closed on purpose.
        closed: Option<String>,
        /// The configuration excludes it.
        excluded: bool,
        /// Its name is impossible in tmux.
        impossible: bool,
        /// Its name belongs to other work: it comes back under another one.
        taken: bool,
    },
}

/// Why a pane is not restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotSelected {
    /// Its session is live.
    #[error("")]
    Live,
    #[error("tmux does not allow a NUL byte in a name")]
    Impossible,
    #[error("excluded by the configuration")]
    Excluded,
    #[error("not requested")]
    NotNamed,
    #[error("{0}")]
    Closed(String),
}

/// Decides on a session of `snapshot`, by the rows of its panes.
pub(crate) fn of_session(
    name: &[u8],
    rows: &[&Row],
    snapshot: SnapshotId,
    facts: &Facts,
    closings: &Closings,
) -> SessionOutcome {
    if let Some(made) = facts.made.get(name) {
        return SessionOutcome::Live(made.clone());
    }
    let taken = facts.taken.contains(name);
    // tmux before 3.7 replaces `:` and `.` by underscores.
    let in_tmux: Vec<u8> =
        name.iter().map(|byte| if b":.".contains(byte) { b'_' } else { *byte }).collect();
    for called in [name, &in_tmux] {
        if facts.sessions.contains(called) && !taken {
            return SessionOutcome::Live(called.to_vec());
        }
    }
    let conversations: Vec<&Vec<u8>> =
        rows.iter().filter_map(|row| row.conversation.as_ref()).collect();
    let place_of = |id: &&Vec<u8>| {
        let id = ConversationId::parse(id)?;
        facts.conversations.get(id.key().as_bytes())
    };
    let live: Vec<&String> = conversations.iter().filter_map(place_of).collect();
    if !live.is_empty() && live.len() == conversations.len() {
        return SessionOutcome::Elsewhere(live[0].clone());
    }
    let closed = closings.of_session(name, rows, snapshot);
    let excluded = facts.keep.excludes(name);
    SessionOutcome::Absent { closed, excluded, impossible: name.contains(&0), taken }
}

impl SessionOutcome {
    /// Whether a pane of an absent session is restored.
    pub(crate) fn selects(&self, row: &Row, chosen: Option<&Selection>) -> Result<(), NotSelected> {
        let Self::Absent { closed, excluded, impossible, .. } = self else {
            return Err(NotSelected::Live);
        };
        if *impossible {
            return Err(NotSelected::Impossible);
        }
        match (chosen, closed) {
            (Some(chosen), _) if chosen.has(row) => Ok(()),
            (Some(_), _) => Err(NotSelected::NotNamed),
            (None, _) if *excluded => Err(NotSelected::Excluded),
            (None, Some(why)) => Err(NotSelected::Closed(why.clone())),
            (None, None) => Ok(()),
        }
    }
}

/// Decides on a pane without a conversation in a live session: it is left alone, unless a restore could
/// not start it in its directory, which can be entered now.
fn into_its_directory(step: &mut Step, facts: &Facts, chosen: Option<&Selection>) {
    "a session of that name is live".clone_into(&mut step.reason);
    let place = (step.target.clone(), step.row.window, step.row.pane);
    let Some((pane, directory)) = facts.homeless.get(&place) else { return };
    if *directory != step.row.cwd || pane.runs != Occupant::Shell {
        return;
    }
    if step.has_directory && chosen.is_none_or(|chosen| chosen.has(&step.row)) {
        step.action = Action::InPlace { pane: pane.id, pid: pane.pid };
        pane.place.as_bytes().clone_into(&mut step.target);
        step.selected = true;
        step.reason = format!("{} can be entered now", escape(directory));
    } else if step.directory_hangs {
        step.reason = format!("{} does not answer yet", escape(directory));
    }
}

/// Decides on a pane of a session whose name is live. Only a pane with a conversation that runs nowhere
/// is restored: in the same pane if a shell waits there, else in a session of another name. Not if the
/// pane runs another conversation now, which took its place.
pub(crate) fn beside_live(
    step: &mut Step,
    closed: Option<&str>,
    facts: &Facts,
    new_name: &mut impl FnMut(&[u8]) -> Vec<u8>,
    chosen: Option<&Selection>,
    taken: &mut BTreeSet<Vec<u8>>,
) {
    let id = step.row.conversation.as_deref().and_then(ConversationId::parse);
    let Some(id) = id else {
        into_its_directory(step, facts, chosen);
        let place = (step.target.clone(), step.row.window, step.row.pane);
        if !step.selected && step.row.agent.is_some() && !facts.agents.contains(&place) {
            // What it was is worth more than that its session is live.
            if let Start::ShellBecause(why) = pane_start::choose(&step.row, facts, taken) {
                step.reason = why;
            }
        }
        return;
    };
    if let Some(place) = facts.conversations.get(id.key().as_bytes()) {
        place.as_bytes().clone_into(&mut step.target);
        step.reason = format!("its conversation {}", facts.is_in(place));
        return;
    }
    let start = pane_start::choose(&step.row, facts, taken);
    if let Start::ShellBecause(why) = &start {
        step.reason.clone_from(why);
        step.deferred = pane_start::deferred(&step.row, &start, facts);
        return;
    }
    let explicit = chosen.is_some_and(|chosen| chosen.has(&step.row));
    match facts.panes.get(id.key().as_bytes()) {
        Some(pane) if pane.runs == Occupant::Shell => {
            step.action = Action::InPlace { pane: pane.id, pid: pane.pid };
            pane.place.as_bytes().clone_into(&mut step.target);
        }
        Some(pane) if pane.runs == Occupant::Agent && !explicit => {
            pane.place.as_bytes().clone_into(&mut step.target);
            step.reason = format!("its pane {} runs another conversation now", pane.place);
            return;
        }
        pane => {
            step.action = Action::Renamed;
            step.target = new_name(&step.row.session);
            step.row.group = None;
            if let Some(pane) = pane {
                step.reason = format!("its pane {} runs something else now", pane.place);
            }
        }
    }
    match (chosen, closed) {
        (Some(_), _) if explicit => step.selected = true,
        (Some(_), _) => step.reason = NotSelected::NotNamed.to_string(),
        (None, _) if facts.keep.excludes(&step.row.session) => {
            step.reason = NotSelected::Excluded.to_string();
        }
        (None, Some(why)) => why.clone_into(&mut step.reason),
        (None, None) => step.selected = true,
    }
    pane_start::decide(step, None, facts, taken);
}
