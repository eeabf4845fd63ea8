//! Agents that were never prompted and whose conversations are unknown (pure): nothing of theirs can be
//! lost, so they are started anew. For as long as a restore takes, an id stands for what each had. It
//! follows from the snapshot, so that a second restore knows what the first one started.

use crate::snapshot::{Row, Stored};
use sha2::{Digest, Sha256};

/// Whether a row is of such an agent.
fn is_one(row: &Row) -> bool {
    row.agent.is_some() && row.conversation.is_none() && row.prompted == Some(false)
}

/// Gives the rows of such agents ids.
pub(crate) fn name(stored: &mut Stored) {
    let context = format!("{} {}", stored.id, stored.snapshot.server);
    for row in stored.snapshot.rows.iter_mut().filter(|row| is_one(row)) {
        row.conversation = Some(id(&context, row));
    }
}

/// Whether the conversation of a row is such an id: a save never records one that it cannot give
/// evidence for.
pub(crate) fn is_named(row: &Row) -> bool {
    row.conversation.is_some() && row.prompted == Some(false) && row.evidence.is_none()
}

/// The row as it is in the snapshot.
pub(crate) fn as_saved(row: &Row) -> Row {
    let conversation = row.conversation.clone().filter(|_| !is_named(row));
    Row { conversation, ..row.clone() }
}

/// A UUID of version 8 (RFC 9562): a hash of where the row is.
fn id(context: &str, row: &Row) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(format!("{context} {:?} {} {} ", row.pane_id, row.window, row.pane));
    hash.update(&row.session);
    let hex = crate::text::hex(&hash.finalize());
    let parts = [&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32]];
    format!("{}-{}-8{}-8{}-{}", parts[0], parts[1], parts[2], parts[3], parts[4]).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::ConversationId;
    use crate::snapshot::{Snapshot, SnapshotId};

    fn row(window: u32, agent: Option<&str>, prompted: Option<bool>) -> Row {
        Row { window, agent: agent.map(Into::into), prompted, ..Row::default() }
    }

    fn named(seconds: u64, rows: Vec<Row>) -> Vec<Option<Vec<u8>>> {
        let snapshot = Snapshot { rows, ..Snapshot::default() };
        let mut stored = Stored { id: SnapshotId::next(seconds, None, None), snapshot };
        name(&mut stored);
        for row in &stored.snapshot.rows {
            assert_eq!(as_saved(row).conversation.is_some(), row.evidence.is_some());
        }
        stored.snapshot.rows.into_iter().map(|row| row.conversation).collect()
    }

    #[test]
    fn only_an_agent_that_was_never_prompted_gets_an_id_which_its_place_decides() {
        let codex = |window| row(window, Some("codex"), Some(false));
        let known = Row {
            conversation: Some(b"0d0a8f5e-0000-4000-8000-000000000001".to_vec()),
            evidence: Some(b"files".to_vec()),
            ..codex(9)
        };
        let rows = vec![codex(0), codex(1), known.clone(), row(2, Some("codex"), None)];
        let ids = named(100, rows.clone());
        let id = |at: usize| ConversationId::parse(ids[at].as_deref().unwrap()).unwrap();
        assert!(id(0) != id(1) && id(0).key().as_bytes()[14] == b'8');
        assert_eq!((&ids[2], &ids[3]), (&known.conversation, &None));
        assert_eq!(named(100, rows.clone()), ids);
        assert_ne!(named(101, rows)[0], ids[0]);
    }
}
