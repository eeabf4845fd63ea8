//! Suspended agents that run again since the last save, whoever resumed them: Enter or a click in the pane, or a command.

use crate::events::{Event, Kind};
use crate::persist::context::Context;
use crate::snapshot::{Row, Snapshot, State};
use crate::sys::clock;

/// Records an event for each agent that waited in its pane when `before` was saved, and runs there now.
pub(super) fn announce(
    context: &Context,
    before: &Snapshot,
    now: &Snapshot,
    notes: &mut Vec<String>,
) {
    for row in woken(before, now) {
        let event = Event {
            time: clock::now(),
            kind: Kind::Woken,
            session: Some(row.session.clone()),
            pane: row.pane_id,
            agent: row.agent.clone(),
            conversation: row.conversation.clone(),
            ..Event::default()
        };
        context.announce(&event, notes);
    }
}

/// The rows of agents that run in the panes in which they waited.
fn woken<'a>(before: &'a Snapshot, now: &'a Snapshot) -> impl Iterator<Item = &'a Row> {
    let waited = |row: &Row| {
        before.rows.iter().any(|old| {
            old.state == State::Suspended
                && old.pane_id == row.pane_id
                && old.conversation_key() == row.conversation_key()
        })
    };
    let rows = now.rows.iter().filter(|row| {
        row.state == State::Live && row.pane_id.is_some() && row.conversation.is_some()
    });
    let is_same = before.server == now.server;
    rows.filter(move |row| is_same && row.linked.is_none() && waited(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(server: &str, rows: &[(u32, &str, State)]) -> Snapshot {
        let row = |(pane, id, state): &(u32, &str, State)| Row {
            pane_id: Some(*pane),
            conversation: Some((*id).into()),
            state: *state,
            ..Row::default()
        };
        Snapshot {
            server: server.into(),
            rows: rows.iter().map(row).collect(),
            ..Snapshot::default()
        }
    }

    #[test]
    fn an_agent_is_woken_that_waited_in_its_pane_and_runs_there() {
        use State::{Live, Lost, Suspended};
        let before = snapshot(
            "1-2",
            &[(1, "A", Suspended), (2, "b", Live), (3, "c", Suspended), (4, "d", Lost)],
        );
        let now = [(1, "a", Live), (2, "b", Live), (3, "x", Live), (4, "d", Live), (5, "a", Live)];
        let panes = |server: &str| -> Vec<Option<u32>> {
            woken(&before, &snapshot(server, &now)).map(|row| row.pane_id).collect()
        };
        assert_eq!(panes("1-2"), [Some(1)]);
        assert_eq!(panes("3-4"), [], "panes of another server have other numbers");
    }
}
