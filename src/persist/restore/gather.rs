//! Gathers the facts for a plan: which sessions and conversations are live, how each conversation can
//! be resumed, which directories exist.

use super::facts::{DEFAULT_AGENT, Facts, FormerPane, Occupant, ResumptionKey};
use crate::agent::conversation::key_of;
use crate::agent::{self, Backgrounded, ConversationId, Home, Resumption, Saved};
use crate::persist::capture::agents::{self, borrowed, environment_of, environments};
use crate::persist::capture::doing;
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
use std::time::{Duration, Instant};

/// For how long a restore waits, once for all panes, until shells whose agents have just ended are at their prompts.
pub(crate) const SETTLES_WITHIN: Duration = Duration::from_millis(500);
const LOOKS_AGAIN_AFTER: Duration = Duration::from_millis(20);

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
    doing::complete(&mut captured, &home, &proc);
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
        if row.agent.is_some() {
            facts.agents.insert((row.session.clone(), row.window, row.pane));
        }
    }
    for row in &snapshot.rows {
        facts.conversations.extend(never_prompted(row, snapshot, &captured));
    }
    let patience = Instant::now() + SETTLES_WITHIN;
    let former = |id| former_pane(id, &captured, context, &proc, patience);
    let waits = |id| former(id).is_some_and(|pane| pane.runs == Occupant::Shell);
    for (id, pane) in former_panes(snapshot, &captured, &facts, &waits) {
        facts.panes.extend(former(pane).map(|pane| (id, pane)));
    }
    let excluded = exclusion::sessions(&captured, &context.keep);
    if !excluded.is_empty() {
        let names: Vec<String> = excluded.iter().map(|name| escape(name)).collect();
        notes.push(format!("live, but excluded from saves: {}", names.join(", ")));
    }
    notes.extend(in_background(&agents::backgrounded(&captured.snapshot.rows, &home), snapshot));
    find_sessions(&mut facts, snapshot, &captured);
    for (place, (id, directory)) in std::mem::take(&mut captured.homeless) {
        let pane = former_pane(id, &captured, context, &proc, patience);
        facts.homeless.extend(pane.map(|pane| (place, (pane, directory))));
    }
    facts.running.clone_from(&captured.running);
    facts.statuses.clone_from(&captured.statuses);
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

/// Names conversations in the background, which no pane shows and nothing restores.
fn in_background(jobs: &[Backgrounded], snapshot: &Snapshot) -> Option<String> {
    const MAX_NAMED: usize = 5;
    let saved: BTreeSet<Vec<u8>> = snapshot.rows.iter().filter_map(Row::conversation_key).collect();
    let is_saved = |job: &&Backgrounded| saved.contains(job.conversation.key().as_bytes());
    let mut jobs: Vec<&Backgrounded> = jobs.iter().filter(|job| !is_saved(job)).collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(job.changed));
    let command = |job: &&Backgrounded| format!("'{}'", escape(job.attach.as_bytes()));
    let commands: Vec<String> = jobs.iter().take(MAX_NAMED).map(command).collect();
    let more = jobs.len().saturating_sub(MAX_NAMED);
    let more =
        if more > 0 { format!(", and {more} more in 'persist history'") } else { String::new() };
    let commands = commands.join(", ");
    (!jobs.is_empty()).then(|| {
        format!(
            "in the background, in no pane, so not restored; these continue them: {commands}{more}"
        )
    })
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

/// The place of an agent that was never prompted, if it runs: it never ended, or an earlier restore has
/// started it anew. It may be on a new conversation, and even one that is known by now.
fn never_prompted(row: &Row, snapshot: &Snapshot, live: &Capture) -> Option<(Vec<u8>, String)> {
    let id = row.conversation_key().filter(|_| row.prompted == Some(false))?;
    let same_server = !snapshot.server.is_empty() && snapshot.server == live.snapshot.server;
    let rows = || live.snapshot.rows.iter().filter(|live| live.agent == row.agent);
    let mark = live.restored.get(&id).copied();
    let marked = rows().find(|live| mark.is_some() && live.pane_id == mark);
    let own = rows().find(|live| same_server && live.pane_id == row.pane_id);
    let own = own.filter(|live| live.conversation.is_none() && live.prompted == Some(false));
    Some((id, marked.or(own)?.label()))
}

/// By conversation that is not live, the id of the pane in which it ran: the same pane in the same
/// server, else the one that a restore marked. If none `waits` in the former for it and an agent runs in
/// the latter, it is the latter: a restore has put it there since. Each pane belongs to one conversation,
/// since the mark may name one that moved to another pane.
fn former_panes(
    snapshot: &Snapshot,
    captured: &Capture,
    facts: &Facts,
    waits: &dyn Fn(u32) -> bool,
) -> BTreeMap<Vec<u8>, u32> {
    let same_server = !snapshot.server.is_empty() && snapshot.server == captured.snapshot.server;
    let runs_an_agent = |pane: u32| {
        let rows = &captured.snapshot.rows;
        rows.iter().any(|row| row.pane_id == Some(pane) && row.agent.is_some())
    };
    let (mut left, mut marked) = (BTreeMap::new(), Vec::new());
    let mut taken = BTreeSet::new();
    for row in &snapshot.rows {
        let id = row.conversation.as_deref().and_then(ConversationId::parse);
        let Some(id) = id.map(|id| id.key().as_bytes().to_vec()) else { continue };
        if facts.conversations.contains_key(&id) {
            continue;
        }
        let mark = captured.restored.get(&id).copied();
        let put_elsewhere = |own: &u32| {
            !waits(*own) && mark.is_some_and(|mark| mark != *own && runs_an_agent(mark))
        };
        match row.pane_id.filter(|own| same_server && !put_elsewhere(own)) {
            Some(pane) if taken.insert(pane) => drop(left.insert(id, pane)),
            Some(_) => {}
            None => marked.extend(mark.map(|pane| (id, pane))),
        }
    }
    let marked = marked.into_iter().filter(|(_, pane)| taken.insert(*pane));
    let marked: Vec<_> = marked.collect();
    left.extend(marked);
    left
}

fn former_pane(
    id: u32,
    captured: &Capture,
    context: &Context,
    proc: &Proc,
    patience: Instant,
) -> Option<FormerPane> {
    // Of a pane that several sessions show, one row has the agent.
    let of_pane = || captured.snapshot.rows.iter().filter(|row| row.pane_id == Some(id));
    let row = of_pane().find(|row| row.agent.is_some()).or_else(|| of_pane().next())?;
    let pid = captured.pids.get(&id).copied();
    let runs = if row.agent.is_some() {
        Occupant::Agent
    } else if pid.is_none_or(|pid| comes_to_wait(pid, context, proc, patience)) {
        Occupant::Shell
    } else {
        Occupant::Other
    };
    Some(FormerPane { id, pid, place: row.label(), runs })
}

/// Whether a process is a shell at its prompt, or becomes one before `patience` ends: the end of an agent
/// may be so fresh that its shell still makes its prompt.
pub(crate) fn comes_to_wait(pid: i32, context: &Context, proc: &Proc, patience: Instant) -> bool {
    let own = base_name(context.account.shell.as_os_str().as_bytes());
    loop {
        let Some(process) = proc.process(pid, 0) else { return false };
        if process.is_waiting_shell(own) {
            return true;
        }
        if !process.is_settling_shell(own, clock::now()) || Instant::now() >= patience {
            return false;
        }
        clock::pause(LOOKS_AGAIN_AFTER);
    }
}

/// Whether a process is a shell at its prompt, of those that we know or the account's own.
pub(crate) fn is_waiting_shell(pid: i32, context: &Context, proc: &Proc) -> bool {
    let own = base_name(context.account.shell.as_os_str().as_bytes());
    proc.process(pid, 0).is_some_and(|process| process.is_waiting_shell(own))
}

/// How the conversation of a row can come back; `None` if it has none, or an agent that we do not know.
pub(crate) fn resumption(row: &Row, home: &Home) -> Option<(ResumptionKey, Resumption)> {
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
        let left = former_panes(&snapshot, &captured, &Facts::default(), &|_| true);
        assert_eq!(left, BTreeMap::from([(uuid(2), 8), (uuid(3), 9)]));
        captured.restored = BTreeMap::from([(uuid(2), 9)]);
        let agent = Some(b"claude".to_vec());
        captured.snapshot.rows = vec![Row { pane_id: Some(9), agent, ..Row::default() }];
        let left = |waits: bool| former_panes(&snapshot, &captured, &Facts::default(), &|_| waits);
        assert_eq!(left(true), BTreeMap::from([(uuid(2), 8)]));
        assert_eq!(left(false), BTreeMap::from([(uuid(2), 9)]), "a restore put it there");
    }
}
