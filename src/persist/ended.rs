//! `ended`: records how an agent ended, for the launcher, which saw it.

use super::job::{Ended, World};
use super::report::{Problem, Recorded, Report};
use crate::agent::ConversationId;
use crate::snapshot::{Ending, How, escape, unescape};
use crate::sys::FileError;

/// Records the end. Only a close makes the conversation stay closed.
pub fn ended(world: &World, ended: &Ended) -> Report {
    let mut recorded = Recorded { conversation: ended.conversation.clone(), ..Recorded::default() };
    recorded.error = if let Some(id) = ConversationId::parse(ended.conversation.as_bytes()) {
        let done = record(world, ended, &id, &mut recorded.notes);
        done.err().map(|error| Problem::failed(&error))
    } else {
        let shown = escape(ended.conversation.as_bytes());
        Some(Problem::usage(format!("'{shown}' is not a conversation id")))
    };
    Report::Ended(recorded)
}

fn record(
    world: &World,
    ended: &Ended,
    id: &ConversationId,
    notes: &mut Vec<String>,
) -> Result<(), FileError> {
    let bytes = |text: &str| unescape(text.as_bytes()).unwrap_or_else(|| text.into());
    let mut store = world.writable_store()?;
    let lock = store.lock(world.lock_wait)?;
    // As with tombstones: after the newest snapshot, even when the clock went back.
    let newest = store.ids()?.0.first().map_or(0, |id| id.seconds());
    let mut endings = store.endings(notes)?;
    endings.add(Ending {
        session: bytes(&ended.session),
        ended: world.now.max(newest),
        conversation: id.as_str().into(),
        agent: bytes(&ended.agent),
        how: if ended.closed { How::Closed } else { How::Lost },
        reason: bytes(&ended.reason),
    });
    store.write_endings(&endings, &lock)
}
