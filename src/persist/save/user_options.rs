//! Adds the options that users and tools set to the rows of a save. Asking for them costs about as much as
//! the rest of a save, so the answer of the last one is used again if that was a moment ago and no pane
//! is new.

use crate::persist::capture::Capture;
use crate::persist::context::Context;
use crate::snapshot::{Row, Snapshot};
use crate::sys::clock::Epoch;
use crate::tmux::user_options::{Answer, Owner, encode};
use std::collections::{BTreeMap, BTreeSet};

/// For how long an answer counts, in seconds.
const VALID: Epoch = 2;

/// Completes what was captured. `previous` is the newest snapshot, which was last up to date at `seen`.
/// Returns a note if the server did not answer; what the newest snapshot has is used then.
pub(crate) fn complete(
    context: &Context,
    captured: &mut Capture,
    previous: Option<&Snapshot>,
    seen: Epoch,
) -> Option<String> {
    let names = &context.keep.user_options;
    if names.is_empty() || captured.snapshot.rows.is_empty() {
        return None;
    }
    let same_server = |snapshot: &&Snapshot| snapshot.server == captured.snapshot.server;
    let known: BTreeMap<(u32, &[u8]), &Row> = previous
        .filter(same_server)
        .into_iter()
        .flat_map(|snapshot| &snapshot.rows)
        .filter_map(|row| Some(((row.pane_id?, row.session.as_slice()), row)))
        .collect();
    let key = |row: &Row| Some((row.pane_id?, row.session.clone()));
    let rows = &captured.snapshot.rows;
    let are_known =
        rows.iter().filter_map(key).all(|(id, name)| known.contains_key(&(id, name.as_slice())));
    let mut note = None;
    if !are_known || context.now >= seen.saturating_add(VALID) {
        match context.server.user_options(names) {
            Ok(answer) => {
                enter(captured, &answer);
                return None;
            }
            Err(error) => note = Some(format!("options that users set are not known: {error}")),
        }
    }
    for row in &mut captured.snapshot.rows {
        let Some(id) = row.pane_id else { continue };
        let before = known.get(&(id, row.session.as_slice()));
        row.user_options = before.and_then(|row| row.user_options.clone());
    }
    note
}

/// Enters an answer: a session's options with its first pane, a window's with its active one.
fn enter(captured: &mut Capture, answer: &Answer) {
    let mut sessions = BTreeSet::new();
    let ids = &captured.session_ids;
    for row in &mut captured.snapshot.rows {
        let Some(pane) = row.pane_id else { continue };
        let mut field = Vec::new();
        let mut add = |owner: Owner, id: u32| {
            if let Some(options) = answer.get(&(owner, id)) {
                field.extend(encode(owner, options));
            }
        };
        if sessions.insert(row.session.clone())
            && let Some(id) = ids.get(&row.session)
        {
            add(Owner::Session, *id);
        }
        if row.linked.is_none() {
            add(Owner::Window, pane);
            add(Owner::Pane, pane);
        }
        row.user_options = Some(field).filter(|field| !field.is_empty());
    }
}
