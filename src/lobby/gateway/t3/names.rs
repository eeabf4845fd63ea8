//! How each instance calls its cookie, as it was last learnt, and which session was good.

use super::headers::cookies::Session;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use terminal_lobby::t3::table::Instance;

/// What is known of each instance.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<Instance, Known>>);

#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) at: Instant,
    pub(super) good: Option<(Session, Instant)>,
}

impl Names {
    pub(super) fn of(&self, instance: &Instance) -> Option<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(instance).cloned()
    }

    pub(super) fn learn(&self, instance: &Instance, name: &str, good: Option<&Session>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let known = all.entry(instance.clone()).or_insert_with(|| Known {
            name: name.to_owned(),
            at: now,
            good: None,
        });
        if known.name != name {
            (known.name, known.good) = (name.to_owned(), None);
        }
        known.at = now;
        if let Some(good) = good {
            known.good = Some((good.clone(), now));
        }
    }
}
