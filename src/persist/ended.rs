//! `ended`: records how an agent ended, for the launcher, which saw it.

use super::job::{Ended, World};
use super::report::{Problem, Recorded, Report};
use crate::snapshot::{Ending, How, unescape};
use crate::sys::FileError;

/// Records the end. Only a close makes the conversation stay closed.
pub fn ended(world: &World, ended: &Ended) -> Report {
    let mut recorded = Recorded { conversation: ended.conversation.clone(), ..Recorded::default() };
    if let Err(error) = try_ended(world, ended, &mut recorded.notes) {
        recorded.error = Some(Problem::failed(&error));
    }
    Report::Ended(recorded)
}

fn try_ended(world: &World, ended: &Ended, notes: &mut Vec<String>) -> Result<(), FileError> {
    let bytes = |text: &str| unescape(text.as_bytes()).unwrap_or_else(|| text.into());
    let mut store = world.writable_store()?;
    let lock = store.lock(world.lock_wait)?;
    // As with tombstones: after the newest snapshot, even when the clock went back.
    let newest = store.ids()?.0.first().map_or(0, |id| id.seconds());
    let mut endings = store.endings(notes)?;
    endings.add(Ending {
        session: bytes(&ended.session),
        ended: world.now.max(newest),
        conversation: bytes(&ended.conversation),
        agent: bytes(&ended.agent),
        how: if ended.closed { How::Closed } else { How::Lost },
        reason: bytes(&ended.reason),
    });
    store.write_endings(&endings, &lock)
}
