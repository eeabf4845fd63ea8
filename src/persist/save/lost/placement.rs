//! Where lost panes are put among the rows of a snapshot (pure).

use crate::snapshot::{PaneFlags, Row, Snapshot, WindowFlags};
use std::collections::{BTreeMap, BTreeSet};

/// Marks the row of a live pane with the agent that it lost. Directory and command become those of
/// the agent, which can only be resumed there.
pub(super) fn leave_in_place(pane: &mut Row, lost: Row) {
    pane.cwd = lost.cwd;
    pane.conversation = lost.conversation;
    pane.agent = lost.agent;
    pane.state = lost.state;
    pane.command = lost.command;
    pane.evidence = lost.evidence;
    pane.prompted = lost.prompted;
    pane.agent_environment = lost.agent_environment;
    pane.parent = lost.parent;
    pane.agent_version = lost.agent_version;
    pane.agent_program = lost.agent_program;
    pane.pane_flags.shell = lost.pane_flags.shell;
    pane.last_seen = lost.last_seen;
    pane.lost_since = lost.lost_since;
}

/// Adds panes that are gone, each with whether its session is still live. In a live session, a pane
/// whose window index was reused becomes a new window after the last one.
pub(super) fn add(live: &mut Snapshot, missing: Vec<(Row, bool)>) {
    let mut taken: BTreeMap<Vec<u8>, BTreeSet<u32>> = BTreeMap::new();
    for row in &live.rows {
        taken.entry(row.session.clone()).or_default().insert(row.window);
    }
    let kept = missing.iter().filter(|(_, session_is_live)| *session_is_live);
    let wanted: BTreeSet<(Vec<u8>, u32)> =
        kept.map(|(row, _)| (row.session.clone(), row.window)).collect();
    let is_free = |(session, window): &(Vec<u8>, u32)| !taken[session].contains(window);
    let (stay, move_on): (Vec<_>, Vec<_>) = wanted.into_iter().partition(is_free);
    let mut moved: BTreeMap<(Vec<u8>, u32), u32> = BTreeMap::new();
    for (session, window) in stay {
        taken.entry(session.clone()).or_default().insert(window);
        moved.insert((session, window), window);
    }
    for (session, window) in move_on {
        let indexes = taken.entry(session.clone()).or_default();
        let free = indexes.last().map_or(0, |last| last.saturating_add(1));
        indexes.insert(free);
        moved.insert((session, window), free);
    }
    for (mut row, session_is_live) in missing {
        row.pane_id = None;
        if session_is_live {
            let window = moved[&(row.session.clone(), row.window)];
            if window != row.window {
                row.window_layout = Vec::new();
            }
            row.window = window;
            row.window_flags = WindowFlags { active: false, last: false, ..row.window_flags };
            row.pane_flags = PaneFlags { dead: false, ..row.pane_flags };
            row.group = None;
        }
        live.rows.push(row);
    }
    live.rows.sort_by(|a, b| a.place().cmp(&b.place()));
}
