//! Sessions that are there.

use super::agent_facts::AgentFacts;
use super::gone;
use super::known::Known;
use super::view::{Need, SessionView};
use crate::agent::{Doing, Home, Sighting};
use crate::persist::capture::Capture;
use crate::process::Proc;
use crate::snapshot::Row;
use crate::sys::clock::Epoch;
use crate::tmux::SessionFacts;
use std::collections::BTreeMap;

/// What was found of them.
pub(super) struct Found<'a> {
    pub(super) captured: &'a Capture,
    /// By tmux's number.
    pub(super) facts: &'a BTreeMap<u32, SessionFacts>,
    pub(super) now: Epoch,
}

impl Found<'_> {
    /// Each session, by the neediest of its panes.
    pub(super) fn views(&self, home: &Home, proc: &Proc, known: &mut Known) -> Vec<SessionView> {
        let rows = self.captured.snapshot.rows.chunk_by(|a, b| a.session == b.session);
        rows.filter_map(|rows| self.view(rows, home, proc, known)).collect()
    }

    fn view(
        &self,
        rows: &[Row],
        home: &Home,
        proc: &Proc,
        known: &mut Known,
    ) -> Option<SessionView> {
        let captured = self.captured;
        let number = captured.session_ids.get(&rows[0].session).copied()?;
        let facts = self.facts.get(&number)?;
        let sighting = |row: &Row| captured.sightings.get(&row.pane_id?);
        let need = |row: &Row| sighting(row).map_or(Need::Shell, need_of);
        let speaks = |row: &&Row| (need(row), !row.window_flags.active, !row.pane_flags.active);
        let row = rows.iter().min_by_key(speaks)?;
        let changed = |row: &Row| {
            let place = (row.session.clone(), row.window, row.pane);
            captured.in_effect.get(&place).map_or(0, |(activity, _)| *activity)
        };
        let seen = sighting(row);
        let title = row.pane_id.and_then(|pane| captured.titles.get(&pane));
        let title = title.filter(|title| seen.is_some() && !title.is_empty());
        let firsts = rows.iter().filter_map(|row| captured.pids.get(&row.pane_id?).copied());
        let memory = firsts.filter_map(|first| known.memory(first, self.now, proc));
        let memory = memory.reduce(u64::saturating_add);
        let of_agent = seen.map(|seen| AgentFacts::of(seen, row, self.now, home, proc, known));
        let of_agent = of_agent.unwrap_or_default();
        Some(SessionView {
            birth_id: facts.birth_id.clone().unwrap_or_default(),
            spare: facts.spare.clone(),
            number: Some(number),
            pane: row.pane_id,
            need: need(row),
            waiting_for: seen.and_then(|seen| seen.status.as_ref()?.waiting_for.clone()),
            title: title.cloned(),
            viewers: facts.viewers,
            size: facts.size,
            changed: rows.iter().map(changed).max().unwrap_or(0),
            since: seen.and_then(|seen| seen.since),
            model: of_agent.model,
            branch: known.branch(&row.cwd, self.now),
            memory,
            commands: of_agent.commands,
            survives_detach: facts.survives_detach,
            ..gone::of_rows(rows, row)
        })
    }
}

fn need_of(sighting: &Sighting) -> Need {
    if sighting.waits {
        return Need::Suspended;
    }
    match sighting.status.as_ref().map(|status| status.doing) {
        Some(Doing::Waiting) => Need::Waiting,
        Some(Doing::Busy) => Need::Working,
        Some(Doing::Idle) => Need::Idle,
        None => Need::Unknown,
    }
}
