//! Warns where an agent's memory that cannot be given back nears the limit of its pane's control group: in the pane's
//! option `@persist_warning`, which a status line can show, and as an event.

use super::list::group_of;
use super::memory_state::GroupMemory;
use super::roll::Answer;
use crate::agent::Home;
use crate::events::{self, Event};
use crate::persist::capture::{Capture, capture};
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{Report, WatchReport};
use crate::persist::watch_task::WatchTask;
use crate::process::Proc;
use crate::snapshot::Row;
use crate::sys::clock::Epoch;
use crate::tmux::TmuxError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The option of a pane.
const OPTION: &str = "@persist_warning";
/// How long until a warning is looked at again.
const AGAIN: Epoch = 60;

/// Looks at the memory of every agent's pane.
pub fn warn(context: &Context, task: &WatchTask) -> Report {
    let mut report = WatchReport::default();
    match try_warn(context, task, &mut report.notes) {
        Ok(answer) => report.text = answer.encode() + "\n",
        Err(error) => report.error = Some(error.into()),
    }
    Report::Watch(report)
}

/// Where the unified hierarchy of control groups is.
pub(super) fn hierarchy(root: &Path) -> PathBuf {
    let unified = root.join("sys/fs/cgroup/unified");
    if unified.is_dir() { unified } else { root.join("sys/fs/cgroup") }
}

fn try_warn(context: &Context, task: &WatchTask, notes: &mut Vec<String>) -> Result<Answer, Error> {
    let (home, proc) = (Home::new(&context.account.home), Proc::default());
    let Some(captured) = capture(context, None, &home, &proc)? else {
        return Ok(Answer::default());
    };
    let warned = warned(context)?;
    let shared = context.server.socket.server_pid().map(|pid| group_of(&task.root, pid));
    let mut is_any_near = false;
    for (pane, (pid, _)) in &captured.agent_of_pane {
        let group = group_of(&task.root, *pid);
        // The limit of all panes together is no pane's.
        let own = Some(&group).filter(|group| !group.is_empty() && Some(*group) != shared.as_ref());
        let memory = own.and_then(|group| read(&hierarchy(&task.root).join(group)));
        let was_warned = warned.contains(pane);
        let is_near = memory.is_some_and(|memory| memory.is_near(was_warned));
        is_any_near |= is_near;
        if let Some(memory) = memory.filter(|_| is_near) {
            set(context, *pane, Some(&memory.to_string()))?;
            if !was_warned {
                announce(context, &captured, *pane, memory, notes);
            }
        } else if was_warned {
            set(context, *pane, None)?;
        }
    }
    Ok(Answer { next: is_any_near.then(|| context.now + AGAIN), ..Answer::default() })
}

/// The panes that have a warning.
fn warned(context: &Context) -> Result<BTreeSet<u32>, TmuxError> {
    let panes = context.server.pane_option(OPTION)?;
    Ok(panes.into_iter().filter(|(_, value)| !value.is_empty()).map(|(pane, _)| pane).collect())
}

fn set(context: &Context, pane: u32, text: Option<&str>) -> Result<(), TmuxError> {
    let pane = format!("%{pane}");
    let words: &[&str] = match text {
        Some(text) => &["set-optio", "-p", "-t", &pane, OPTION, text],
        None => &["set-optio", "-pu", "-t", &pane, OPTION],
    };
    context.server.send(words.iter().map(Into::into).collect())
}

fn announce(
    context: &Context,
    captured: &Capture,
    pane: u32,
    memory: GroupMemory,
    notes: &mut Vec<String>,
) {
    let row = captured.snapshot.rows.iter().find(|row| row.pane_id == Some(pane));
    let Some(Row { session, agent, conversation, .. }) = row else { return };
    let event = Event {
        time: context.now,
        kind: events::Kind::MemoryWarning,
        session: Some(session.clone()),
        pane: Some(pane),
        agent: agent.clone(),
        conversation: conversation.clone(),
        bytes: Some(memory.used),
        text: memory.to_string().into_bytes(),
        ..Event::default()
    };
    context.announce(&event, notes);
}

fn read(group: &Path) -> Option<GroupMemory> {
    let text = |name: &str| std::fs::read_to_string(group.join(name)).unwrap_or_default();
    let limits = [text("memory.max"), text("memory.high")];
    GroupMemory::parse(&text("memory.current"), &text("memory.stat"), &limits)
}
