//! What root saw of each user's saves. A process of a user's that hung and was killed could
//! record nothing in that user's own directory, and root writes nothing there; so root keeps a
//! file of its own.

use super::perform::UserReport;
use crate::persist::Report;
use crate::snapshot::Activity;
use crate::snapshot::activity::{decode_all, encode_all};
use crate::sys::clock::Epoch;
use crate::sys::{Dir, locks};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The file in the state directory: root's, 0600.
const FILE: &str = ".saves.tsv";
/// Two saves at once must not lose what the other writes. Users cannot open it, so none can hold it.
const LOCK: &str = ".saves.lock";
/// The file is not larger (bytes): a user takes less than 1 KB.
const MAX: u64 = 16 << 20;
/// How long another save may hold the lock: it holds it for a millisecond.
const WAIT: Duration = Duration::from_secs(2);

/// Enters the saves of these users. A file that cannot be read is begun anew: it is a hint.
pub(super) fn record(state: &Dir, reports: &[UserReport], now: Epoch) -> Result<(), String> {
    let _lock = locks::exclusive(state, LOCK, WAIT).map_err(|error| error.to_string())?;
    let mut all = read(state);
    for UserReport { user, report } in reports {
        let Report::Save(saved) = report else { continue };
        let activity = all.entry(user.clone()).or_default();
        let why = saved.error.as_deref().unwrap_or_default();
        activity.enter_save(now, Duration::ZERO, saved.result, why);
    }
    state.write_hint(FILE, &encode_all(&all)).map_err(|error| error.to_string())
}

/// What root saw, of each user.
pub(super) fn of_all(state: &Path) -> BTreeMap<String, Activity> {
    Dir::open(state).map(|state| read(&state)).unwrap_or_default()
}

fn read(state: &Dir) -> BTreeMap<String, Activity> {
    state.read(FILE, MAX).ok().and_then(|text| decode_all(&text)).unwrap_or_default()
}
