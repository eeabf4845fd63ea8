//! `conversation`: where a conversation is and what it is about, for the launcher.

use crate::agent::{AGENTS, Agent, ConversationId, Home};
use crate::persist::context::Context;
use crate::persist::report::{ConversationReport, Problem, Report};
use crate::text::{escape, json_text};
use std::os::unix::ffi::OsStrExt;

/// Describes what is on disk of a conversation.
pub fn conversation(context: &Context, id: &str, agent: Option<&str>) -> Report {
    let home = Home::new(&context.account.home);
    let mut described =
        ConversationReport { conversation: id.to_owned(), ..ConversationReport::default() };
    match find(id, agent, &home) {
        Ok((agent, found)) => {
            agent.name().clone_into(&mut described.agent);
            described.transcript = json_text(found.transcript.as_os_str().as_bytes());
            described.cwd = found.cwd.map(|cwd| json_text(cwd.as_os_str().as_bytes()));
            described.title = found.title;
            described.last_activity = found.last_activity;
        }
        Err((absent, problem)) => {
            described.absent = absent;
            described.error = Some(problem);
        }
    }
    described.notes = home.take_notes();
    // What could not be looked into may hold it.
    described.absent &= described.notes.is_empty();
    Report::Conversation(described)
}

/// The transcript, or why there is none and whether that is certain.
fn find(
    id: &str,
    agent: Option<&str>,
    home: &Home,
) -> Result<(&'static dyn Agent, crate::agent::Description), (bool, Problem)> {
    let shown = escape(id.as_bytes());
    let usage = |why: String| (false, Problem::usage(why));
    let parsed = ConversationId::parse(id.as_bytes())
        .ok_or_else(|| usage(format!("'{shown}' is not a conversation id")))?;
    let asked = AGENTS.into_iter().filter(|one| agent.is_none_or(|name| one.name() == name));
    let asked: Vec<&'static dyn Agent> = asked.collect();
    if asked.is_empty() {
        let agent = escape(agent.unwrap_or_default().as_bytes());
        return Err(usage(format!("no agent '{agent}' is known here")));
    }
    let found = asked.into_iter().find_map(|one| Some((one, one.describe(&parsed, home)?)));
    found.ok_or_else(|| (true, Problem::failed(&format!("there is no transcript of {shown}"))))
}
