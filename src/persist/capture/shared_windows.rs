//! Windows that several sessions show: in a session group, or linked one by one (pure).

use crate::snapshot::{Row, Snapshot};
use crate::tmux::{Listing, Pane};
use std::collections::{BTreeMap, HashMap};

/// For each pane id, the index of the listed pane that is recorded in full: in a session group, that
/// of the session that the group is named after; otherwise the first.
pub(crate) fn owners(listing: &Listing) -> HashMap<u32, usize> {
    let mut owners: HashMap<u32, usize> = HashMap::new();
    for (at, pane) in listing.panes.iter().enumerate() {
        let leads = !pane.group.is_empty() && pane.session == pane.group;
        let owner = owners.entry(pane.id).or_insert(at);
        if leads && listing.panes[*owner].session != pane.session {
            *owner = at;
        }
    }
    owners
}

/// The session and window index that `pane`'s window is a link to. `None` if its owner is in the same
/// window, or shares it by a session group.
pub(crate) fn linked(pane: &Pane, owner: &Pane) -> Option<(Vec<u8>, u32)> {
    let same_index = pane.window_index == owner.window_index;
    let same_session = pane.session_id == owner.session_id;
    let same_group = !pane.group.is_empty() && pane.group == owner.group;
    let shared = same_index && (same_session || same_group);
    (!shared).then(|| (owner.session.clone(), owner.window_index))
}

/// Session, window and pane of a row.
type Place<'a> = (&'a [u8], u32, u32);

/// Finds the row that holds the agent or program of a pane which several sessions show: it is
/// recorded in one row only.
pub(crate) struct Holders<'a> {
    rows: BTreeMap<Place<'a>, &'a Row>,
    groups: BTreeMap<Place<'a>, &'a Row>,
}

impl<'a> Holders<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot) -> Self {
        let rows = &snapshot.rows;
        let place = |row: &'a Row| ((row.session.as_slice(), row.window, row.pane), row);
        let holds = |row: &&Row| row.agent.is_some() || row.program.is_some();
        let in_group = |row: &'a Row| Some(((row.group.as_deref()?, row.window, row.pane), row));
        Self {
            rows: rows.iter().map(place).collect(),
            groups: rows.iter().filter(holds).filter_map(in_group).collect(),
        }
    }

    /// The row of another session that holds what runs in this row's pane.
    pub(crate) fn holder(&self, row: &Row) -> Option<&'a Row> {
        let linked = row.linked.as_ref();
        let linked = linked.and_then(|(session, window)| {
            self.rows.get(&(session.as_slice(), *window, row.pane)).copied()
        });
        let in_group = || self.groups.get(&(row.group.as_deref()?, row.window, row.pane)).copied();
        linked.or_else(in_group).filter(|holder| holder.session != row.session)
    }
}

/// A row with the content of its holder. Session, window and marks stay its own.
pub(crate) fn with_content_of(row: &Row, holder: &Row) -> Row {
    Row {
        session: row.session.clone(),
        window: row.window,
        window_flags: row.window_flags,
        stack: row.stack,
        group: row.group.clone(),
        linked: row.linked.clone(),
        options: row.options.clone(),
        environment: row.environment.clone(),
        ..holder.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(session: &str, window: u32, linked: Option<(&str, u32)>) -> Row {
        let linked = linked.map(|(session, window)| (session.into(), window));
        Row { session: session.into(), window, linked, ..Row::default() }
    }

    #[test]
    fn a_link_leads_to_the_row_that_holds_its_agent() {
        let mut owner = row("a", 1, None);
        owner.agent = Some(b"claude".to_vec());
        let rows = vec![owner, row("b", 3, Some(("a", 1))), row("c", 1, None)];
        let snapshot = Snapshot { rows, ..Snapshot::default() };
        let holders = Holders::of(&snapshot);
        let holder = holders.holder(&snapshot.rows[1]).unwrap();
        assert_eq!(holder.session, b"a");
        assert!(holders.holder(&snapshot.rows[0]).is_none());
        assert!(holders.holder(&snapshot.rows[2]).is_none());
        let copy = with_content_of(&snapshot.rows[1], holder);
        assert_eq!((copy.session.as_slice(), copy.window), (&b"b"[..], 3));
        assert_eq!(copy.agent.as_deref(), Some(&b"claude"[..]));
    }
}
