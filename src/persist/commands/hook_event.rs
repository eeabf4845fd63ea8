//! `hook`, as an agent calls it: records the event in the pane's marks and the record of endings,
//! and saves.

use super::ended;
use crate::agent::hooks::{self, Event};
use crate::agent::{Agent, Caller, ConversationId, Stamp, by_name, caller, described};
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{Report, SaveReport, SaveResult};
use crate::persist::request::{Ended, HookCall, HookPane};
use crate::persist::save;
use crate::process::Proc;
use crate::sys::clock;
use crate::text::escape;
use crate::tmux::{CallerPane, Marks, Server, Socket, TmuxError};
use std::path::Path;

/// The agent that called this process, its pane and the time: what can be determined only while
/// the agent waits.
#[derive(Debug, Clone)]
pub struct HookCaller {
    caller: Caller,
    at: u64,
    pane: Option<HookPane>,
}

impl HookCaller {
    /// Inspects the parent processes; `None` unless one of them is an interactive agent.
    pub fn inspect() -> Option<Self> {
        let at = clock::since_boot();
        if let Some(home) = std::env::var_os("HOME") {
            described::load(Path::new(&home));
        }
        let caller = caller(i32::try_from(std::process::id()).ok()?, &Proc::default())?;
        let variable = |name| std::env::var_os(name);
        let pane = CallerPane::parse(variable("TMUX").as_deref(), variable("TMUX_PANE").as_deref());
        let pane = pane.map(|pane| HookPane { socket: pane.socket, id: pane.id });
        Some(Self { caller, at, pane })
    }

    /// Adds the event that the agent wrote. `None` if it is not a valid event, or if `agent` is given
    /// and another agent called.
    pub fn with_event(self, input: &[u8], agent: Option<&str>) -> Option<HookCall> {
        let Self { caller, at, pane } = self;
        let hooks::Hooked { conversation, event } = hooks::parse(input)?;
        let proves = by_name(caller.agent.as_bytes()).is_some_and(Agent::proves_closes);
        let event = if event == Event::Closed && !proves { Event::Ended } else { event };
        agent.is_none_or(|agent| agent == caller.agent).then(|| HookCall {
            event,
            conversation: conversation.to_string(),
            agent: caller.agent.to_owned(),
            pid: caller.pid,
            start: caller.start,
            at,
            pane,
        })
    }
}

/// Marks the pane, records a close, and saves.
pub fn handle(context: &Context, call: &HookCall) -> Report {
    let report = |notes, error: Option<Error>| {
        let (result, error) = (SaveResult::Nothing, error.map(Into::into));
        Report::Save(SaveReport { result, notes, error, ..SaveReport::default() })
    };
    let Some(conversation) = ConversationId::parse(call.conversation.as_bytes()) else {
        let shown = escape(call.conversation.as_bytes());
        return report(Vec::new(), Some(Error::InvalidConversation(shown)));
    };
    let Some(agent) = by_name(call.agent.as_bytes()) else {
        let shown = escape(call.agent.as_bytes());
        return report(Vec::new(), Some(Error::UnknownAgent(shown)));
    };
    let agent = agent.name();
    let mut notes = Vec::new();
    if let Some(pane) = &call.pane {
        let stamp = Stamp {
            agent,
            conversation,
            pid: call.pid,
            start: call.start,
            at: Some(call.at),
            status: None,
        };
        notes.extend(mark(context, call, pane, &stamp).err().map(|error| error.to_string()));
    }
    if call.event == Event::Closed {
        let reason = "ended at its prompt".to_owned();
        let (conversation, agent) = (Some(call.conversation.clone()), agent.to_owned());
        let session = String::new();
        let ended = Ended { conversation, pane: None, agent, session, closed: true, reason };
        notes.extend(ended::ended(context, &ended).problem().map(|problem| problem.message));
    }
    if call.pane.is_none() || !call.event.calls_for_a_save() {
        return report(notes, None);
    }
    match save::save_soon(context) {
        Report::Save(mut saved) => {
            saved.notes.splice(..0, notes);
            Report::Save(saved)
        }
        other => other,
    }
}

fn mark(
    context: &Context,
    call: &HookCall,
    pane: &HookPane,
    stamp: &Stamp,
) -> Result<(), TmuxError> {
    let socket = Socket::at(pane.socket.clone());
    let server = Server { socket, may_start: false, ..context.server.clone() };
    if !server.is_listening()? {
        return Ok(());
    }
    let marks = Marks {
        pane: pane.id,
        at: call.at,
        stamp: stamp.to_string(),
        state: call.event.state(),
        closed: (call.event == Event::Closed).then_some(context.now),
    };
    server.send(marks.set())
}
