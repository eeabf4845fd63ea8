//! Which parts of a layout a change concerns, so that two pages do not undo each other's changes (pure).

use crate::protocol::layout::Change;

/// The parts that a change writes, and those that it must find as the page showed them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) written: Vec<String>,
    pub(super) read: Vec<String>,
}

impl Parts {
    pub(super) fn of(change: &Change) -> Self {
        let group = |id: &str| format!("group {id}");
        let members = |id: &str| format!("members {id}");
        let (written, read) = match change {
            Change::Pin { session, .. } => (vec![format!("pin {session}")], vec![]),
            Change::Move { session, below } => {
                let place = |id: &String| format!("place {id}");
                (vec![place(session)], below.last().map(place).into_iter().collect())
            }
            Change::OwnOrder { .. } => (vec!["order".to_owned()], vec![]),
            Change::ByDirectory { .. } => (vec!["by directory".to_owned()], vec![]),
            Change::AddGroup { group: id, session, .. } => {
                let of = session.as_ref().map(|session| format!("group of {session}"));
                (std::iter::once(group(id)).chain(of).collect(), vec![])
            }
            Change::RenameGroup { group: id, .. } => (vec![group(id)], vec![]),
            // Not if another page has put something into it meanwhile.
            Change::RemoveGroup { group: id } => (vec![group(id)], vec![members(id)]),
            Change::MoveGroup { group: id, below } => {
                let place = |id: &String| format!("place of group {id}");
                (vec![place(id)], below.iter().map(place).collect())
            }
            Change::Assign { session, group: to } => {
                let joined = to.as_deref().map(members);
                let of = format!("group of {session}");
                (std::iter::once(of).chain(joined).collect(), vec![])
            }
            Change::Collapse { name, .. } => (vec![format!("collapsed {name}")], vec![]),
            Change::AddTile { session } | Change::RemoveTile { session } => {
                (vec![format!("tile {session}")], vec![])
            }
            Change::MoveTile { session, .. } => {
                (vec!["tiles".to_owned(), format!("tile {session}")], vec![])
            }
            Change::Arrange { .. } => (vec!["arrangement".to_owned()], vec![]),
            Change::SizeTiles { .. } => (vec!["sizes".to_owned()], vec!["arrangement".to_owned()]),
        };
        // Two who put sessions into one group do not conflict: what is joined is only of concern to its removal.
        Self { written, read }
    }

    /// Whether a change that wrote `other` since makes this one meaningless.
    pub(super) fn conflict(&self, other: &[String]) -> bool {
        let concerns = |part: &&String| !part.starts_with("members ");
        let written = self.written.iter().filter(concerns);
        written.chain(&self.read).any(|part| other.contains(part))
    }
}
