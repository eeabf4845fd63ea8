//! Sessions that are not saved (pure): by a pattern of the configuration, or by their user's mark
//! `@persist off`.

use super::closings::Closings;
use crate::persist::capture::session_origin::{LiveSessions, Standing};
use crate::persist::capture::{Capture, shared_windows};
use crate::persist::capture_policy::CapturePolicy;
use crate::snapshot::{Row, Snapshot, Stored, Tombstone, Tombstones};
use crate::sys::clock::Epoch;
use std::collections::{BTreeMap, BTreeSet};

/// The reason that is recorded where no snapshot shows that sessions are excluded.
const REASON: &str = "excluded from saves";

/// What was excluded from the live sessions.
#[derive(Debug, Default)]
pub(crate) struct Excluded {
    /// Names of live sessions.
    pub(crate) sessions: BTreeSet<Vec<u8>>,
    /// Conversations that run in them.
    pub(crate) conversations: BTreeSet<Vec<u8>>,
    /// Names that the newest snapshot has them under.
    saved_as: BTreeSet<Vec<u8>>,
    /// Names that the newest snapshot has for those that were renamed since.
    renamed: BTreeSet<Vec<u8>>,
    /// The ids that the newest snapshot has for panes which no other session shows.
    panes: BTreeSet<u32>,
}

impl Excluded {
    fn has_pane(&self, row: &Row) -> bool {
        row.pane_id.is_some_and(|id| self.panes.contains(&id))
    }

    /// Whether a pane of the newest snapshot is now in an excluded session.
    fn has(&self, row: &Row) -> bool {
        let is_shell = || row.conversation.is_none() && self.renamed.contains(&row.session);
        self.saved_as.contains(&row.session) || self.has_pane(row) || is_shell()
    }
}

/// The live sessions that are excluded.
pub(crate) fn sessions(captured: &Capture, policy: &CapturePolicy) -> BTreeSet<Vec<u8>> {
    let names = captured.snapshot.rows.iter().map(|row| &row.session);
    let excluded =
        names.filter(|name| captured.marked_off.contains(*name) || policy.excludes(name)).cloned();
    excluded.collect()
}

/// Drops the excluded sessions from what was captured. A window that another session shows, too, is
/// held by that one then. `newest` is the newest snapshot.
pub(crate) fn drop_excluded(
    captured: &mut Capture,
    policy: &CapturePolicy,
    newest: Option<&Snapshot>,
) -> Excluded {
    let sessions = sessions(captured, policy);
    if sessions.is_empty() {
        return Excluded::default();
    }
    let mut excluded = Excluded { sessions, ..Excluded::default() };
    if let Some(newest) = newest {
        find_saved(&mut excluded, captured, newest);
    }
    let sessions = &excluded.sessions;
    let is_excluded = |row: &Row| sessions.contains(&row.session);
    let all = captured.snapshot.clone();
    let holders = shared_windows::Holders::of(&all);
    let mut handed_on = BTreeSet::new();
    let mut kept = Vec::new();
    for row in all.rows.iter().filter(|row| !is_excluded(row)) {
        let holder = holders.holder(row).filter(|holder| is_excluded(holder));
        kept.push(match holder.filter(|holder| handed_on.insert(holder.place())) {
            Some(holder) => {
                let linked = row.linked.clone().filter(|(session, _)| !sessions.contains(session));
                Row { linked, ..shared_windows::with_content_of(row, holder) }
            }
            None => row.clone(),
        });
    }
    captured.snapshot.rows = kept;
    let kept = captured.snapshot.rows.iter().filter_map(|row| row.conversation.as_ref());
    let kept: BTreeSet<&Vec<u8>> = kept.collect();
    let dropped = all.rows.iter().filter_map(|row| row.conversation.as_ref());
    excluded.conversations = dropped.filter(|id| !kept.contains(id)).cloned().collect();
    excluded
}

/// Finds what the newest snapshot has of live sessions, `sessions`, which are excluded.
fn find_saved(excluded: &mut Excluded, captured: &Capture, newest: &Snapshot) {
    let live = LiveSessions::of(captured);
    let mut by_name: BTreeMap<&Vec<u8>, Vec<&Row>> = BTreeMap::new();
    for row in &newest.rows {
        by_name.entry(&row.session).or_default().push(row);
    }
    let is_same_server = !newest.server.is_empty() && newest.server == captured.snapshot.server;
    if is_same_server {
        let (dropped, kept): (Vec<&Row>, Vec<&Row>) =
            captured.snapshot.rows.iter().partition(|row| excluded.sessions.contains(&row.session));
        excluded.panes = dropped.iter().filter_map(|row| row.pane_id).collect();
        for id in kept.iter().filter_map(|row| row.pane_id) {
            excluded.panes.remove(&id);
        }
    }
    for (name, rows) in by_name {
        match live.standing(&rows, &newest.server) {
            Standing::Live(now) if excluded.sessions.contains(&now) => {
                excluded.saved_as.insert(name.clone());
            }
            // It has another name now, if one of its panes is there.
            Standing::Absent if rows.iter().any(|row| excluded.has_pane(row)) => {
                excluded.renamed.insert(name.clone());
            }
            Standing::Absent | Standing::Live(_) | Standing::Taken => {}
        }
    }
}

/// The tombstones with one for each session of the newest snapshot that is excluded, for a save that has
/// nothing to write: a restore must not bring them back. `None` if there are no more than before.
pub(crate) fn closed(
    excluded: &Excluded,
    newest: &Stored,
    closings: &Closings,
    now: Epoch,
) -> Option<Tombstones> {
    let mut tombstones = closings.tombstones.clone();
    let rows = newest.snapshot.rows.iter().filter(|row| excluded.has(row));
    let open = rows.filter(|row| tombstones.closed_since(&row.session, newest.id).is_none());
    let open: BTreeSet<Vec<u8>> = open.map(|row| row.session.clone()).collect();
    tombstones.0.retain(|old| !open.contains(&old.session));
    let closed = now.max(newest.id.seconds());
    let entry =
        |session: &Vec<u8>| Tombstone { session: session.clone(), closed, reason: REASON.into() };
    tombstones.0.extend(open.iter().map(entry));
    (!open.is_empty()).then_some(tombstones)
}

/// A snapshot without the sessions that are excluded now.
pub(crate) fn without(
    snapshot: &Snapshot,
    excluded: &Excluded,
    policy: &CapturePolicy,
) -> Snapshot {
    let is_kept = |row: &&Row| !excluded.has(row) && !policy.excludes(&row.session);
    Snapshot { rows: snapshot.rows.iter().filter(is_kept).cloned().collect(), ..snapshot.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_an_excluded_session_held_stays_with_the_other_that_shows_it() {
        let row = |session: &str, linked: Option<&str>, conversation: Option<&str>| Row {
            session: session.into(),
            linked: linked.map(|name| (name.into(), 0)),
            conversation: conversation.map(Into::into),
            agent: conversation.map(|_| b"claude".to_vec()),
            ..Row::default()
        };
        let rows = vec![row("ci-1", None, Some("x")), row("web", Some("ci-1"), None)];
        let mut captured =
            Capture { snapshot: Snapshot { rows, ..Snapshot::default() }, ..Capture::default() };
        let policy = CapturePolicy { exclude: vec!["ci-*".into()], ..CapturePolicy::default() };
        let excluded = drop_excluded(&mut captured, &policy, None);
        assert_eq!(captured.snapshot.rows, [row("web", None, Some("x"))]);
        assert_eq!(excluded.sessions, BTreeSet::from([b"ci-1".to_vec()]));
        assert!(excluded.conversations.is_empty());
    }
}
