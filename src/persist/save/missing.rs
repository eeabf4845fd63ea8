//! What the newest snapshot has and cannot be there: after a restore at boot that failed, and after a tmux
//! server that ended without its sessions having been closed.

use super::closings::Closings;
use super::read_closings;
use crate::persist::capture::boot_id;
use crate::persist::context::Context;
use crate::persist::restore_pending;
use crate::snapshot::{Snapshot, State, Store, Stored};
use std::collections::BTreeSet;

/// The newest snapshot, with what is missing.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// With what cannot be there as lost.
    pub(crate) snapshot: Snapshot,
    /// Number of sessions that were to be restored when the host came up, and were not.
    pub(crate) not_restored: u64,
    /// Number of sessions that were not closed although their tmux server has ended since the host came up, as
    /// a server does that is killed. They count for as long as they are lost (`lost_window_hours`).
    pub(crate) ended: u64,
}

/// Whether the user's sessions are still to be restored since the host came up.
pub(crate) fn is_to_be_restored(context: &Context) -> bool {
    restore_pending::is_pending(&context.account)
}

/// Finds out what is missing of the newest snapshot. The server is not asked.
pub(crate) fn find(
    context: &Context,
    store: &Store,
    newest: Stored,
    is_running: bool,
    notes: &mut Vec<String>,
) -> Missing {
    let is_pending = is_to_be_restored(context);
    let of_this_boot = newest.snapshot.boot == boot_id();
    // A save of the server that runs has all that is missing as lost.
    if is_pending && is_running && of_this_boot && is_of_server(context, &newest.snapshot) {
        let not_restored = lost_sessions(&newest.snapshot);
        return Missing { snapshot: newest.snapshot, not_restored, ended: 0 };
    }
    let seen = store.activity(&mut Vec::new()).confirmed.max(newest.id.seconds());
    let is_kept = context.now.saturating_sub(seen) <= context.lost_window.as_secs();
    if !is_pending && (is_running || !of_this_boot || !is_kept) {
        return Missing { snapshot: newest.snapshot, ..Missing::default() };
    }
    let snapshot = without_closed(newest, &read_closings::read(store, notes));
    let sessions = lost_sessions(&snapshot);
    let (not_restored, ended) = if is_pending { (sessions, 0) } else { (0, sessions) };
    Missing { snapshot, not_restored, ended }
}

/// Whether a snapshot was taken of the server that runs now.
fn is_of_server(context: &Context, snapshot: &Snapshot) -> bool {
    let pid = context.server.socket.server_pid().map(|pid| pid.to_string());
    pid.is_some_and(|pid| snapshot.server.split('-').next() == Some(pid.as_str()))
}

/// What was not closed since the snapshot, as it was then.
pub(crate) fn not_closed(store: &Store, stored: Stored, notes: &mut Vec<String>) -> Snapshot {
    let closings = read_closings::read(store, notes);
    let Stored { id, mut snapshot } = stored;
    snapshot.rows.retain(|row| closings.of_row_or_session(row, id).is_none());
    snapshot
}

/// What was not closed since the snapshot, as lost.
fn without_closed(stored: Stored, closings: &Closings) -> Snapshot {
    let Stored { id, mut snapshot } = stored;
    snapshot.rows.retain(|row| closings.of_row_or_session(row, id).is_none());
    for row in &mut snapshot.rows {
        row.state = State::Lost;
    }
    snapshot
}

/// Number of sessions of which nothing is there.
fn lost_sessions(snapshot: &Snapshot) -> u64 {
    let (lost, present): (Vec<_>, Vec<_>) =
        snapshot.rows.iter().partition(|row| row.state == State::Lost);
    let present: BTreeSet<_> = present.iter().map(|row| &row.session).collect();
    let lost: BTreeSet<_> = lost.iter().map(|row| &row.session).collect();
    lost.difference(&present).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Row;

    #[test]
    fn a_session_is_missing_if_all_of_it_is_lost() {
        let row = |session: &str, state| Row { session: session.into(), state, ..Row::default() };
        let rows = vec![
            row("a", State::Lost),
            row("a", State::Shell),
            row("b", State::Lost),
            row("b", State::Lost),
        ];
        assert_eq!(lost_sessions(&Snapshot { rows, ..Snapshot::default() }), 1);
    }
}
