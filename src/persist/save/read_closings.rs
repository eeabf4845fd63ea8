//! Reading what was closed on purpose. What cannot be read stops nobody: what is live is worth more
//! than that what was closed stays closed.

use super::closings::Closings;
use crate::snapshot::Store;
use crate::sys::FileError;

/// All that was closed on purpose, as far as it can be read; the rest is named in `notes`.
pub(crate) fn read(store: &Store, notes: &mut Vec<String>) -> Closings {
    let tombstones = store.tombstones(notes);
    let endings = store.endings(notes);
    let mut known = |error: FileError| {
        notes.push(format!("passed over: {error}: what was closed may come back"));
    };
    Closings {
        tombstones: tombstones.map_err(&mut known).unwrap_or_default(),
        endings: endings.map_err(&mut known).unwrap_or_default(),
    }
}
