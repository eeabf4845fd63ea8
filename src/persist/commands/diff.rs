//! `diff`: what differs between two snapshots, or between a snapshot and the present.

use crate::agent::Home;
use crate::persist::capture::capture;
use crate::persist::context::Context;
use crate::persist::report::{
    ComparedField, ComparedPane, ComparedSession, DiffReport, Problem, Report,
};
use crate::persist::restore::source;
use crate::persist::save::{self, read_closings};
use crate::process::Proc;
use crate::snapshot::diff::{PaneDiff, SessionDiff, diff as differences};
use crate::snapshot::{Snapshot, Store, Stored};
use crate::text::{escape, json_text};
use std::collections::BTreeSet;

/// The newest sound snapshot.
pub const LATEST: &str = "latest";
/// The sessions as a save would record them now.
pub const LIVE: &str = "live";

/// Compares two snapshots: ids, files with a slash in the name, [`LATEST`] or [`LIVE`].
pub fn diff(context: &Context, from: &str, to: &str) -> Report {
    let mut compared = DiffReport::default();
    if let Err(problem) = try_diff(context, (from, to), &mut compared) {
        compared.error = Some(problem);
    }
    Report::Diff(compared)
}

fn try_diff(
    context: &Context,
    (from, to): (&str, &str),
    compared: &mut DiffReport,
) -> Result<(), Problem> {
    let store = context.store().map_err(|error| Problem::failed(&error))?;
    let (from_name, from) = side(context, store.as_ref(), from, &mut compared.notes)?;
    let (to_name, to) = side(context, store.as_ref(), to, &mut compared.notes)?;
    if !from.boot.is_empty() && !to.boot.is_empty() && from.boot != to.boot {
        compared.notes.push("the host was started anew in between".to_owned());
    }
    (compared.from, compared.to) = (Some(from_name), Some(to_name));
    compared.sessions = differences(&from, &to).iter().map(session).collect();
    Ok(())
}

/// One side of the comparison, with what to call it.
fn side(
    context: &Context,
    store: Option<&Store>,
    name: &str,
    notes: &mut Vec<String>,
) -> Result<(String, Snapshot), Problem> {
    let user = &context.account.name;
    let latest = |notes: &mut Vec<String>| source::find(context, store, None, notes);
    match name {
        LIVE => {
            let previous = latest(&mut Vec::new())?;
            Ok((LIVE.to_owned(), live(context, store, previous.as_ref(), notes)?))
        }
        LATEST => match latest(notes)? {
            Some(stored) => Ok((stored.id.to_string(), stored.snapshot)),
            None => Err(Problem::usage(format!("{user} has no snapshot"))),
        },
        name => match source::find(context, store, Some(name), notes)? {
            Some(stored) if name.contains('/') => Ok((name.to_owned(), stored.snapshot)),
            Some(stored) => Ok((stored.id.to_string(), stored.snapshot)),
            None => {
                let name = escape(name.as_bytes());
                Err(Problem::usage(format!("{user} has no snapshot '{name}'")))
            }
        },
    }
}

/// The present, with what is lost.
fn live(
    context: &Context,
    store: Option<&Store>,
    previous: Option<&Stored>,
    notes: &mut Vec<String>,
) -> Result<Snapshot, Problem> {
    let failed = |error: &dyn std::fmt::Display| Problem::failed(&error);
    let (home, proc) = (Home::new(&context.account.home), Proc::default());
    let snapshot = previous.map(|stored| &stored.snapshot);
    let captured = capture(context, snapshot, &home, &proc).map_err(|e| failed(&e))?;
    let Some(mut captured) = captured else {
        notes.push("no tmux server is running".to_owned());
        return Ok(Snapshot::default());
    };
    if let (Some(store), Some(previous)) = (store, previous) {
        let closings = read_closings::read(store, notes);
        let seen = previous.id.seconds(); // times are no difference
        save::carry_forward(context, &mut captured, previous, &closings, seen, (&home, &proc));
    }
    notes.extend(captured.notes);
    Ok(captured.snapshot)
}

/// A session of the report.
fn session(session: &SessionDiff<'_>) -> ComparedSession {
    let change = match (session.from, session.to) {
        (None, _) => "added",
        (_, None) => "removed",
        (from, to) if from != to => "renamed",
        _ => "changed",
    };
    let mut told = BTreeSet::new();
    let panes = session.panes.iter().filter_map(|one| pane(one, &mut told)).collect();
    ComparedSession {
        session: json_text(session.name()),
        was: session.from.filter(|_| change == "renamed").map(json_text),
        change: change.to_owned(),
        panes,
    }
}

/// A pane of the report; what changed of a window is told once.
fn pane(pane: &PaneDiff<'_>, told: &mut BTreeSet<(u32, &'static str)>) -> Option<ComparedPane> {
    let row = pane.row()?;
    let change = match (pane.from, pane.to) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    let text = |value: &Vec<u8>| json_text(value);
    let fields = pane.fields().into_iter();
    let fields = fields.filter(|field| !field.of_window || told.insert((row.window, field.name)));
    let fields: Vec<ComparedField> = fields
        .map(|field| ComparedField {
            field: field.name.to_owned(),
            from: field.from.as_ref().map(text),
            to: field.to.as_ref().map(text),
        })
        .collect();
    (change != "changed" || !fields.is_empty()).then(|| ComparedPane {
        window: row.window,
        pane: row.pane,
        change: change.to_owned(),
        state: row.state.word().to_owned(),
        agent: row.agent.as_ref().map(text),
        conversation: row.conversation.as_ref().map(text),
        cwd: json_text(&row.cwd),
        fields,
    })
}
