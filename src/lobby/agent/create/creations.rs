//! How many sessions are made in a minute: bounded, whatever a page asks for; and what was resumed a short while ago.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Most new sessions in a minute.
pub(in crate::agent) const MAX_CREATIONS: usize = 30;
const MINUTE: Duration = Duration::from_mins(1);

/// When the last ones were made.
#[derive(Debug, Clone, Default)]
pub struct Creations(Arc<Mutex<VecDeque<Instant>>>);

impl Creations {
    /// Counts one more, unless there are too many.
    pub(in crate::agent) fn may_begin(&self) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while all.front().is_some_and(|first| now - *first >= MINUTE) {
            all.pop_front();
        }
        let may = all.len() < MAX_CREATIONS;
        if may {
            all.push_back(now);
        }
        may
    }
}

/// A conversation: its agent, and its id in small letters.
type Key = (String, String);

/// Conversations that were resumed a short while ago, with the session of each, and when that was made. One is resumed
/// at a time.
#[derive(Debug, Clone, Default)]
pub(in crate::agent) struct Resumed(
    pub(in crate::agent) Arc<tokio::sync::Mutex<Vec<(Key, String, Instant)>>>,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sessions_are_made_only_so_often_a_minute() {
        let creations = Creations::default();
        assert!((0..MAX_CREATIONS).all(|_| creations.may_begin()));
        assert!(!creations.may_begin());
        tokio::time::advance(MINUTE).await;
        assert!(creations.may_begin());
    }
}
