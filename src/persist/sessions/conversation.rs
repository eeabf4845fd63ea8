//! The conversation of a session's agent.

use crate::agent::messages::Transcript;
use crate::agent::{self, AgentEnvironment, ConversationId, Description, Home};
use crate::persist::capture::agents::environment_of;
use crate::process::Proc;
use crate::snapshot::Row;
use crate::sys::FileError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A conversation, as far as it takes to find its transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    pub agent: &'static str,
    pub id: ConversationId,
    environment: AgentEnvironment,
    cwd: PathBuf,
}

impl Conversation {
    pub(super) fn of(row: &Row) -> Option<Self> {
        let agent = agent::by_name(row.agent.as_deref()?)?.name();
        let id = ConversationId::parse(row.conversation.as_deref()?)?;
        let (environment, cwd) = environment_of(row);
        Some(Self { agent, id, environment, cwd })
    }

    /// Another conversation of the same agent, in the same place.
    #[must_use]
    pub fn with_id(&self, id: ConversationId) -> Self {
        Self { id, ..self.clone() }
    }

    /// One that no session has, of an agent that keeps its data in its default place; `None` if there is no
    /// such agent.
    pub fn past(agent: &str, id: ConversationId) -> Option<Self> {
        let agent = agent::by_name(agent.as_bytes())?.name();
        Some(Self { agent, id, environment: AgentEnvironment::default(), cwd: PathBuf::new() })
    }

    /// Whether a process of the user's has it open, in tmux or outside, as far as its agent records that.
    pub fn is_live(&self, home: &Path) -> bool {
        let Some(agent) = agent::by_name(self.agent.as_bytes()) else { return false };
        let home = Home::new(home).of(&self.environment, &self.cwd);
        let live = agent.live(&home, &Proc::default(), &BTreeSet::new());
        live.iter().any(|(id, _)| *id == self.id)
    }

    /// What is on disk of it.
    pub fn description(&self, home: &Path) -> Option<Description> {
        let agent = agent::by_name(self.agent.as_bytes())?;
        agent.describe_from(&self.id, &self.cwd, &Home::new(home).of(&self.environment, &self.cwd))
    }

    /// Its transcript; `None` if it has none yet, or none that we can read.
    ///
    /// # Errors
    /// If it is there and cannot be opened.
    pub fn transcript(&self, home: &Path) -> Result<Option<(PathBuf, Transcript)>, FileError> {
        let Some(agent) = agent::by_name(self.agent.as_bytes()) else { return Ok(None) };
        let home = Home::new(home).of(&self.environment, &self.cwd);
        let Some(read) = agent.messages() else { return Ok(None) };
        let Some(found) = agent.describe_from(&self.id, &self.cwd, &home) else { return Ok(None) };
        let transcript = Transcript::open(&found.transcript, read)?;
        Ok(Some((found.transcript, transcript)))
    }
}
