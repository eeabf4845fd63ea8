//! Tickets: each lets one WebSocket in for a link to a conversation, soon after the link's secret was shown.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use terminal_lobby::sys::fs::random_hex;

/// How long a ticket may be used.
const GOOD: Duration = Duration::from_secs(30);
/// Most tickets at once.
const MAX: usize = 2000;

/// The tickets that were given out, each used once.
#[derive(Debug)]
pub struct Tickets<T>(Mutex<HashMap<String, (T, Instant)>>);

impl<T> Default for Tickets<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Tickets<T> {
    /// A new one, for something; `None` if there are too many.
    pub fn give(&self, of: T) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|_, (_, until)| now < *until);
        if all.len() >= MAX {
            return None;
        }
        let ticket = random_hex();
        all.insert(ticket.clone(), (of, now + GOOD));
        Some(ticket)
    }

    /// Takes one; gives what it is for.
    pub fn take(&self, ticket: &str) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, until) = all.remove(ticket)?;
        (Instant::now() < until).then_some(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_taken_once_and_there_are_only_so_many() {
        let tickets = Tickets::default();
        let ticket = tickets.give(7).unwrap();
        assert_eq!((tickets.take("x"), tickets.take(&ticket)), (None, Some(7)));
        assert_eq!(tickets.take(&ticket), None);
        assert!((0..MAX).all(|_| tickets.give(1).is_some()) && tickets.give(1).is_none());
    }
}
