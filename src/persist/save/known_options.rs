//! The options that users and tools set, as the newest snapshot has them (pure): what of it still holds.

use crate::persist::capture::Capture;
use crate::snapshot::{Row, Snapshot};
use crate::sys::clock::Epoch;
use crate::tmux::user_options::{Key, Owner, decode};
use std::collections::{BTreeMap, BTreeSet};

/// What the newest snapshot has of the same server.
pub(super) struct Known<'a> {
    /// By the id of a pane and its session.
    rows: BTreeMap<(u32, &'a [u8]), &'a Row>,
    names: &'a [String],
}

impl<'a> Known<'a> {
    pub(super) fn of(previous: Option<&'a Snapshot>, names: &'a [String]) -> Self {
        let rows = previous.into_iter().flat_map(|snapshot| &snapshot.rows);
        let key = |row: &'a Row| Some(((row.pane_id?, row.session.as_slice()), row));
        Self { rows: rows.filter_map(key).collect(), names }
    }

    pub(super) fn row(&self, row: &Row) -> Option<&'a Row> {
        self.rows.get(&(row.pane_id?, row.session.as_slice())).copied()
    }

    /// The sessions whose panes are others than before or have other values, and those in use since then.
    pub(super) fn changed<'b>(
        &self,
        captured: &'b Capture,
        in_use_since: Option<Epoch>,
    ) -> BTreeSet<&'b [u8]> {
        let rows = &captured.snapshot.rows;
        let mut changed = BTreeSet::new();
        let mut left: BTreeSet<(u32, &[u8])> = self
            .rows
            .iter()
            .filter(|(_, row)| row.user_options.is_some())
            .map(|(key, _)| *key)
            .collect();
        let expected = Expected::of(self);
        for row in rows {
            let Some(id) = row.pane_id else { continue };
            let session = row.session.as_slice();
            left.remove(&(id, session));
            let place = (row.session.clone(), row.window, row.pane);
            let in_effect = captured.in_effect.get(&place);
            let is_in_use = in_use_since
                .is_some_and(|since| in_effect.is_none_or(|(activity, _)| *activity >= since));
            let is_same = self
                .row(row)
                .is_some_and(|before| before.window == row.window && before.linked == row.linked);
            let values = in_effect.map_or(&[][..], |(_, values)| values);
            if is_in_use || !is_same || !expected.agrees(row, &captured.option_names, values) {
                changed.insert(session);
            }
        }
        // A pane is gone whose row had the options of its session or window.
        let sessions: BTreeSet<&[u8]> = rows.iter().map(|row| row.session.as_slice()).collect();
        let without = left.into_iter().filter_map(|(_, session)| sessions.get(session).copied());
        changed.extend(without);
        changed
    }
}

/// Values by the names of options.
pub(super) type Values = BTreeMap<Vec<u8>, Vec<u8>>;

/// The values that options had in the newest snapshot.
pub(super) struct Expected<'a> {
    sessions: BTreeMap<&'a [u8], Values>,
    windows: BTreeMap<(&'a [u8], u32), Values>,
    panes: BTreeMap<u32, Values>,
}

impl<'a> Expected<'a> {
    pub(super) fn of(known: &Known<'a>) -> Self {
        let (mut sessions, mut windows, mut panes) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (&(id, session), row) in &known.rows {
            let Some(field) = row.user_options.as_deref() else { continue };
            let options = |owner| decode(field, owner, known.names);
            let own: &mut Values = sessions.entry(session).or_default();
            own.extend(options(Owner::Session));
            let own: &mut Values = windows.entry((session, row.window)).or_default();
            own.extend(options(Owner::Window));
            let own: &mut Values = panes.entry(id).or_default();
            own.extend(options(Owner::Pane));
        }
        Self { sessions, windows, panes }
    }

    /// The values of a key; `None` for none.
    pub(super) fn values<'b>(&'b self, captured: &'b Capture, key: Key) -> Option<&'b Values> {
        let (owner, number) = key;
        let values = match owner {
            Owner::Pane => self.panes.get(&number),
            Owner::Window => {
                let rows = &captured.snapshot.rows;
                let is_it = |row: &&Row| row.pane_id == Some(number) && row.linked.is_none();
                let row = rows.iter().find(is_it)?;
                self.windows.get(&(row.session.as_slice(), row.window))
            }
            Owner::Session => {
                let ids = &captured.session_ids;
                let (name, _) = ids.iter().find(|(_, id)| **id == number)?;
                self.sessions.get(name.as_slice())
            }
        };
        values.filter(|values| !values.is_empty())
    }

    /// Whether a pane has the values that it had. What it had from the server itself, or not at all, is not
    /// known.
    fn agrees(&self, row: &Row, names: &[String], values: &[Vec<u8>]) -> bool {
        let session = row.session.as_slice();
        let pane = row.pane_id.and_then(|id| self.panes.get(&id));
        let owners = [pane, self.windows.get(&(session, row.window)), self.sessions.get(session)];
        names.iter().zip(values).all(|(name, value)| {
            let mut before = owners.iter().flatten();
            let before = before.find_map(|options| options.get(name.as_bytes()));
            before.is_none_or(|before| before == value)
        })
    }
}
