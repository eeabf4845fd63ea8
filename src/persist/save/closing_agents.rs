//! Agents that are about to exit (pure). The close of a conversation is recorded while its agent is
//! still exiting. A save in between sees both; if it took the conversation for one that was opened
//! again, the next save would carry it forward as lost.

use super::closings::Closings;
use crate::agent::conversation::key_of;
use crate::snapshot::{Snapshot, SnapshotId, State};
use crate::sys::clock::Epoch;

/// Turns panes whose agents are exiting into shells: their conversation was closed since `newest`,
/// and its process did not start after that. `started` returns the start of a conversation's
/// process.
pub(crate) fn drop_closing(
    live: &mut Snapshot,
    newest: SnapshotId,
    closings: &Closings,
    started: impl Fn(&[u8]) -> Option<Epoch>,
) {
    for row in &mut live.rows {
        let Some(id) = row.conversation.clone() else { continue };
        let Some(ending) = closings.endings.closed_since(&id, newest) else { continue };
        if started(&key_of(&id)).is_some_and(|started| started <= ending.ended) {
            row.state = State::Shell;
            row.conversation = None;
            row.agent = None;
            row.command = None;
            row.evidence = None;
            row.prompted = None;
            row.agent_environment = None;
            row.parent = None;
            row.agent_version = None;
            row.agent_program = None;
            row.pane_flags.shell = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{EndKind, Ending, Row};

    #[test]
    fn an_agent_that_ends_is_told_from_one_that_was_opened_again() {
        let mut closings = Closings::default();
        closings.endings.add(Ending {
            session: vec![],
            ended: 200,
            conversation: b"c".to_vec(),
            agent: b"claude".to_vec(),
            how: EndKind::Closed,
            reason: vec![],
        });
        let newest = |seconds| SnapshotId::next(seconds, None, None);
        let state = |newest, started| {
            let row = Row {
                state: State::Live,
                conversation: Some(b"c".to_vec()),
                agent: Some(b"claude".to_vec()),
                ..Row::default()
            };
            let mut live = Snapshot { rows: vec![row], ..Snapshot::default() };
            drop_closing(&mut live, newest, &closings, |_| started);
            (live.rows[0].state, live.rows[0].conversation.is_some())
        };
        let (leaves, stays) = ((State::Shell, false), (State::Live, true));
        assert_eq!(state(newest(100), Some(150)), leaves);
        assert_eq!(state(newest(100), Some(200)), leaves);
        assert_eq!(state(newest(100), Some(201)), stays);
        assert_eq!(state(newest(100), None), stays);
        assert_eq!(state(newest(201), Some(150)), stays, "a close of long ago");
    }
}
