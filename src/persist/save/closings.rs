//! What was closed on purpose: sessions and conversations (pure).

use crate::agent::ConversationId;
use crate::snapshot::{Endings, Row, Snapshot, SnapshotId, Tombstones};
use crate::sys::clock::Epoch;
use crate::text::escape;

/// Sessions and conversations that were closed on purpose.
#[derive(Debug, Clone, Default)]
pub struct Closings {
    pub tombstones: Tombstones,
    /// The ends of conversations, on purpose or not.
    pub endings: Endings,
}

impl Closings {
    /// Why a session of a snapshot is not restored unless the user names it: it was closed since, or
    /// all its panes had agents that were. `None` if it is restored.
    pub fn of_session(&self, name: &[u8], rows: &[&Row], snapshot: SnapshotId) -> Option<String> {
        if let Some(tombstone) = self.tombstones.closed_since(name, snapshot) {
            let why = escape(&tombstone.reason);
            let colon = if why.is_empty() { "" } else { ": " };
            return Some(format!("closed on purpose{colon}{why}"));
        }
        let all = !rows.is_empty() && rows.iter().all(|row| self.of_row(row, snapshot).is_some());
        all.then(|| "its agents were closed on purpose".to_owned())
    }

    /// Why the agent of a pane is not restored: it was closed since. `None` if it is restored.
    pub fn of_row(&self, row: &Row, snapshot: SnapshotId) -> Option<String> {
        let id = ConversationId::parse(row.conversation.as_deref()?)?;
        let ending = self.endings.closed_since(id.as_str().as_bytes(), snapshot)?;
        Some(format!("{} was closed on purpose", escape(&ending.agent)))
    }

    /// Why a pane is not restored beside a live session of the same name: either reason.
    pub fn of_row_or_session(&self, row: &Row, snapshot: SnapshotId) -> Option<String> {
        self.of_row(row, snapshot).or_else(|| self.of_session(&row.session, &[], snapshot))
    }

    /// When a pane's session or agent was closed since a snapshot.
    pub fn time_of(&self, row: &Row, snapshot: SnapshotId) -> Option<Epoch> {
        if let Some(tombstone) = self.tombstones.closed_since(&row.session, snapshot) {
            return Some(tombstone.closed);
        }
        let id = ConversationId::parse(row.conversation.as_deref()?)?;
        Some(self.endings.closed_since(id.as_str().as_bytes(), snapshot)?.ended)
    }

    /// Whether something that was closed after the snapshot `newest` is live again. Then an equal
    /// state needs a new snapshot all the same, or it would never be restored.
    pub fn any_alive(&self, live: &Snapshot, newest: SnapshotId) -> bool {
        live.present().any(|row| {
            self.tombstones.closed_since(&row.session, newest).is_some()
                || self.of_row(row, newest).is_some()
        })
    }

    /// The time of the last close.
    pub fn latest(&self) -> Option<Epoch> {
        self.tombstones.latest().max(self.endings.latest_close())
    }
}
