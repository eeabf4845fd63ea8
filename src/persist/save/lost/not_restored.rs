//! What a restore has not brought back since the host came up, while the user works again (pure): it stays in
//! the newest snapshot beside the live sessions, however alike the names are.

use crate::snapshot::{Row, Snapshot, State, Stored};
use std::collections::{BTreeMap, BTreeSet};

/// The newest snapshot for a user who has not been restored yet: a session whose name is taken by other
/// work is called `NAME-HHMM`, so that all of it is carried forward, shells included. `hhmm` is the local
/// time of the snapshot.
///
/// A session that is live with all that the snapshot has of it keeps its name: it was restored, or the
/// user's configuration makes it at each start of the server.
pub(crate) fn set_aside(newest: &Stored, live: &Snapshot, hhmm: &str) -> Stored {
    let (saved, present) = (by_session(&newest.snapshot.rows), by_session(&live.rows));
    let same_server = !live.server.is_empty() && live.server == newest.snapshot.server;
    let mut taken: BTreeSet<Vec<u8>> =
        saved.keys().chain(present.keys()).map(|name| name.to_vec()).collect();
    let mut renamed: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for (name, rows) in &saved {
        // With the same server, what is not lost is this server's own work.
        let is_earlier = !same_server || rows.iter().all(|row| row.state == State::Lost);
        let Some(others) = present.get(name).filter(|_| is_earlier) else { continue };
        if has_all(others, rows) {
            continue;
        }
        let free = free_name(name, hhmm, &taken);
        taken.insert(free.clone());
        renamed.insert(name.to_vec(), free);
    }
    let mut aside = newest.clone();
    for row in &mut aside.snapshot.rows {
        if let Some(name) = renamed.get(&row.session) {
            row.session.clone_from(name);
            row.group = None;
        }
    }
    aside
}

fn by_session(rows: &[Row]) -> BTreeMap<&[u8], Vec<&Row>> {
    let mut sessions: BTreeMap<&[u8], Vec<&Row>> = BTreeMap::new();
    for row in rows {
        sessions.entry(&row.session).or_default().push(row);
    }
    sessions
}

/// Whether a live session has the conversations of a saved one, and a pane for each of its shells in the same
/// directory.
fn has_all(live: &[&Row], saved: &[&Row]) -> bool {
    let mut free: Vec<&Row> = live.to_vec();
    saved.iter().all(|row| {
        let is_same = |other: &&Row| match &row.conversation {
            Some(id) => {
                other.conversation.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(id))
            }
            None => other.cwd == row.cwd,
        };
        let found = free.iter().position(is_same);
        found.map(|at| free.swap_remove(at)).is_some()
    })
}

fn free_name(name: &[u8], hhmm: &str, taken: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let first = [name, b"-", hhmm.as_bytes()].concat();
    let numbered = (2..).map(|n: u32| [first.as_slice(), b"-", n.to_string().as_bytes()].concat());
    let mut candidates = std::iter::once(first.clone()).chain(numbered);
    candidates.find(|candidate| !taken.contains(candidate)).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::SnapshotId;

    fn row(session: &str, cwd: &str, conversation: Option<&str>, state: State) -> Row {
        Row {
            session: session.into(),
            cwd: cwd.into(),
            conversation: conversation.map(Into::into),
            state,
            ..Row::default()
        }
    }

    fn snapshot(server: &str, rows: Vec<Row>) -> Snapshot {
        Snapshot { server: server.into(), rows, ..Snapshot::default() }
    }

    fn names(saved: Snapshot, live: &Snapshot) -> Vec<String> {
        let stored = Stored { id: SnapshotId::next(100, None, None), snapshot: saved };
        let aside = set_aside(&stored, live, "0130").snapshot;
        aside.rows.into_iter().map(|row| String::from_utf8(row.session).unwrap()).collect()
    }

    #[test]
    fn a_session_whose_name_is_taken_by_other_work_is_set_aside_whole() {
        let saved = || {
            let shell = |session, cwd| row(session, cwd, None, State::Shell);
            vec![shell("web", "/a"), shell("web", "/b"), shell("free", "/a")]
        };
        let live = snapshot("2-2", vec![row("web", "/a", None, State::Shell)]);
        assert_eq!(names(snapshot("1-1", saved()), &live), ["web-0130", "web-0130", "free"]);
        let taken = snapshot(
            "2-2",
            [live.rows.clone(), vec![row("web-0130", "/", None, State::Shell)]].concat(),
        );
        assert_eq!(names(snapshot("1-1", saved()), &taken)[0], "web-0130-2");
    }

    #[test]
    fn a_session_that_is_back_or_is_made_by_the_configuration_keeps_its_name() {
        let saved =
            vec![row("main", "/a", None, State::Shell), row("main", "/b", Some("1D"), State::Live)];
        let back = vec![
            row("main", "/b", Some("1d"), State::Live),
            row("main", "/a", None, State::Shell),
            row("main", "/c", None, State::Shell),
        ];
        assert_eq!(names(snapshot("1-1", saved), &snapshot("2-2", back)), ["main", "main"]);
    }

    #[test]
    fn with_the_same_server_only_what_is_lost_is_earlier_work() {
        let live = snapshot("2-2", vec![row("web", "/new", None, State::Shell)]);
        let own = snapshot("2-2", vec![row("web", "/old", None, State::Shell)]);
        assert_eq!(names(own, &live), ["web"], "its shell went to another directory");
        let lost = snapshot("2-2", vec![row("web", "/old", None, State::Lost)]);
        assert_eq!(names(lost, &live), ["web-0130"]);
    }
}
