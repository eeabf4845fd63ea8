//! `save`: a snapshot when something changed, and never an empty one.

pub mod closing_agents;
pub mod closings;
pub mod coalesce;
pub mod history_index;
pub mod lost;
pub mod prune;
pub mod read_closings;
pub mod scrollback;

use super::capture::{Capture, capture};
use super::context::Context;
use super::report::{Report, SaveReport, SaveResult};
use crate::agent::{AGENTS, Home};
use crate::persist::restore_pending;
use crate::process::Proc;
use crate::snapshot::{self, Row, SnapshotId, State, Stored};
use crate::sys::clock::{self, Epoch};
use crate::text::escape;
use closings::Closings;
use coalesce::Turn;
use history_index::remember;
use lost::Times;
use prune::prune;
use std::collections::BTreeSet;
use std::mem::take;
use std::time::Instant;

/// Saves the user's live sessions.
pub fn save(context: &Context) -> Report {
    save_in_turn(context, None)
}

/// Saves them because something changed, at most once a second: another that is about to save will
/// see the change, too.
pub fn save_soon(context: &Context) -> Report {
    // Without a server there is nothing to take turns at.
    if !context.server.is_listening().unwrap_or(false) {
        return save_in_turn(context, None);
    }
    match context.writable_store().and_then(|store| Turn::take(&store)) {
        Ok(Some(turn)) => {
            let mut context = context.clone();
            context.now = clock::now(); // some time has gone by
            save_in_turn(&context, Some(&turn))
        }
        Ok(None) => {
            let notes = vec!["another save is about to see it".to_owned()];
            Report::Save(SaveReport { result: SaveResult::Nothing, notes, ..SaveReport::default() })
        }
        Err(error) => {
            Report::Save(SaveReport { error: Some(error.to_string()), ..SaveReport::default() })
        }
    }
}

fn save_in_turn(context: &Context, turn: Option<&Turn>) -> Report {
    let begin = Instant::now();
    let mut notes = Vec::new();
    let mut report = try_save(context, turn, &mut notes)
        .unwrap_or_else(|error| SaveReport { error: Some(error), ..SaveReport::default() });
    record(context, begin, &report, &mut notes);
    report.notes = notes;
    Report::Save(report)
}

/// Records how it went.
fn record(context: &Context, begin: Instant, saved: &SaveReport, notes: &mut Vec<String>) {
    let why = saved.error.as_deref().unwrap_or_default();
    let mut trouble = Vec::new();
    context.record(&mut trouble, |activity| {
        activity.enter_save(context.now, begin.elapsed(), saved.result, why);
    });
    // Where the save failed itself, that is what there is to say.
    if saved.error.is_none() {
        notes.extend(trouble);
    }
}

fn try_save(
    context: &Context,
    turn: Option<&Turn>,
    notes: &mut Vec<String>,
) -> Result<SaveReport, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    // Without a server nothing is made, not even the directory.
    let nothing = |notes: &mut Vec<String>, why: &str| {
        notes.push(why.to_owned());
        Ok(SaveReport { result: SaveResult::Nothing, ..SaveReport::default() })
    };
    if restore_pending::is_pending(&context.account) {
        let why = "not restored yet since the host came up: the old state is kept until \
                   `persist restore` has succeeded";
        return nothing(notes, why);
    }
    if !context.server.is_listening().map_err(|e| text(&e))? {
        let socket = context.server.socket.path().display();
        return nothing(notes, &format!("no tmux server is running at {socket}"));
    }
    let mut store = context.writable_store().map_err(|e| text(&e))?;
    let lock = store.lock(context.lock_wait).map_err(|e| text(&e))?;
    if let Some(turn) = turn {
        turn.begin();
    }
    let newest = store.newest(notes).map_err(|e| text(&e))?;
    let closings = read_closings::read(&store, notes);
    let (home, proc) = (Home::new(&context.account.home), Proc::default());
    let previous = newest.as_ref().map(|(_, stored)| &stored.snapshot);
    let Some(mut captured) = capture(context, previous, &home, &proc).map_err(|e| text(&e))? else {
        return nothing(notes, "no tmux server is running");
    };
    let kept = coalesce::keep(&context.server, context.hooks.as_ref(), captured.hooks);
    notes.extend(kept.err().map(|error| format!("saves on change are not set up: {error}")));
    if captured.snapshot.rows.is_empty() {
        notes.extend(captured.notes);
        return nothing(notes, "the tmux server has no sessions");
    }
    if let Some((_, newest)) = &newest {
        let started = |id: &[u8]| captured.started.get(id).and_then(|start| proc.time_of(*start));
        closing_agents::drop_closing(&mut captured.snapshot, newest.id, &closings, started);
        // The snapshot itself may be old: nothing is written while nothing changes.
        let seen = store.activity(notes).confirmed.max(newest.id.seconds());
        let lost = carry_forward(context, &mut captured, newest, &closings, seen, (&home, &proc));
        captured.notes.extend(lost);
    }
    notes.extend(captured.notes);
    let snapshot = captured.snapshot;
    remember(context, (&store, &lock), &snapshot, previous, notes);
    let bytes = snapshot::encode(&snapshot);
    let report = |result, id: SnapshotId| SaveReport {
        result,
        snapshot: Some(id.to_string()),
        sessions: snapshot.sessions(),
        panes: snapshot.rows.len(),
        lost: snapshot.rows.iter().filter(|row| row.state == State::Lost).count(),
        ..SaveReport::default()
    };
    if let Some((_, Stored { id, .. })) = newest.as_ref().filter(|(old, _)| *old == bytes)
        && !closings.any_alive(&snapshot, *id)
    {
        store.point_latest(*id).map_err(|e| text(&e))?;
        let ids = (None, *id);
        notes.extend(scrollback::keep(context, &store, &snapshot, &captured.alternate, ids, &lock));
        return Ok(report(SaveResult::Unchanged, *id));
    }
    // Whatever lies there, sound or not, this one comes after it.
    let ids = store.ids().map_err(|e| text(&e))?.0;
    let id = SnapshotId::next(context.now, ids.first().copied(), closings.latest());
    // Written before it: a snapshot never comes without what it had.
    let old_and_new = (newest.as_ref().map(|(_, stored)| stored.id), id);
    let alternate = &captured.alternate;
    notes.extend(scrollback::keep(context, &store, &snapshot, alternate, old_and_new, &lock));
    store.write(id, &bytes, &lock).map_err(|e| text(&e))?;
    prune(context, (&store, &lock), &ids, id, notes);
    Ok(report(SaveResult::Saved, id))
}

/// What the newest snapshot knew and nobody sees any more becomes a part of this one, as lost.
pub(super) fn carry_forward(
    context: &Context,
    captured: &mut Capture,
    newest: &Stored,
    closings: &Closings,
    seen: Epoch,
    (home, proc): (&Home, &Proc),
) -> Option<String> {
    let live: BTreeSet<_> =
        captured.snapshot.rows.iter().filter_map(|row| row.conversation.as_deref()).collect();
    let known = |row: &Row| row.conversation.as_deref().is_none_or(|id| live.contains(id));
    let mut outside = lost::Known { restored: take(&mut captured.restored), ..Default::default() };
    let server = captured.snapshot.server.split('-').next().and_then(|pid| pid.parse().ok());
    // Only what is missed needs to be looked for outside the panes.
    if !newest.snapshot.rows.iter().all(known) {
        for agent in AGENTS {
            let live = agent.live(home, proc, &captured.agents).into_iter();
            let live = live.filter(|(_, pid)| !is_in_another_server(*pid, server, proc));
            outside.elsewhere.extend(live.map(|(id, _)| id.as_str().into()));
        }
    }
    let times = Times { now: context.now, seen, window: context.lost_window };
    let carried = lost::carry_forward(&mut captured.snapshot, newest, closings, &outside, times);
    let names = |rows: &[Row]| {
        let names: BTreeSet<String> = rows.iter().map(|row| escape(&row.session)).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    if !carried.expired.is_empty() {
        let hours = context.lost_window.as_secs() / 3600;
        let names = names(&carried.expired);
        captured.notes.push(format!(
            "lost for more than {hours} h, from now on only in older snapshots: {names}"
        ));
    }
    let lost = names(&carried.newly_lost);
    (!lost.is_empty()).then(|| format!("lost, a restore brings it back: {lost}"))
}

/// Whether a process runs in a pane of another tmux server than this one. What runs there was not
/// brought to where no save looks: both servers may be saved into one state directory by turns, and
/// neither save must drop what the other knows.
fn is_in_another_server(pid: i32, server: Option<i32>, proc: &Proc) -> bool {
    const MOST: usize = 64;
    let parent = |pid: &i32| proc.stat(*pid).map(|stat| stat.parent).filter(|pid| *pid > 1);
    let mut ancestors = std::iter::successors(Some(pid), parent).skip(1).take(MOST);
    let is_tmux =
        |pid: &i32| proc.process(*pid, 0).is_some_and(|process| process.called() == b"tmux");
    ancestors.find(is_tmux).is_some_and(|found| Some(found) != server)
}
