//! One at a time for each user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The turns of all users.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// What a pairing of this user holds while it runs.
    pub(super) fn of(&self, user: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = all.get(user).and_then(Weak::upgrade) {
            return turn;
        }
        all.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        all.insert(user.to_owned(), Arc::downgrade(&turn));
        turn
    }
}
