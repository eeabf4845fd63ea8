//! A part of a plan (pure).

use super::change::Change;

/// Changes, and what is as it should be already.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) changes: Vec<Change>,
    /// For the record: places (of [`crate::provision::state::written::Written`]) and their content.
    pub(super) adopted: Vec<(String, Vec<u8>)>,
}

impl Planned {
    pub(super) fn adopted(place: String, content: Vec<u8>) -> Self {
        Self { changes: Vec::new(), adopted: vec![(place, content)] }
    }

    pub(super) fn join(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.adopted.extend(other.adopted);
    }
}

impl From<Change> for Planned {
    fn from(change: Change) -> Self {
        Self { changes: vec![change], adopted: Vec::new() }
    }
}

/// The `id` of the change that makes a user's account.
pub(super) fn account_id(user: &str) -> String {
    format!("{user}/account")
}
