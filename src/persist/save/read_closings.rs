//! Reads what was closed on purpose. Unreadable records stop neither saves nor restores: that live
//! sessions are saved matters more than that closed ones stay closed.

use super::closings::Closings;
use crate::snapshot::Store;
use crate::sys::FileError;

/// All that was closed on purpose. What cannot be read is noted.
pub(crate) fn read(store: &Store, notes: &mut Vec<String>) -> Closings {
    let tombstones = store.tombstones(notes);
    let endings = store.endings(notes);
    let mut skipped = |error: FileError| {
        notes.push(format!("skipped: {error}; closed sessions may be restored"));
    };
    Closings {
        tombstones: tombstones.map_err(&mut skipped).unwrap_or_default(),
        endings: endings.map_err(&mut skipped).unwrap_or_default(),
    }
}
