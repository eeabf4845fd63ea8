//! What new sessions were begun with, the last ones first, so that the next one begins with a few keys.

use super::state::Agent;
use crate::error::Error;
use crate::kept::Kept;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The file.
const FILE: &str = "recent.json";
/// How many of each are kept.
const MAX: usize = 12;
/// Of how many agents.
const MAX_AGENTS: usize = 32;

/// The last ones come first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Recent {
    /// As the person wrote them.
    directories: Vec<String>,
    /// An empty one stands for a shell.
    agents: Vec<String>,
    /// By agent; an empty one stands for the agent's own choice.
    models: BTreeMap<String, Vec<String>>,
}

/// What was used.
#[derive(Debug, Clone)]
pub(super) struct Used {
    pub(super) directory: String,
    pub(super) agent: String,
    pub(super) model: String,
}

impl Recent {
    fn note(&mut self, used: Used) {
        first(&mut self.directories, used.directory);
        if !used.agent.is_empty()
            && (self.models.len() < MAX_AGENTS || self.models.contains_key(&used.agent))
        {
            first(self.models.entry(used.agent.clone()).or_default(), used.model);
        }
        first(&mut self.agents, used.agent);
    }
}

fn first(all: &mut Vec<String>, one: String) {
    all.retain(|known| *known != one);
    all.insert(0, one);
    all.truncate(MAX);
}

/// Keeps what was used, after the answer: it may take the time of a disk.
pub(super) fn note(kept: Kept, used: Used) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = kept.change(FILE, |recent: &mut Recent| recent.note(used)) {
            tracing::warn!(%error, "what a new session was begun with is not kept");
        }
    });
}

/// What was used last.
pub(super) async fn recent(State(agent): State<Agent>) -> Result<Json<Recent>, Error> {
    let read = move || agent.kept.read::<Recent>(FILE);
    Ok(Json(tokio::task::spawn_blocking(read).await??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_come_first_and_are_not_many() {
        let mut recent = Recent::default();
        for number in 0..40 {
            let directory = format!("~/{}", number % 20);
            let agent = if number == 39 { String::new() } else { "claude".to_owned() };
            recent.note(Used { directory, agent, model: String::new() });
        }
        assert_eq!((recent.directories.len(), recent.directories[0].as_str()), (MAX, "~/19"));
        assert_eq!(recent.agents, ["", "claude"]);
        assert_eq!(recent.models["claude"], [""]);
    }
}
