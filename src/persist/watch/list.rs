//! Lists what a watch has to wait for. Saves first if an agent runs on a conversation that no snapshot has yet: once
//! it is killed, it could not be found any more.

use super::roll::{Roll, Started, WatchedAgent, WatchedServer};
use crate::agent::{self, Home};
use crate::persist::capture::agents::{borrowed, environments};
use crate::persist::capture::{Capture, boot_id, capture};
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{Report, WatchReport};
use crate::persist::save;
use crate::persist::watch_task::WatchTask;
use crate::process::Proc;
use crate::snapshot::Row;
use std::collections::BTreeSet;
use std::path::Path;

/// Maximum number of agents that are listed.
const MAX_AGENTS: usize = 1000;

/// Lists them.
pub fn list(context: &Context, task: &WatchTask) -> Report {
    let mut report = WatchReport::default();
    match try_list(context, &task.root, &mut report.notes) {
        Ok(roll) => report.text = String::from_utf8_lossy(&roll.encode()).into_owned(),
        Err(error) => report.error = Some(error.into()),
    }
    Report::Watch(report)
}

fn try_list(context: &Context, root: &Path, notes: &mut Vec<String>) -> Result<Roll, Error> {
    let (home, proc) = (Home::new(&context.account.home), Proc::default());
    let store = context.store()?;
    let newest = match &store {
        Some(store) => store.newest(&mut Vec::new())?.map(|(_, stored)| stored),
        None => None,
    };
    let rows = newest.as_ref().map_or(&[][..], |newest| &newest.snapshot.rows);
    let records = agent::record_dirs(&home, borrowed(&environments(rows)));
    let mut roll = Roll { boot: boot_id(), records, ..Roll::default() };
    let previous = newest.as_ref().map(|stored| &stored.snapshot);
    let Some(captured) = capture(context, previous, &home, &proc)? else { return Ok(roll) };
    enter(&mut roll, &captured, context, (root, &proc));
    let saved: BTreeSet<Vec<u8>> = rows.iter().filter_map(Row::conversation_key).collect();
    let is_new = |row: &Row| row.conversation_key().is_some_and(|id| !saved.contains(&id));
    let excluded = |row: &Row| context.keep.excludes(&row.session);
    if captured.snapshot.rows.iter().any(|row| is_new(row) && !excluded(row)) {
        let report = save::save(context);
        notes.extend(report.problem().map(|problem| problem.message));
    }
    Ok(roll)
}

fn enter(roll: &mut Roll, captured: &Capture, context: &Context, (root, proc): (&Path, &Proc)) {
    let started = |pid: i32| Started { pid, start: proc.stat(pid).map_or(0, |stat| stat.start) };
    if let Some(pid) = context.server.socket.server_pid() {
        roll.server = Some(WatchedServer {
            process: started(pid),
            id: captured.snapshot.server.clone(),
            group: group_of(root, pid),
        });
    }
    for row in &captured.snapshot.rows {
        let Some(pane) = row.pane_id.filter(|_| row.linked.is_none()) else { continue };
        let Some((pid, start)) = captured.agent_of_pane.get(&pane).copied() else { continue };
        if row.agent.is_none()
            || captured.marked_off.contains(&row.session)
            || context.keep.excludes(&row.session)
            || roll.agents.iter().any(|known| known.pane == pane)
            || roll.agents.len() >= MAX_AGENTS
        {
            continue;
        }
        roll.agents.push(WatchedAgent {
            process: Started { pid, start },
            leader: started(captured.pids.get(&pane).copied().unwrap_or(pid)),
            pane,
            session: row.session.clone(),
            agent: row.agent.clone().unwrap_or_default(),
            conversation: row.conversation.clone(),
            group: group_of(root, pid),
        });
    }
}

/// The control group of a process in the unified hierarchy; empty if unknown.
pub(super) fn group_of(root: &Path, pid: i32) -> String {
    let file = root.join("proc").join(pid.to_string()).join("cgroup");
    let text = std::fs::read_to_string(file);
    let text = text.unwrap_or_default();
    let group = text.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    // From inside a namespace, one outside of it begins so: its files cannot be read.
    if group.starts_with("..") { String::new() } else { group.to_owned() }
}
