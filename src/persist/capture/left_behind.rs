//! What killed agents left behind, as evidence of what ran after the last save (pure): a live record
//! that is newer than the newest snapshot, of a process that is gone. An agent that ends by itself, or
//! on a signal that it can handle, removes its record.

use crate::agent::{LeftRecord, Rank};
use crate::snapshot::{Row, Snapshot, State, WindowFlags};
use crate::sys::clock::Epoch;
use crate::text::escape;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStringExt;

/// Enters what is known by `left` into a snapshot that was last up to date at `seen`. Only what is
/// unambiguous: a pane of the snapshot by session and pane id, or an agent that no save can have seen.
/// Returns a note for each. Sessions of `marked_off` are not saved.
pub fn enter(
    snapshot: &mut Snapshot,
    seen: Epoch,
    left: &[LeftRecord],
    marked_off: &[Vec<u8>],
) -> Vec<String> {
    let mut known: BTreeSet<Vec<u8>> =
        snapshot.rows.iter().filter_map(Row::conversation_key).collect();
    let server_start = snapshot.server.split_once('-').and_then(|(_, start)| start.parse().ok());
    let server_start: Epoch = server_start.unwrap_or(Epoch::MAX);
    let mut panes = BTreeSet::new();
    // The latest of a pane counts: an agent may have been started again there.
    let counts = |one: &&LeftRecord| one.written >= seen && !marked_off.contains(&one.session);
    let mut left: Vec<&LeftRecord> = left.iter().filter(counts).collect();
    left.sort_by_key(|one| std::cmp::Reverse(one.written));
    let mut notes = Vec::new();
    for one in left {
        if one.started < server_start || !panes.insert(one.pane) {
            continue;
        }
        if !known.insert(one.conversation.key().into()) {
            continue;
        }
        if let Some(place) = enter_one(snapshot, seen, one) {
            let id = &one.conversation;
            notes.push(format!("{place}: conversation {id} began after the last save: known by the record that its agent left"));
        }
    }
    snapshot.rows.sort_by(|a, b| a.place().cmp(&b.place()));
    notes
}

fn enter_one(snapshot: &mut Snapshot, seen: Epoch, one: &LeftRecord) -> Option<String> {
    let session = one.session.as_slice();
    let is_it = |row: &Row| row.pane_id == Some(one.pane);
    let Some(at) = snapshot.rows.iter().position(|row| is_it(row) && row.session == session) else {
        let is_new = !snapshot.rows.iter().any(is_it) && one.started >= seen;
        return is_new.then(|| add(snapshot, one));
    };
    let row = &mut snapshot.rows[at];
    let same_agent = row.agent.as_deref() == Some(one.agent.as_bytes());
    let was_shell = row.agent.is_none() && row.state == State::Shell && row.linked.is_none();
    if row.state == State::Lost || !(same_agent || was_shell) {
        return None;
    }
    if was_shell {
        row.command = None;
        row.agent_environment = None;
        row.pane_flags.shell = true;
    }
    fill(row, one);
    Some(row.label())
}

/// What the record says of a row's agent.
fn fill(row: &mut Row, one: &LeftRecord) {
    row.agent = Some(one.agent.into());
    row.state = State::Live;
    row.conversation = Some(one.conversation.as_str().into());
    row.cwd = one.cwd.clone().into_os_string().into_vec();
    row.evidence = Some(Rank::Record.word().into());
    row.prompted = Some(one.prompted);
    row.agent_version = one.version.as_deref().map(Into::into);
    row.parent = None;
    row.program = None;
}

/// A new window of the session for an agent that no save saw.
fn add(snapshot: &mut Snapshot, one: &LeftRecord) -> String {
    let of_session = snapshot.rows.iter().filter(|row| row.session == one.session);
    let last = of_session.map(|row| row.window).max();
    let mut row = Row {
        session: one.session.clone(),
        window: last.map_or(0, |last| last.saturating_add(1)),
        window_flags: WindowFlags {
            active: last.is_none(),
            automatic_rename: true,
            ..WindowFlags::default()
        },
        pane_id: Some(one.pane),
        ..Row::default()
    };
    row.pane_flags.active = true;
    row.pane_flags.shell = true;
    fill(&mut row, one);
    let label = format!("{}:{}.{}", escape(&row.session), row.window, row.pane);
    snapshot.rows.push(row);
    label
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::ConversationId;

    fn id(n: u8) -> ConversationId {
        ConversationId::parse(format!("0d0a8f5e-0000-4000-8000-{n:012}").as_bytes()).unwrap()
    }

    fn record(n: u8, session: &str, pane: u32, started: Epoch, written: Epoch) -> LeftRecord {
        LeftRecord {
            agent: "claude",
            conversation: id(n),
            cwd: "/work".into(),
            session: session.into(),
            pane,
            started,
            written,
            prompted: true,
            version: None,
        }
    }

    fn row(session: &str, pane: u32, conversation: Option<u8>) -> Row {
        Row {
            session: session.into(),
            window: pane,
            pane_id: Some(pane),
            conversation: conversation.map(|n| id(n).as_str().into()),
            agent: conversation.map(|_| b"claude".to_vec()),
            state: if conversation.is_some() { State::Live } else { State::Shell },
            ..Row::default()
        }
    }

    /// What the panes of the snapshot run afterwards, by session and number of the conversation.
    fn entered(left: &[LeftRecord]) -> Vec<(String, Option<u8>)> {
        let rows = vec![row("a", 1, Some(1)), row("a", 2, None), row("b", 3, Some(3))];
        let mut snapshot = Snapshot { server: "7-50".into(), rows, ..Snapshot::default() };
        enter(&mut snapshot, 100, left, &[b"off".to_vec()]);
        let number = |row: &Row| row.conversation.as_ref().map(|id| id[35] - b'0');
        let text = |row: &Row| String::from_utf8(row.session.clone()).unwrap();
        snapshot.rows.iter().map(|row| (text(row), number(row))).collect()
    }

    fn panes(all: &[(&str, Option<u8>)]) -> Vec<(String, Option<u8>)> {
        all.iter().map(|(session, n)| ((*session).to_owned(), *n)).collect()
    }

    #[test]
    fn a_pane_gets_the_conversation_that_began_after_the_save() {
        let unchanged = panes(&[("a", Some(1)), ("a", None), ("b", Some(3))]);
        assert_eq!(entered(&[record(5, "a", 1, 60, 99)]), unchanged, "older than the snapshot");
        assert_eq!(entered(&[record(5, "a", 1, 40, 200)]), unchanged, "of an earlier server");
        assert_eq!(entered(&[record(5, "x", 1, 60, 200)]), unchanged, "of another session");
        assert_eq!(entered(&[record(3, "a", 1, 60, 200)]), unchanged, "it is in another pane");
        let cleared = panes(&[("a", Some(5)), ("a", None), ("b", Some(3))]);
        assert_eq!(entered(&[record(5, "a", 1, 60, 200)]), cleared);
        let twice = [record(6, "a", 1, 60, 150), record(5, "a", 1, 60, 200)];
        assert_eq!(entered(&twice), cleared, "the latest");
        let started = panes(&[("a", Some(1)), ("a", Some(5)), ("b", Some(3))]);
        assert_eq!(entered(&[record(5, "a", 2, 110, 110)]), started);
    }

    #[test]
    fn a_pane_that_no_save_saw_is_added() {
        let window = panes(&[("a", Some(1)), ("a", None), ("a", Some(5)), ("b", Some(3))]);
        assert_eq!(entered(&[record(5, "a", 9, 110, 110)]), window);
        let session = panes(&[("a", Some(1)), ("a", None), ("b", Some(3)), ("c", Some(5))]);
        assert_eq!(entered(&[record(5, "c", 9, 110, 110)]), session);
        let unchanged = panes(&[("a", Some(1)), ("a", None), ("b", Some(3))]);
        assert_eq!(entered(&[record(5, "c", 9, 90, 110)]), unchanged, "a save would have seen it");
        assert_eq!(entered(&[record(5, "off", 9, 110, 110)]), unchanged, "it is not saved");
    }
}
