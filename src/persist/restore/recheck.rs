//! Rechecks the steps of a plan directly before they are executed: meanwhile the user may have done
//! the same by hand (lesson 13).

use super::gather::{SETTLES_WITHIN, comes_to_wait, is_waiting_shell};
use super::step::{Action, Start, Step};
use crate::agent::{self, Home};
use crate::persist::capture::agents::{borrowed, environments};
use crate::persist::capture::{Capture, capture};
use crate::persist::context::Context;
use crate::process::Proc;
use crate::snapshot::Row;
use crate::tmux::TmuxError;
use std::collections::BTreeSet;
use std::time::Instant;

/// The live sessions directly before a plan is executed.
pub(crate) struct LiveState<'a> {
    context: &'a Context,
    proc: Proc,
    live: Capture,
    sessions: BTreeSet<Vec<u8>>,
    conversations: BTreeSet<Vec<u8>>,
}

impl<'a> LiveState<'a> {
    /// Captures them; `planned` are the rows that are to be restored.
    pub(crate) fn capture<'r>(
        context: &'a Context,
        planned: impl Iterator<Item = &'r Row>,
    ) -> Result<Self, TmuxError> {
        let (home, proc) = (Home::new(&context.account.home), Proc::default());
        let live = capture(context, None, &home, &proc)?.unwrap_or_default();
        let mut known = environments(&live.snapshot.rows);
        known.extend(environments(planned));
        let outside = agent::live(&home, borrowed(&known), &proc, &live.agents);
        let mut conversations: BTreeSet<Vec<u8>> =
            outside.into_iter().map(|(id, _)| id.key().into()).collect();
        conversations.extend(live.beside.iter().filter_map(Row::conversation_key));
        let rows = &live.snapshot.rows;
        conversations.extend(rows.iter().filter_map(Row::conversation_key));
        let sessions = rows.iter().map(|row| row.session.clone()).collect();
        Ok(Self { context, proc, live, sessions, conversations })
    }

    /// Whether a session of that name is live.
    pub(crate) fn has_session(&self, name: &[u8]) -> bool {
        self.sessions.contains(name)
    }

    /// Whether a session has nothing but shells that wait at their prompts now.
    pub(crate) fn only_waiting_shells(&self, name: &[u8]) -> bool {
        let mut rows = self.live.snapshot.rows.iter().filter(|row| row.session == name);
        rows.all(|row| {
            let pid = row.pane_id.and_then(|pane| self.live.pids.get(&pane));
            row.agent.is_none()
                && pid.is_some_and(|pid| is_waiting_shell(*pid, self.context, &self.proc))
        })
    }

    /// Whether a session has just the windows and panes of these steps, in the same directories.
    pub(crate) fn has_just(&self, name: &[u8], steps: &[&Step]) -> bool {
        let rows = self.live.snapshot.rows.iter().filter(|row| row.session == name);
        let place = |row: &Row| (row.window, row.pane, row.cwd.clone());
        rows.map(place).eq(steps.iter().map(|step| place(&step.row)))
    }

    /// Why a conversation must not be resumed after all.
    pub(crate) fn conversation_conflict(&self, step: &Step) -> Option<&'static str> {
        let Start::Agent { id, .. } = &step.start else { return None };
        let is_live = self.conversations.contains(id.key().as_bytes());
        is_live.then_some("its conversation is live now")
    }

    /// Why a step must not be executed after all.
    pub(crate) fn conflict(&self, step: &Step) -> Option<&'static str> {
        if let Some(why) = self.conversation_conflict(step) {
            return Some(why);
        }
        match step.action {
            Action::InPlace { pane, pid } => {
                let is_same = self.live.pids.get(&pane).copied() == pid
                    && self.live.snapshot.rows.iter().any(|row| row.pane_id == Some(pane));
                let patience = Instant::now() + SETTLES_WITHIN;
                let waits =
                    pid.is_none_or(|pid| comes_to_wait(pid, self.context, &self.proc, patience));
                (!is_same || !waits).then_some("no shell waits in its pane now")
            }
            // Checked by the command that replaces it.
            Action::Replace { .. } => None,
            _ if self.sessions.contains(&step.target) => Some("a session of that name is live now"),
            _ => None,
        }
    }
}
