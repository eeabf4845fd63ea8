//! `diff`: what differs between two snapshots, or between a snapshot and the present.

use crate::agent::Home;
use crate::persist::capture::capture;
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{
    Change, ComparedField, ComparedPane, ComparedSession, DiffReport, Report,
};
use crate::persist::restore::source;
use crate::persist::save::{carry_lost, exclusion, read_closings};
use crate::process::Proc;
use crate::snapshot::diff::{PaneDiff, SessionDiff, diff as differences};
use crate::snapshot::{Snapshot, Store, Stored};
use crate::text::{escape, json_text};
use std::collections::BTreeSet;

/// The newest valid snapshot.
pub const LATEST: &str = "latest";
/// The live sessions, as a save would record them now.
pub const LIVE: &str = "live";

/// Compares two snapshots, each an id, a path with a slash, [`LATEST`] or [`LIVE`].
pub fn diff(context: &Context, from: &str, to: &str) -> Report {
    let mut report = DiffReport::default();
    report.error = try_diff(context, (from, to), &mut report).err().map(Into::into);
    Report::Diff(report)
}

fn try_diff(
    context: &Context,
    (from, to): (&str, &str),
    report: &mut DiffReport,
) -> Result<(), Error> {
    let store = context.store()?;
    let (from_name, from) = side(context, store.as_ref(), from, &mut report.notes)?;
    let (to_name, to) = side(context, store.as_ref(), to, &mut report.notes)?;
    if !from.boot.is_empty() && !to.boot.is_empty() && from.boot != to.boot {
        report.notes.push("the host was rebooted in between".to_owned());
    }
    (report.from, report.to) = (Some(from_name), Some(to_name));
    report.sessions = differences(&from, &to).iter().map(session).collect();
    Ok(())
}

/// One side of the comparison, with its name in the report.
fn side(
    context: &Context,
    store: Option<&Store>,
    name: &str,
    notes: &mut Vec<String>,
) -> Result<(String, Snapshot), Error> {
    let user = || context.account.name.clone();
    let latest = |notes: &mut Vec<String>| source::find(context, store, None, notes);
    match name {
        LIVE => {
            let previous = latest(&mut Vec::new())?;
            Ok((LIVE.to_owned(), live(context, store, previous.as_ref(), notes)?))
        }
        LATEST => match latest(notes)? {
            Some(stored) => Ok((stored.id.to_string(), stored.snapshot)),
            None => Err(Error::NoSnapshots { user: user() }),
        },
        name => match source::find(context, store, Some(name), notes)? {
            Some(stored) if name.contains('/') => Ok((name.to_owned(), stored.snapshot)),
            Some(stored) => Ok((stored.id.to_string(), stored.snapshot)),
            None => {
                let name = escape(name.as_bytes());
                Err(Error::NoSuchSnapshot { user: user(), name })
            }
        },
    }
}

/// The live sessions, with what is lost.
fn live(
    context: &Context,
    store: Option<&Store>,
    previous: Option<&Stored>,
    notes: &mut Vec<String>,
) -> Result<Snapshot, Error> {
    let (home, proc) = (Home::new(&context.account.home), Proc::default());
    let snapshot = previous.map(|stored| &stored.snapshot);
    let Some(mut captured) = capture(context, snapshot, &home, &proc)? else {
        notes.push("no tmux server is running".to_owned());
        return Ok(Snapshot::default());
    };
    if let (Some(store), Some(previous)) = (store, previous) {
        let closings = read_closings::read(store, notes);
        let seen = previous.id.seconds(); // differing times do not count as a difference
        let excluded = exclusion::drop_excluded(&mut captured, &context.keep, snapshot);
        let previous = &Stored {
            id: previous.id,
            snapshot: exclusion::without(&previous.snapshot, &excluded, &context.keep),
        };
        carry_lost::carry_lost(
            context,
            &mut captured,
            previous,
            &closings,
            seen,
            (store.unrestored(notes), store.suspending(notes), excluded.conversations),
            (&home, &proc),
        );
    }
    notes.extend(captured.notes);
    Ok(captured.snapshot)
}

fn session(session: &SessionDiff<'_>) -> ComparedSession {
    let change = match (session.from, session.to) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        (from, to) if from != to => Change::Renamed,
        _ => Change::Changed,
    };
    let mut reported = BTreeSet::new();
    let panes = session.panes.iter().filter_map(|one| pane(one, &mut reported)).collect();
    ComparedSession {
        session: json_text(session.name()),
        was: session.from.filter(|_| change == Change::Renamed).map(json_text),
        change,
        panes,
    }
}

/// A pane of the report. Changes of a window are reported at its first pane only: `reported` has
/// the window and field of those that were.
fn pane(pane: &PaneDiff<'_>, reported: &mut BTreeSet<(u32, &'static str)>) -> Option<ComparedPane> {
    let row = pane.row()?;
    let change = match (pane.from, pane.to) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        _ => Change::Changed,
    };
    let text = |value: &Vec<u8>| json_text(value);
    let fields = pane.fields().into_iter();
    let fields =
        fields.filter(|field| !field.of_window || reported.insert((row.window, field.name)));
    let fields: Vec<ComparedField> = fields
        .map(|field| ComparedField {
            field: field.name.to_owned(),
            from: field.from.as_ref().map(text),
            to: field.to.as_ref().map(text),
        })
        .collect();
    (change != Change::Changed || !fields.is_empty()).then(|| ComparedPane {
        window: row.window,
        pane: row.pane,
        change,
        state: row.state,
        agent: row.agent.as_ref().map(text),
        conversation: row.conversation.as_ref().map(text),
        cwd: json_text(&row.cwd),
        fields,
    })
}
