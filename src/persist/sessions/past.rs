//! What snapshots and records say of sessions over time, for a person who looks for one to bring back.

use super::gone;
use crate::persist::context::Context;
use crate::persist::deaths::Explanations;
use crate::persist::error::Error;
use crate::persist::save::read_closings;
use crate::snapshot::{Row, SnapshotId, State};
use crate::sys::clock::Epoch;
use std::collections::BTreeMap;

/// Maximum number of periods of one session that are returned: the latest ones.
pub const MAX_PERIODS: usize = 200;

/// What a session was in snapshots that follow each other and do not differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Period {
    /// Its name then.
    pub name: Vec<u8>,
    /// When the earliest and the latest of them were taken, in seconds since the epoch.
    pub first: Epoch,
    pub last: Epoch,
    /// The id of the latest.
    pub id: String,
    /// How many snapshots these are.
    pub snapshots: usize,
    pub panes: Vec<PastPane>,
}

/// One pane of a session in a snapshot. Names, titles and paths are bytes as they were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastPane {
    pub window: u32,
    pub pane: u32,
    /// `live`, `suspended`, `lost` or `shell`.
    pub state: &'static str,
    pub agent: Option<Vec<u8>>,
    pub conversation: Option<Vec<u8>>,
    pub cwd: Vec<u8>,
}

/// A session's past.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Latest first.
    pub periods: Vec<Period>,
    /// Snapshots that cannot be read, each with the reason.
    pub damaged: Vec<String>,
}

/// How a session went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Going {
    pub session: Vec<u8>,
    /// When it was closed, or when a save first missed it; `None` if unknown.
    pub at: Option<Epoch>,
    /// Why, in words; empty if unknown.
    pub why: String,
    /// Whether it was closed on purpose.
    pub closed: bool,
}

/// What the snapshots have of a session. It is followed by its birth id where it has one, else by its name.
///
/// # Errors
/// If the snapshots cannot be listed. One that is damaged is named in the result and skipped.
pub fn of_session(context: &Context, name: &[u8]) -> Result<Past, Error> {
    let mut past = Past::default();
    let Some(store) = context.store()? else { return Ok(past) };
    let (mut ids, _) = store.ids()?;
    ids.sort_by(|a, b| b.cmp(a));
    let mut birth_id = String::new();
    // Whether the snapshot before this one in the loop, which is later, had it.
    let mut goes_on = false;
    for id in ids {
        let snapshot = match store.read(id) {
            Ok((_, snapshot)) => snapshot,
            Err(why) => {
                past.damaged.push(why.to_string());
                continue;
            }
        };
        let own = |rows: &&[Row]| {
            let known = gone::of_session(rows).birth_id;
            if birth_id.is_empty() || known.is_empty() {
                rows[0].session == name
            } else {
                known == birth_id
            }
        };
        let rows = snapshot.rows.chunk_by(|a, b| a.session == b.session).find(own);
        let Some(rows) = rows else {
            goes_on = false;
            continue;
        };
        if birth_id.is_empty() {
            birth_id = gone::of_session(rows).birth_id;
        }
        let panes: Vec<PastPane> = rows.iter().map(pane).collect();
        let is_full = past.periods.len() == MAX_PERIODS;
        match past.periods.last_mut() {
            Some(period) if goes_on && period.panes == panes && period.name == rows[0].session => {
                period.first = id.seconds();
                period.snapshots += 1;
            }
            _ if is_full => break,
            _ => past.periods.push(Period {
                name: rows[0].session.clone(),
                first: id.seconds(),
                last: id.seconds(),
                id: id.to_string(),
                snapshots: 1,
                panes,
            }),
        }
        goes_on = true;
    }
    Ok(past)
}

fn word(state: State) -> &'static str {
    match state {
        State::Live => "live",
        State::Suspended => "suspended",
        State::Lost => "lost",
        State::Shell => "shell",
    }
}

/// When a snapshot was taken, in seconds since the epoch; `None` for what is no id of one.
pub fn time_of(id: &str) -> Option<Epoch> {
    SnapshotId::parse(id).map(SnapshotId::seconds)
}

fn pane(row: &Row) -> PastPane {
    PastPane {
        window: row.window,
        pane: row.pane,
        state: word(row.state),
        agent: row.agent.clone(),
        conversation: row.conversation.clone(),
        cwd: row.cwd.clone(),
    }
}

/// Sessions that were closed, and sessions of the newest snapshot that were lost, each with when and why; the
/// latest of each name. Notes name what cannot be read.
///
/// # Errors
/// If the snapshots cannot be listed.
pub fn goings(context: &Context, notes: &mut Vec<String>) -> Result<Vec<Going>, Error> {
    let Some(store) = context.store()? else { return Ok(Vec::new()) };
    let mut goings: BTreeMap<(bool, Vec<u8>), Going> = BTreeMap::new();
    for tombstone in read_closings::read(&store, notes).tombstones.0 {
        let going = Going {
            session: tombstone.session.clone(),
            at: Some(tombstone.closed),
            why: String::from_utf8_lossy(&tombstone.reason).into_owned(),
            closed: true,
        };
        goings.insert((true, tombstone.session), going);
    }
    let newest = store.newest(notes)?.map(|(_, stored)| stored.snapshot).unwrap_or_default();
    let explanations = Explanations::read(&store);
    for row in newest.rows.iter().filter(|row| row.state == State::Lost) {
        let going = goings
            .entry((false, row.session.clone()))
            .or_insert_with(|| Going { session: row.session.clone(), ..Going::default() });
        going.at = going.at.max(row.lost_since);
        if going.why.is_empty() {
            going.why = explanations.of(row).unwrap_or_default();
        }
    }
    Ok(goings.into_values().collect())
}
