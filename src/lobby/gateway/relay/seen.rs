//! How each agent answered last.

use super::failure::Failure;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use terminal_lobby::sys::clock::{self, Epoch};

/// The last answer of each user's agent, or why there was none.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<String, (Epoch, Option<Failure>)>>);

impl Seen {
    pub(crate) fn note(&self, user: &str, failure: Option<Failure>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(user.to_owned(), (clock::now(), failure));
    }

    pub(crate) fn of(&self, user: &str) -> Option<(Epoch, Option<Failure>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(user).copied()
    }
}
