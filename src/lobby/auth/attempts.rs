//! How often somebody fails to log in, over all.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A minute's attempts.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<Option<(Instant, u32)>>);

impl Attempts {
    /// Counts one; `false` if there were too many in this minute.
    pub fn one_more(&self, most: u32) -> bool {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (begin, count) = minute
            .filter(|(begin, _)| now.duration_since(*begin) < Duration::from_mins(1))
            .unwrap_or((now, 0));
        *minute = Some((begin, count.saturating_add(1)));
        count < most
    }
}
