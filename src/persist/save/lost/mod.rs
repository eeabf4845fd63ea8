//! Lost or closed: what the newest snapshot has and is no longer there is carried forward as lost,
//! unless there is positive evidence that it was closed on purpose (pure).
//!
//! The incident behind it: memory pressure killed 11 agents in two minutes while tmux lived; saves
//! wrote 18, then 13, then 8 sessions, and the restore at boot read only the newest (lesson 2).

mod disposition;
pub(crate) mod not_restored;
mod placement;
mod standing;

use super::closings::Closings;
use crate::persist::capture::shared_windows::{self, Holders};
use crate::snapshot::{Row, Snapshot, State, Stored, Unrestored};
use crate::sys::clock::Epoch;
use disposition::{Disposition, Present};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Times, in seconds since the epoch.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub now: Epoch,
    /// When the newest snapshot was last up to date.
    pub seen: Epoch,
    /// For how long a lost pane is carried forward; [`Duration::MAX`] for as long as the user's sessions are
    /// still to be restored.
    pub window: Duration,
}

/// Panes of the newest snapshot whose state changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CarryResult {
    /// Lost since the newest snapshot.
    pub newly_lost: Vec<Row>,
    /// Lost for longer than the window: no longer carried, only in older snapshots.
    pub expired: Vec<Row>,
    /// Lost sessions whose names other work took since, with the names that they are kept under.
    pub renamed: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Evidence about conversations besides the rows.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Conversations that run outside the panes.
    pub elsewhere: BTreeSet<Vec<u8>>,
    /// The panes in which a restore resumed conversations: conversation to pane id. Another
    /// program may run there now.
    pub restored: BTreeMap<Vec<u8>, u32>,
    /// By session that a restore made, what it was made of.
    pub origins: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The local time as `HHMM`, for the name of a session whose own name is taken.
    pub hhmm: String,
    /// Conversations whose agents were being suspended, which was interrupted: they wait in their panes
    /// again as soon as these are restored.
    pub suspending: BTreeSet<Vec<u8>>,
    /// What a restore could not bring back: it is carried for as long as it is not back.
    pub unrestored: Unrestored,
}

/// Adds to `live` what `newest` has and is gone: agents that disappeared from their panes, panes, and
/// whole sessions.
///
/// Not carried, because closed: a session with a tombstone, and a conversation whose close was
/// recorded, both not before `newest`. Not carried, because superseded: a conversation whose pane
/// runs another one now (after `/clear`, or if the user started a new one). If a pane was shown by
/// several sessions and the one that held it is closed, another one holds it from then on.
pub fn carry_forward(
    live: &mut Snapshot,
    newest: &Stored,
    closings: &Closings,
    evidence: &Evidence,
    times: Times,
) -> CarryResult {
    let mut carried = CarryResult::default();
    let newest = &Stored {
        id: newest.id,
        snapshot: standing::put_aside(live, newest, closings, evidence, &mut carried.renamed),
    };
    let present = Present::of(live, &newest.snapshot, evidence);
    let mut left_behind = BTreeMap::new();
    let mut missing = Vec::new();
    let holders = Holders::of(&newest.snapshot);
    let mut handed_on = BTreeSet::new();
    for row in &newest.snapshot.rows {
        let heir = holders.holder(row).filter(|holder| {
            let is_closed =
                |session| closings.tombstones.closed_since(session, newest.id).is_some();
            is_closed(&holder.session)
                && closings.of_row(holder, newest.id).is_none()
                && !is_closed(&row.session)
                && handed_on.insert(holder.place())
        });
        let row = &heir
            .map_or_else(|| row.clone(), |holder| shared_windows::with_content_of(row, holder));
        if closings.tombstones.closed_since(&row.session, newest.id).is_some()
            || closings.of_row(row, newest.id).is_some()
        {
            continue;
        }
        let disposition = present.disposition(row);
        if matches!(disposition, Disposition::There) {
            continue;
        }
        let is_suspending =
            row.conversation_key().is_some_and(|id| evidence.suspending.contains(&id));
        if let Disposition::LeftBehind(at) = disposition
            && is_suspending
        {
            let suspended = Row { state: State::Suspended, ..row.clone() };
            left_behind.entry(at).or_insert_with(Vec::new).push(suspended);
            continue;
        }
        // If the clock is behind, as a clock without a battery is until it is set, the window must
        // not be over as soon as the clock is right.
        let lost_since = row.lost_since.unwrap_or(times.now.max(times.seen));
        let is_over = times.now.saturating_sub(lost_since) > times.window.as_secs();
        if is_over && !evidence.unrestored.has(row) {
            carried.expired.push(row.clone());
            continue;
        }
        let lost = Row {
            state: State::Lost,
            last_seen: row.last_seen.or(Some(times.seen.min(times.now))),
            lost_since: Some(lost_since),
            ..row.clone()
        };
        if row.lost_since.is_none() {
            carried.newly_lost.push(lost.clone());
        }
        match disposition {
            Disposition::LeftBehind(at) => {
                left_behind.entry(at).or_insert_with(Vec::new).push(lost);
            }
            Disposition::Gone { session_is_live } => missing.push((lost, session_is_live)),
            Disposition::There => {}
        }
    }
    for (at, mut all) in left_behind {
        // The mark of a restore may name a conversation that moved to another pane. A pane has room
        // for one: the one that was seen in it.
        let id = live.rows[at].pane_id;
        let own = all.iter().position(|lost| lost.pane_id == id).unwrap_or_default();
        let own = all.swap_remove(own);
        for other in all {
            let session_is_live = live.rows.iter().any(|row| row.session == other.session);
            missing.push((other, session_is_live));
        }
        placement::leave_in_place(&mut live.rows[at], own);
    }
    placement::add(live, missing);
    carried
}

#[cfg(test)]
mod tests;
