//! `conversation`: where a conversation is and what it is about, for the launcher.

use super::job::World;
use super::report::{Described, Problem, Report};
use crate::agent::{AGENTS, Agent, ConversationId, Home};
use crate::snapshot::{escape, json_text};
use std::os::unix::ffi::OsStrExt;

/// Describes what is on disk of a conversation.
pub fn conversation(world: &World, id: &str, agent: Option<&str>) -> Report {
    let home = Home::new(&world.account.home);
    let mut described = Described { conversation: id.to_owned(), ..Described::default() };
    match find(id, agent, &home) {
        Ok((agent, found)) => {
            agent.name().clone_into(&mut described.agent);
            described.transcript = json_text(found.transcript.as_os_str().as_bytes());
            described.cwd = found.cwd.map(|cwd| json_text(cwd.as_os_str().as_bytes()));
            described.title = found.title;
            described.last_activity = found.last_activity;
        }
        Err(problem) => described.error = Some(problem),
    }
    described.notes = home.take_notes();
    Report::Conversation(described)
}

fn find(
    id: &str,
    agent: Option<&str>,
    home: &Home,
) -> Result<(&'static dyn Agent, crate::agent::Description), Problem> {
    let shown = escape(id.as_bytes());
    let parsed = ConversationId::parse(id.as_bytes())
        .ok_or_else(|| Problem::usage(format!("'{shown}' is not a conversation id")))?;
    let mut asked = AGENTS.into_iter().filter(|one| agent.is_none_or(|name| one.name() == name));
    let found = asked.find_map(|one| Some((one, one.describe(&parsed, home)?)));
    found.ok_or_else(|| Problem::failed(&format!("there is no transcript of {shown}")))
}
