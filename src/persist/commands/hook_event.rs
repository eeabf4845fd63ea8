//! `hook`: what an agent told its hook, on its way into the pane's marks, the record of endings
//! and a snapshot.

use super::ended;
use crate::agent::hooks::{self, Event};
use crate::agent::{Caller, ConversationId, Stamp, by_name, caller};
use crate::persist::context::Context;
use crate::persist::report::{Report, SaveReport, SaveResult};
use crate::persist::request::{Ended, HookCall, HookPane};
use crate::persist::save;
use crate::process::Proc;
use crate::sys::clock;
use crate::tmux::{Marks, Server, Socket};
use std::ffi::OsStr;
use std::path::PathBuf;

/// Who called this process, where and when: what can be seen only while the caller waits.
#[derive(Debug, Clone)]
pub struct HookCaller {
    caller: Caller,
    at: u64,
    pane: Option<HookPane>,
}

impl HookCaller {
    /// Looks; `None` when no agent that a person converses with is among the parents.
    pub fn inspect() -> Option<Self> {
        let at = clock::since_boot();
        let caller = caller(i32::try_from(std::process::id()).ok()?, &Proc::default())?;
        let variable = |name| std::env::var_os(name);
        let pane = pane(variable("TMUX").as_deref(), variable("TMUX_PANE").as_deref());
        Some(Self { caller, at, pane })
    }

    /// With what the caller said; `None` when that is no event of the schema. `agent` is the only
    /// one that counts, when given.
    pub fn with_event(self, input: &[u8], agent: Option<&str>) -> Option<HookCall> {
        let Self { caller, at, pane } = self;
        let hooks::Hooked { conversation, event } = hooks::parse(input)?;
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

/// `$TMUX` is `socket,server,session`; a socket's path may hold commas.
fn pane(tmux: Option<&OsStr>, pane: Option<&OsStr>) -> Option<HookPane> {
    let mut fields = tmux?.to_str()?.rsplitn(3, ',');
    let socket = fields.nth(2).map(PathBuf::from).filter(|path| path.is_absolute())?;
    Some(HookPane { socket, id: pane?.to_str()?.strip_prefix('%')?.parse().ok()? })
}

/// Marks the pane, records a close, saves.
pub fn hooked(context: &Context, call: &HookCall) -> Report {
    let report = |notes, error| {
        Report::Save(SaveReport {
            result: SaveResult::Nothing,
            notes,
            error,
            ..SaveReport::default()
        })
    };
    let parsed = ConversationId::parse(call.conversation.as_bytes());
    let Some((conversation, agent)) = parsed.zip(by_name(call.agent.as_bytes())) else {
        return report(Vec::new(), Some("that is no agent's conversation".to_owned()));
    };
    let agent = agent.name();
    let mut notes = Vec::new();
    if let Some(pane) = &call.pane {
        let stamp = Stamp { agent, conversation, pid: call.pid, start: call.start };
        if let Err(why) = mark(context, call, pane, &stamp) {
            notes.push(why);
        }
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
    let saved = save::save_soon(context);
    match saved {
        Report::Save(mut saved) => {
            saved.notes.splice(..0, notes);
            Report::Save(saved)
        }
        other => other,
    }
}

fn mark(context: &Context, call: &HookCall, pane: &HookPane, stamp: &Stamp) -> Result<(), String> {
    let socket = Socket::at(pane.socket.clone());
    let server = Server { socket, may_start: false, ..context.server };
    if !server.is_listening().map_err(|error| error.to_string())? {
        return Ok(());
    }
    let marks = Marks {
        pane: pane.id,
        at: call.at,
        stamp: stamp.to_string(),
        state: call.event.state(),
        closed: (call.event == Event::Closed).then_some(context.now),
    };
    server.tell(marks.set()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_is_named_by_both_variables_or_not_at_all() {
        let read = |tmux: &str, id: &str| {
            pane(Some(tmux.as_ref()), Some(id.as_ref())).map(|p| (p.socket, p.id))
        };
        assert_eq!(read("/tmp/a,b,77,0", "%3"), Some(("/tmp/a,b".into(), 3)));
        for (tmux, id) in [("/tmp/a,77,0", "3"), ("/tmp/a", "%3"), ("a,77,0", "%3"), ("", "%x")] {
            assert_eq!(read(tmux, id), None, "{tmux} {id}");
        }
        assert_eq!(pane(None, Some("%3".as_ref())), None);
    }
}
