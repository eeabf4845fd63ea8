//! Others than the user who look at the user's sessions at this moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// How many connections each of them has, by identity.
#[derive(Debug, Clone, Default)]
pub struct Onlookers(Arc<watch::Sender<BTreeMap<String, usize>>>);

/// One connection of one of them, for as long as it lives.
#[derive(Debug)]
pub(super) struct Looking {
    all: Onlookers,
    actor: String,
}

impl Onlookers {
    /// Counts a connection of somebody else.
    pub(super) fn enter(&self, actor: Option<String>) -> Option<Looking> {
        let actor = actor?;
        self.0.send_modify(|all| *all.entry(actor.clone()).or_default() += 1);
        Some(Looking { all: self.clone(), actor })
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<BTreeMap<String, usize>> {
        self.0.subscribe()
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.all.0.send_modify(|all| {
            let Some(count) = all.get_mut(&self.actor) else { return };
            *count -= 1;
            if *count == 0 {
                all.remove(&self.actor);
            }
        });
    }
}
