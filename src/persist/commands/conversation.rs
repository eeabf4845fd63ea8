//! `conversation`: where a conversation is and what it is about, for the launcher.

use crate::agent::environment::RECORDED;
use crate::agent::{self, Agent, AgentEnvironment, ConversationId, Description, Home};
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{ConversationReport, Report};
use crate::text::{escape, json_text};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Describes what is on disk of a conversation. Without `agent`, every agent is searched.
pub fn conversation(context: &Context, id: &str, agent: Option<&str>) -> Report {
    let home = Home::new(&context.account.home);
    let home = home.of(&own_environment(&home), &std::env::current_dir().unwrap_or_default());
    let mut report = ConversationReport { conversation: id.to_owned(), ..Default::default() };
    match find(id, agent, &home) {
        Ok((agent, found)) => {
            agent.name().clone_into(&mut report.agent);
            report.transcript = json_text(found.transcript.as_os_str().as_bytes());
            report.cwd = found.cwd.map(|cwd| json_text(cwd.as_os_str().as_bytes()));
            report.title = found.title;
            report.last_activity = found.last_activity;
        }
        Err(error) => {
            report.absent = matches!(error, Error::NoTranscript(_));
            report.error = Some(error.into());
        }
    }
    report.notes = home.take_all_notes();
    // A place that could not be searched may hold it.
    report.absent &= report.notes.is_empty();
    Report::Conversation(report)
}

/// The environment of this process, which its agent will have, too.
fn own_environment(home: &Home) -> AgentEnvironment {
    let line = |name: &str| {
        let value = std::env::var_os(name)?;
        Some([name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat())
    };
    let environ: Vec<u8> = RECORDED.into_iter().filter_map(line).flatten().collect();
    AgentEnvironment::of(&environ, home.path())
}

fn find(
    id: &str,
    agent: Option<&str>,
    home: &Home,
) -> Result<(&'static dyn Agent, Description), Error> {
    let shown = escape(id.as_bytes());
    let Some(parsed) = ConversationId::parse(id.as_bytes()) else {
        return Err(Error::InvalidConversation(shown));
    };
    let searched = agent::all().filter(|one| agent.is_none_or(|name| one.name() == name));
    let mut searched = searched.peekable();
    if searched.peek().is_none() {
        return Err(Error::UnknownAgent(escape(agent.unwrap_or_default().as_bytes())));
    }
    // What says nothing of itself is believed only of the agent that was named.
    let is_known = |found: &Description| agent.is_some() || found.transcript != Path::new("");
    let found = searched.find_map(|one| Some((one, one.describe(&parsed, home).filter(is_known)?)));
    found.ok_or(Error::NoTranscript(shown))
}
