//! `ended`: records how an agent ended, as its launcher saw it.

use crate::agent::ConversationId;
use crate::persist::context::Context;
use crate::persist::error::Error;
use crate::persist::report::{EndedReport, Report};
use crate::persist::request::Ended;
use crate::snapshot::{EndKind, Ending, Endings, Row, Snapshot, State};
use crate::text::{escape, unescape};
use crate::tmux::CallerPane;
use std::collections::BTreeSet;

/// The pane of tmux that this process is in: its server's pid, and its number there.
pub fn pane_of_caller() -> Option<(i32, u32)> {
    let variable = |name| std::env::var_os(name);
    let pane = CallerPane::parse(variable("TMUX").as_deref(), variable("TMUX_PANE").as_deref())?;
    Some((pane.server, pane.id))
}

/// Records the end. Only a close keeps a conversation from being restored.
///
/// The agent may have switched to another conversation since it started (`/clear`), or its launcher
/// may not know which one it runs. So the conversation that the newest snapshot has for its pane is
/// closed, too.
pub fn ended(context: &Context, ended: &Ended) -> Report {
    let mut report = EndedReport::default();
    report.error = record(context, ended, &mut report).err().map(Into::into);
    Report::Ended(report)
}

fn record(context: &Context, ended: &Ended, report: &mut EndedReport) -> Result<(), Error> {
    let mut ids = BTreeSet::new();
    if let Some(id) = &ended.conversation {
        report.conversation.clone_from(id);
        let parsed = ConversationId::parse(id.as_bytes());
        ids.insert(parsed.ok_or_else(|| Error::InvalidConversation(escape(id.as_bytes())))?);
    }
    let store = context.writable_store()?;
    if let Some(pane) = ended.pane.filter(|_| ended.closed) {
        let newest = store.newest(&mut report.notes)?;
        ids.extend(newest.and_then(|(_, stored)| in_pane(&stored.snapshot, pane, &ended.agent)));
    }
    let Some(first) = ids.first() else {
        return Err(Error::UnknownConversation);
    };
    if report.conversation.is_empty() {
        report.conversation = first.to_string();
    }
    let bytes = |text: &str| unescape(text.as_bytes()).unwrap_or_else(|| text.into());
    // Like a tombstone: not before the newest snapshot, even if the clock was set back.
    let newest = store.ids()?.0.first().map_or(0, |id| id.seconds());
    let add = |endings: &mut Endings| {
        for id in &ids {
            endings.add(Ending {
                session: bytes(&ended.session),
                ended: context.now.max(newest),
                conversation: id.as_str().into(),
                agent: bytes(&ended.agent),
                how: if ended.closed { EndKind::Closed } else { EndKind::Lost },
                reason: bytes(&ended.reason),
            });
        }
    };
    Ok(store.change_endings(context.lock_wait, &mut report.notes, add)?)
}

/// The conversation that was live in a pane of this server when the snapshot was taken.
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
