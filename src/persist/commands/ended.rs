//! `ended`: records how an agent ended, for the launcher, which saw it.

use crate::agent::ConversationId;
use crate::persist::context::Context;
use crate::persist::report::{EndedReport, Problem, Report};
use crate::persist::request::Ended;
use crate::snapshot::{Ending, Endings, How, Row, Snapshot, State};
use crate::sys::FileError;
use crate::text::{escape, unescape};
use std::collections::BTreeSet;

/// Records the end. Only a close makes a conversation stay closed.
///
/// An agent may have gone on to another conversation than the one it was started on (`/clear`),
/// or have been started on none that its launcher knew: what the newest snapshot has of its pane is
/// closed with it.
pub fn ended(context: &Context, ended: &Ended) -> Report {
    let mut recorded = EndedReport::default();
    recorded.error = record(context, ended, &mut recorded).err();
    Report::Ended(recorded)
}

fn record(context: &Context, ended: &Ended, recorded: &mut EndedReport) -> Result<(), Problem> {
    let failed = |error: FileError| Problem::failed(&error);
    let mut ids = BTreeSet::new();
    if let Some(id) = &ended.conversation {
        recorded.conversation.clone_from(id);
        ids.insert(ConversationId::parse(id.as_bytes()).ok_or_else(|| {
            let shown = escape(id.as_bytes());
            Problem::usage(format!("'{shown}' is not a conversation id"))
        })?);
    }
    let store = context.writable_store().map_err(failed)?;
    if let Some(pane) = ended.pane.filter(|_| ended.closed) {
        let newest = store.newest(&mut recorded.notes).map_err(failed)?;
        ids.extend(newest.and_then(|(_, stored)| in_pane(&stored.snapshot, pane, &ended.agent)));
    }
    let Some(first) = ids.first() else {
        return Err(Problem::failed(&"no snapshot says which conversation it was"));
    };
    if recorded.conversation.is_empty() {
        recorded.conversation = first.to_string();
    }
    let bytes = |text: &str| unescape(text.as_bytes()).unwrap_or_else(|| text.into());
    // As with tombstones: after the newest snapshot, even when the clock went back.
    let newest = store.ids().map_err(failed)?.0.first().map_or(0, |id| id.seconds());
    let add = |endings: &mut Endings| {
        for id in &ids {
            endings.add(Ending {
                session: bytes(&ended.session),
                ended: context.now.max(newest),
                conversation: id.as_str().into(),
                agent: bytes(&ended.agent),
                how: if ended.closed { How::Closed } else { How::Lost },
                reason: bytes(&ended.reason),
            });
        }
    };
    store.change_endings(context.lock_wait, &mut recorded.notes, add).map_err(failed)
}

/// The conversation that a snapshot saw alive in a pane of a server.
fn in_pane(snapshot: &Snapshot, (server, pane): (i32, u32), agent: &str) -> Option<ConversationId> {
    if !snapshot.server.starts_with(&format!("{server}-")) {
        return None;
    }
    let is_it = |row: &&Row| {
        row.pane_id == Some(pane)
            && row.state == State::Live
            && row.agent.as_deref() == Some(agent.as_bytes())
    };
    let row = snapshot.rows.iter().find(is_it)?;
    ConversationId::parse(row.conversation.as_deref()?)
}
