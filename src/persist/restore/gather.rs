//! Gathers the facts for a plan: which sessions and conversations are live, how each conversation can
//! be resumed, which directories exist.

use super::facts::{DEFAULT_AGENT, Facts, FormerPane, ResumptionKey};
use crate::agent::{self, AGENTS, ConversationId, Home, Resumption};
use crate::persist::capture::{Capture, capture};
use crate::persist::context::Context;
use crate::process::{Proc, base_name};
use crate::snapshot::{Row, Snapshot, State};
use crate::sys::clock;
use crate::tmux::TmuxError;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Gathers the facts for a plan from `snapshot`.
pub fn gather(
    context: &Context,
    snapshot: &Snapshot,
    notes: &mut Vec<String>,
) -> Result<Facts, TmuxError> {
    let mut facts = Facts { keep: context.keep.clone(), ..Facts::default() };
    let (home, proc) = (Home::new(&context.account.home), Proc::default());
    let mut captured = capture(context, Some(snapshot), &home, &proc)?.unwrap_or_default();
    notes.extend(std::mem::take(&mut captured.notes));
    for agent in AGENTS {
        for (id, pid) in agent.live(&home, &proc, &captured.agents) {
            facts.conversations.insert(id.as_str().into(), format!("process {pid}"));
        }
    }
    for row in &captured.snapshot.rows {
        if let Some(id) = &row.conversation {
            facts.conversations.insert(id.clone(), row.label());
            if row.state == State::Suspended {
                facts.waiting.insert(row.label());
            }
        }
        if !facts.sessions.contains(&row.session) {
            facts.sessions.insert(row.session.clone());
        }
    }
    for (id, pane) in former_panes(snapshot, &captured, &facts) {
        let pane = former_pane(pane, &captured, context, &proc);
        facts.panes.extend(pane.map(|pane| (id, pane)));
    }
    facts.running.clone_from(&captured.running);
    facts.hhmm = clock::hhmm(context.now);
    facts.unfinished = captured.unfinished;
    for row in &snapshot.rows {
        if !facts.directories.contains(&row.cwd) && can_enter(&row.cwd) {
            facts.directories.insert(row.cwd.clone());
        }
        // A live conversation is not resumed: its transcript need not be read.
        if row.conversation.as_ref().is_none_or(|id| facts.conversations.contains_key(id)) {
            continue;
        }
        if let Some((key, resumption)) = resumption(row, &home) {
            facts.resumptions.insert(key, resumption);
        }
    }
    notes.extend(home.take_notes());
    Ok(facts)
}

/// By conversation that is not live, the id of the pane in which it ran: the same pane in the same
/// server, else the one that a restore marked. Each pane belongs to one conversation, since the mark
/// may name one that moved to another pane.
fn former_panes(snapshot: &Snapshot, captured: &Capture, facts: &Facts) -> BTreeMap<Vec<u8>, u32> {
    let same_server = !snapshot.server.is_empty() && snapshot.server == captured.snapshot.server;
    let (mut left, mut marked) = (BTreeMap::new(), Vec::new());
    let mut taken = BTreeSet::new();
    for row in &snapshot.rows {
        let id = row.conversation.as_deref().and_then(ConversationId::parse);
        let Some(id) = id.map(|id| id.as_str().as_bytes().to_vec()) else { continue };
        if facts.conversations.contains_key(&id) {
            continue;
        }
        match row.pane_id.filter(|_| same_server) {
            Some(pane) if taken.insert(pane) => drop(left.insert(id, pane)),
            Some(_) => {}
            None => marked.extend(captured.restored.get(&id).map(|pane| (id, *pane))),
        }
    }
    let marked = marked.into_iter().filter(|(_, pane)| taken.insert(*pane));
    let marked: Vec<_> = marked.collect();
    left.extend(marked);
    left
}

fn former_pane(id: u32, captured: &Capture, context: &Context, proc: &Proc) -> Option<FormerPane> {
    let row = captured.snapshot.rows.iter().find(|row| row.pane_id == Some(id))?;
    let pid = captured.pids.get(&id).copied();
    let waits = row.agent.is_none() && pid.is_none_or(|pid| is_waiting_shell(pid, context, proc));
    Some(FormerPane { id, pid, place: row.label(), waits })
}

/// Whether a process is a shell at its prompt, of those that we know or the account's own.
pub(crate) fn is_waiting_shell(pid: i32, context: &Context, proc: &Proc) -> bool {
    let own = base_name(context.account.shell.as_os_str().as_bytes());
    proc.process(pid, 0).is_some_and(|process| process.is_waiting_shell(own))
}

fn resumption(row: &Row, home: &Home) -> Option<(ResumptionKey, Resumption)> {
    let id = ConversationId::parse(row.conversation.as_ref()?)?;
    let name = row.agent.as_deref().unwrap_or(DEFAULT_AGENT);
    let agent = agent::by_name(name)?;
    let cwd = Path::new(OsStr::from_bytes(&row.cwd));
    let resumption = agent.resumption(&id, cwd, row.prompted, home);
    Some(((name.to_vec(), id.as_str().into()), resumption))
}

fn can_enter(cwd: &[u8]) -> bool {
    let path = Path::new(OsStr::from_bytes(cwd));
    path.is_absolute() && path.is_dir() && crate::sys::fs::may_enter(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_is_left_by_one_conversation_whatever_marks_say() {
        let uuid = |n: u8| format!("0d0a8f5e-0000-4000-8000-{n:012}").into_bytes();
        let row = |n: u8, pane_id| Row { conversation: Some(uuid(n)), pane_id, ..Row::default() };
        let rows = vec![row(1, None), row(2, Some(8)), row(3, None), row(4, None)];
        let snapshot = Snapshot { server: "s".to_owned(), rows, ..Snapshot::default() };
        let mut captured = Capture::default();
        captured.snapshot.server.push('s');
        captured.restored = BTreeMap::from([(uuid(1), 8), (uuid(3), 9)]);
        let left = former_panes(&snapshot, &captured, &Facts::default());
        assert_eq!(left, BTreeMap::from([(uuid(2), 8), (uuid(3), 9)]));
    }
}
