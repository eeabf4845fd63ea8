//! What panes are told that come back after a death that is not settled: a restore prints it in them, whoever started
//! the restore.

use super::explain;
use super::record::{Deaths, Kind};
use crate::agent::conversation::key_of;
use crate::snapshot::store::WatchFile;
use crate::snapshot::{Row, Store};
use crate::sys::clock;
use std::collections::BTreeMap;

/// The lines, by conversation, and of the server that died.
#[derive(Debug, Default)]
pub struct Explanations {
    agents: BTreeMap<Vec<u8>, String>,
    server: Option<String>,
}

impl Explanations {
    /// Reads the deaths. Without them panes are restored all the same.
    pub fn read(store: &Store) -> Self {
        let text = store.read_watch_file(WatchFile::Deaths).unwrap_or_default();
        let mut explanations = Self::default();
        for death in Deaths::decode(&text).0.0 {
            let Some(cause) = death.cause.filter(|_| !death.resumed) else { continue };
            let line = explain::comes_back(&death, cause, &clock::hhmm(death.noticed));
            match (death.kind, &death.conversation) {
                (Kind::Server, _) => explanations.server = Some(line),
                (Kind::Agent, Some(id)) => drop(explanations.agents.insert(key_of(id), line)),
                (Kind::Agent, None) => {}
            }
        }
        explanations
    }

    /// The line for the pane of a row.
    pub fn of(&self, row: &Row) -> Option<String> {
        let own = row.conversation.as_deref().and_then(|id| self.agents.get(&key_of(id)));
        own.or(self.server.as_ref()).cloned()
    }
}
