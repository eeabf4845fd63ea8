//! Gathers the facts for a plan: which sessions and conversations are live, how each conversation can
//! be resumed, which directories exist.

use super::facts::{DEFAULT_AGENT, Facts, FormerPane, Occupant, ResumptionKey};
use crate::agent::conversation::key_of;
use crate::agent::{self, ConversationId, Home, Resumption, Saved};
use crate::persist::capture::agents::{borrowed, environment_of, environments};
use crate::persist::capture::session_origin::{LiveSessions, Standing};
use crate::persist::capture::{Capture, capture};
use crate::persist::context::Context;
use crate::persist::save::exclusion;
use crate::process::{Proc, base_name};
use crate::snapshot::{Row, Snapshot, State};
use crate::sys::fs::may_enter;
use crate::sys::{clock, mounts};
use crate::text::escape;
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
    let environments = environments(snapshot.rows.iter().chain(&captured.snapshot.rows));
    for (id, pid) in agent::live(&home, borrowed(&environments), &proc, &captured.agents) {
        facts.conversations.insert(id.key().into(), format!("process {pid}"));
    }
    for row in &captured.beside {
        let id = row.conversation_key().unwrap_or_default();
        facts.conversations.insert(id, row.label());
    }
    for row in &captured.snapshot.rows {
        if let Some(id) = &row.conversation {
            facts.conversations.insert(key_of(id), row.label());
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
    let excluded = exclusion::sessions(&captured, &context.keep);
    if !excluded.is_empty() {
        let names: Vec<String> = excluded.iter().map(|name| escape(name)).collect();
        notes.push(format!("live, but excluded from saves: {}", names.join(", ")));
    }
    find_sessions(&mut facts, snapshot, &captured);
    for (place, (id, directory)) in std::mem::take(&mut captured.homeless) {
        let pane = former_pane(id, &captured, context, &proc);
        facts.homeless.extend(pane.map(|pane| (place, (pane, directory))));
    }
    facts.running.clone_from(&captured.running);
    facts.hhmm = clock::hhmm(context.now);
    facts.unfinished = captured.unfinished;
    for row in &snapshot.rows {
        let paths = [Some(&row.cwd), row.session_path.as_ref()];
        for path in paths.into_iter().flatten() {
            find_directory(&mut facts, path);
        }
        // A live conversation is not resumed: its transcript need not be read.
        if row.conversation.as_ref().is_none_or(|id| facts.conversations.contains_key(&key_of(id)))
        {
            continue;
        }
        home.take_unanswered();
        if let Some((key, resumption)) = resumption(row, &home) {
            let unanswered = home.take_unanswered();
            let mount = unanswered.or_else(|| facts.unanswered.get(&row.cwd).cloned());
            facts.unreachable.extend(mount.map(|mount| (key.1.clone(), mount)));
            facts.resumptions.insert(key, resumption);
        }
    }
    notes.extend(home.take_all_notes());
    Ok(facts)
}

/// Finds what stands for each session of the snapshot.
fn find_sessions(facts: &mut Facts, snapshot: &Snapshot, captured: &Capture) {
    let live = LiveSessions::of(captured);
    let mut sessions: BTreeMap<&[u8], Vec<&Row>> = BTreeMap::new();
    for row in &snapshot.rows {
        sessions.entry(&row.session).or_default().push(row);
    }
    for (name, rows) in sessions {
        match live.standing(&rows, &snapshot.server) {
            Standing::Absent => {}
            Standing::Live(made) => drop(facts.made.insert(name.to_vec(), made)),
            Standing::Taken => drop(facts.taken.insert(name.to_vec())),
        }
    }
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
        let Some(id) = id.map(|id| id.key().as_bytes().to_vec()) else { continue };
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
    let runs = if row.agent.is_some() {
        Occupant::Agent
    } else if pid.is_none_or(|pid| is_waiting_shell(pid, context, proc)) {
        Occupant::Shell
    } else {
        Occupant::Other
    };
    Some(FormerPane { id, pid, place: row.label(), runs })
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
    let (environment, cwd) = environment_of(row);
    let parent = row.parent.as_deref().and_then(ConversationId::parse);
    let saved = Saved {
        id: &id,
        cwd: &cwd,
        prompted: row.prompted,
        parent: parent.as_ref(),
        version: row.agent_version.as_deref(),
    };
    let resumption = agent.resumption(&saved, &home.of(&environment, &cwd));
    Some(((name.to_vec(), id.key().into()), resumption))
}

fn find_directory(facts: &mut Facts, directory: &[u8]) {
    if facts.directories.contains(directory) || facts.unanswered.contains_key(directory) {
        return;
    }
    let path = Path::new(OsStr::from_bytes(directory));
    if !path.is_absolute() {
        return;
    }
    if let Some(mount) = mounts::unanswered(path) {
        facts.unanswered.insert(directory.to_vec(), mount);
    } else if path.is_dir() && may_enter(path) {
        facts.directories.insert(directory.to_vec());
    }
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
