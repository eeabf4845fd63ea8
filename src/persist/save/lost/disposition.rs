//! Where each pane of the newest snapshot is now (pure).

use super::Evidence;
use crate::agent::ConversationId;
use crate::snapshot::{Row, Snapshot};
use std::collections::{BTreeSet, HashMap};

/// Where a pane of the newest snapshot is now.
pub(super) enum Disposition {
    /// It is there, or it held nothing that can be lost.
    There,
    /// Its agent is gone, and its pane, at this row, has no other agent.
    LeftBehind(usize),
    /// The pane is gone, perhaps with its whole session.
    Gone { session_is_live: bool },
}

/// The live sessions, indexed.
pub(super) struct Present<'a> {
    rows: &'a [Row],
    sessions: BTreeSet<&'a [u8]>,
    conversations: BTreeSet<Vec<u8>>,
    by_id: HashMap<u32, usize>,
    by_place: HashMap<(&'a [u8], u32, u32), usize>,
    /// Whether the pane ids of the newest snapshot are of the same server.
    same_server: bool,
    evidence: &'a Evidence,
}

impl<'a> Present<'a> {
    pub(super) fn of(live: &'a Snapshot, newest: &Snapshot, evidence: &'a Evidence) -> Self {
        let rows = &live.rows;
        let with_id = |(at, row): (usize, &Row)| Some((row.pane_id?, at));
        // Of a pane that several sessions show, one row has the agent: that one counts.
        let numbered = || rows.iter().enumerate();
        let with_agents = numbered().filter(|(_, row)| row.agent.is_some());
        let without_agents = numbered().filter(|(_, row)| row.agent.is_none());
        let conversations = rows.iter().filter_map(Row::conversation_key);
        Self {
            rows,
            sessions: rows.iter().map(|row| row.session.as_slice()).collect(),
            conversations: conversations.chain(evidence.elsewhere.iter().cloned()).collect(),
            by_id: without_agents.chain(with_agents).filter_map(with_id).collect(),
            by_place: rows.iter().enumerate().map(|(at, row)| (row.place(), at)).collect(),
            same_server: !live.server.is_empty() && live.server == newest.server,
            evidence,
        }
    }

    pub(super) fn disposition(&self, row: &Row) -> Disposition {
        let session_is_live = self.sessions.contains(row.session.as_slice());
        let id = row.conversation.as_deref().and_then(ConversationId::parse);
        let Some(id) = id.as_ref().map(|id| id.key().as_bytes()) else {
            // A pane without a conversation is lost only with its whole session. If the session was
            // renamed, its panes are there under another name.
            let gone = !session_is_live && self.same_pane(row).is_none();
            return if gone { Disposition::Gone { session_is_live } } else { Disposition::There };
        };
        if self.conversations.contains(id) {
            return Disposition::There;
        }
        let restored = || self.by_id.get(self.evidence.restored.get(id)?).copied();
        // One that was never prompted may have started anew under another id, beside its pane.
        let runs_anew = |at: usize| self.rows[at].agent.is_some();
        if row.prompted == Some(false) && restored().is_some_and(runs_anew) {
            return Disposition::There;
        }
        match self.same_pane(row).or_else(restored) {
            Some(at) if self.rows[at].agent.is_none() => Disposition::LeftBehind(at),
            Some(_) => Disposition::There, // superseded
            None => Disposition::Gone { session_is_live },
        }
    }

    /// The row of the same pane. A pane of a session group is in several sessions: the one that has its
    /// agent comes first, then the one of the same name.
    fn same_pane(&self, row: &Row) -> Option<usize> {
        let id = row.pane_id.filter(|_| self.same_server)?;
        let here = self.by_place.get(&row.place()).copied();
        let here = here.filter(|at| self.rows[*at].pane_id == Some(id));
        let any = self.by_id.get(&id).copied();
        any.filter(|at| self.rows[*at].agent.is_some()).or(here).or(any)
    }
}
