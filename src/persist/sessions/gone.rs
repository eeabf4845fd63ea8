//! Sessions that the newest snapshot has and that are not there.

use super::conversation::Conversation;
use super::view::{Need, SessionView};
use crate::persist::capture::boot_id;
use crate::snapshot::{Row, Snapshot, State};
use crate::tmux::session_facts::{BIRTH_ID, is_birth_id};
use crate::tmux::user_options::{self, Owner};

/// What the newest snapshot has and is not there. Another session of the same name is another one, if both have
/// birth ids that differ.
pub(super) fn of(snapshot: &Snapshot, live: &[SessionView]) -> Vec<SessionView> {
    let mut views = Vec::new();
    for rows in snapshot.rows.chunk_by(|a, b| a.session == b.session) {
        let own = of_session(rows);
        let is_same = |view: &SessionView| match own.birth_id.as_str() {
            "" => view.name == own.name,
            id => view.birth_id == id,
        };
        if live.iter().any(is_same) {
            continue;
        }
        // What was there since the host came up, and was not closed, should be there.
        let lost = snapshot.boot == boot_id() || rows.iter().any(|row| row.state == State::Lost);
        let changed = rows.iter().filter_map(|row| row.lost_since).max().unwrap_or(0);
        let need = if lost { Need::Lost } else { Need::Saved };
        views.push(SessionView { need, changed, ..own });
    }
    views
}

/// What rows of a session say of it, by those of its agent if it has one.
pub(super) fn of_session(rows: &[Row]) -> SessionView {
    let row = rows.iter().min_by_key(|row| row.agent.is_none());
    let birth_id = birth_id_in(rows).unwrap_or_default();
    row.map_or_else(SessionView::default, |row| SessionView { birth_id, ..of_rows(rows, row) })
}

/// The birth id that a snapshot has of a session.
fn birth_id_in(rows: &[Row]) -> Option<String> {
    let names = [BIRTH_ID.to_owned()];
    let fields = rows.iter().filter_map(|row| row.user_options.as_deref());
    let options = fields.flat_map(|field| user_options::decode(field, Owner::Session, &names));
    let (_, value) = options.into_iter().find(|(name, _)| name == BIRTH_ID.as_bytes())?;
    String::from_utf8(value).ok().filter(|id| is_birth_id(id))
}

/// What rows of a session say, and of its agent the one that speaks for it.
pub(super) fn of_rows(rows: &[Row], row: &Row) -> SessionView {
    let mut windows: Vec<u32> = rows.iter().map(|row| row.window).collect();
    windows.dedup();
    SessionView {
        name: row.session.clone(),
        need: Need::Unknown,
        agent: row.agent.clone(),
        conversation: Conversation::of(row),
        title: row.title.clone(),
        cwd: row.cwd.clone(),
        windows: windows.len(),
        panes: rows.len(),
        ..SessionView::default()
    }
}
