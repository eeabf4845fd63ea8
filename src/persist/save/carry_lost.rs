//! Carries what is lost from the newest snapshot forward, and notes it for the user.

use super::closings::Closings;
use super::lost::{self, Times, not_restored};
use crate::agent::{self, Home};
use crate::persist::capture::Capture;
use crate::persist::capture::agents::{borrowed, environments};
use crate::persist::context::Context;
use crate::persist::restore_pending;
use crate::process::Proc;
use crate::snapshot::{Row, Stored, Suspending, Unrestored};
use crate::sys::clock::{self, Epoch};
use crate::text::escape;
use std::collections::BTreeSet;
use std::mem::take;
use std::time::Duration;

/// Adds what the newest snapshot had and is lost now to `captured`. `seen` is when the newest
/// snapshot was last up to date. Returns a note about what was lost since then.
///
/// If the user's sessions are still to be restored, everything that the newest snapshot has
/// stays in it, for as long as that is so.
pub(crate) fn carry_lost(
    context: &Context,
    captured: &mut Capture,
    newest: &Stored,
    closings: &Closings,
    seen: Epoch,
    (unrestored, suspending, excluded): (Unrestored, Suspending, BTreeSet<Vec<u8>>),
    (home, proc): (&Home, &Proc),
) -> Option<String> {
    // Where a save holds the lock, as a restore does to its end, this does not change meanwhile.
    let is_pending = restore_pending::is_pending(&context.account);
    let aside = is_pending.then(|| {
        not_restored::set_aside(newest, &captured.snapshot, &clock::hhmm(newest.id.seconds()))
    });
    let newest = aside.as_ref().unwrap_or(newest);
    let live: BTreeSet<_> =
        captured.snapshot.rows.iter().filter_map(Row::conversation_key).collect();
    let is_known = |row: &Row| row.conversation_key().is_none_or(|id| live.contains(&id));
    let mut evidence = lost::Evidence {
        restored: take(&mut captured.restored),
        origins: captured.origins.clone(),
        hhmm: clock::hhmm(context.now),
        unrestored,
        suspending: suspending.0,
        elsewhere: excluded,
    };
    let server = captured.snapshot.server.split('-').next().and_then(|pid| pid.parse().ok());
    // Only a missing conversation needs a search outside the panes.
    if !newest.snapshot.rows.iter().all(is_known) {
        let rows = newest.snapshot.rows.iter().chain(&captured.snapshot.rows);
        let environments = environments(rows);
        let live = agent::live(home, borrowed(&environments), proc, &captured.agents).into_iter();
        let live = live.filter(|(_, pid)| !is_in_another_server(*pid, server, proc));
        evidence.elsewhere.extend(live.map(|(id, _)| id.key().into()));
        evidence.elsewhere.extend(captured.beside.iter().filter_map(Row::conversation_key));
    }
    let window = if is_pending { Duration::MAX } else { context.lost_window };
    let times = Times { now: context.now, seen, window };
    let carried = lost::carry_forward(&mut captured.snapshot, newest, closings, &evidence, times);
    if !carried.expired.is_empty() {
        let hours = context.lost_window.as_secs() / 3600;
        let names = session_names(&carried.expired).join(", ");
        captured
            .notes
            .push(format!("lost for more than {hours} h, now only in older snapshots: {names}"));
    }
    for (name, now) in &carried.renamed {
        captured.notes.push(format!(
            "{} is the name of other work now: what was lost of it is kept as {}",
            escape(name),
            escape(now)
        ));
    }
    let names = session_names(&carried.newly_lost);
    let them = if names.len() == 1 { "it" } else { "them" };
    let list = names.join(", ");
    let what = if is_pending {
        "not restored since the host came up, carried as lost"
    } else {
        "lost since the last save"
    };
    (!names.is_empty()).then(|| format!("{what}: {list} ('persist restore' brings {them} back)"))
}

/// The names of the sessions of these rows, each once, escaped.
fn session_names(rows: &[Row]) -> Vec<String> {
    let names: BTreeSet<String> = rows.iter().map(|row| escape(&row.session)).collect();
    names.into_iter().collect()
}

/// Whether a process runs in a pane of another tmux server than this one. If both servers are saved
/// into one state directory by turns, neither save may drop what the other one has: such a process
/// is no evidence that its conversation merely runs outside the panes.
fn is_in_another_server(pid: i32, server: Option<i32>, proc: &Proc) -> bool {
    const MAX_DEPTH: usize = 64;
    let parent = |pid: &i32| proc.stat(*pid).map(|stat| stat.parent).filter(|pid| *pid > 1);
    let mut ancestors = std::iter::successors(Some(pid), parent).skip(1).take(MAX_DEPTH);
    let is_tmux =
        |pid: &i32| proc.process(*pid, 0).is_some_and(|process| process.called() == b"tmux");
    ancestors.find(is_tmux).is_some_and(|found| Some(found) != server)
}
