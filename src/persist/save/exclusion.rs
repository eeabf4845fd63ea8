//! Sessions that are not saved (pure): by a pattern of the configuration, or by their user's mark
//! `@persist off`.

use crate::persist::capture::{Capture, shared_windows};
use crate::persist::capture_policy::CapturePolicy;
use crate::snapshot::{Row, Snapshot};
use std::collections::BTreeSet;

/// What was excluded from the live sessions.
#[derive(Debug, Default)]
pub(crate) struct Excluded {
    /// Names of live sessions.
    pub(crate) sessions: BTreeSet<Vec<u8>>,
    /// Conversations that run in them.
    pub(crate) conversations: BTreeSet<Vec<u8>>,
}

/// The live sessions that are excluded.
pub(crate) fn sessions(captured: &Capture, policy: &CapturePolicy) -> BTreeSet<Vec<u8>> {
    let names = captured.snapshot.rows.iter().map(|row| &row.session);
    let excluded =
        names.filter(|name| captured.marked_off.contains(*name) || policy.excludes(name)).cloned();
    excluded.collect()
}

/// Drops the excluded sessions from what was captured. A window that another session shows, too, is
/// held by that one then.
pub(crate) fn drop_excluded(captured: &mut Capture, policy: &CapturePolicy) -> Excluded {
    let sessions = sessions(captured, policy);
    if sessions.is_empty() {
        return Excluded::default();
    }
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
    let conversations = dropped.filter(|id| !kept.contains(id)).cloned().collect();
    Excluded { sessions, conversations }
}

/// A snapshot without the sessions that are excluded now.
pub(crate) fn without(
    snapshot: &Snapshot,
    excluded: &Excluded,
    policy: &CapturePolicy,
) -> Snapshot {
    let is_kept =
        |row: &&Row| !excluded.sessions.contains(&row.session) && !policy.excludes(&row.session);
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
        let excluded = drop_excluded(&mut captured, &policy);
        assert_eq!(captured.snapshot.rows, [row("web", None, Some("x"))]);
        assert_eq!(excluded.sessions, BTreeSet::from([b"ci-1".to_vec()]));
        assert!(excluded.conversations.is_empty());
    }
}
