//! What is kept from one list to the next, because finding it costs more than a list may: bounded by what the list
//! has, and found again when it is old.

use super::branch;
use super::view::SessionView;
use crate::process::Proc;
use crate::snapshot::SnapshotId;
use crate::sys::clock::Epoch;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// For how long each counts, in seconds.
const MEMORY_COUNTS: u64 = 10;
const BRANCH_COUNTS: u64 = 5;
const MODEL_COUNTS: u64 = 15;

/// What is kept.
#[derive(Debug, Default)]
pub struct Known {
    memory: Cache<i32, Option<u64>>,
    branches: Cache<Vec<u8>, Option<Vec<u8>>>,
    models: Cache<Vec<u8>, Option<String>>,
    pub(super) ended: Cache<(Vec<u8>, Epoch), Option<Ended>>,
}

impl Known {
    /// The memory of a pane's processes, in bytes, to two digits: what changes all the time is no news.
    pub(super) fn memory(&mut self, first: i32, now: Epoch, proc: &Proc) -> Option<u64> {
        *self.memory.get(&first, now, MEMORY_COUNTS, || {
            let mut sum = None;
            proc.visit(first, |process| {
                sum = process.own_memory().map_or(sum, |bytes| Some(sum.unwrap_or(0) + bytes));
                true
            });
            sum.map(two_digits)
        })
    }

    /// The branch that is checked out in a directory.
    pub(super) fn branch(&mut self, cwd: &[u8], now: Epoch) -> Option<Vec<u8>> {
        self.branches.get(&cwd.to_vec(), now, BRANCH_COUNTS, || branch::of(cwd)).clone()
    }

    /// The model of a conversation, by its key.
    pub(super) fn model(
        &mut self,
        conversation: &[u8],
        now: Epoch,
        find: impl FnOnce() -> Option<String>,
    ) -> Option<String> {
        self.models.get(&conversation.to_vec(), now, MODEL_COUNTS, find).clone()
    }

    /// Forgets what the list that was just made did not use.
    pub(super) fn sweep(&mut self) {
        self.memory.sweep();
        self.branches.sweep();
        self.models.sweep();
        self.ended.sweep();
    }
}

/// Where a session that was closed is, and what it was.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) snapshot: SnapshotId,
    pub(super) view: SessionView,
}

/// Values by keys, each with when it was found and whether it was used since the last sweep.
#[derive(Debug)]
pub(super) struct Cache<K, V>(BTreeMap<K, (Epoch, bool, V)>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone, V> Cache<K, V> {
    /// The value of a key, found again if it is older than `counts` seconds or of a later time than `now`.
    pub(super) fn get(&mut self, key: &K, now: Epoch, counts: u64, find: impl FnOnce() -> V) -> &V {
        let is_fresh = |found: Epoch| (found..=found.saturating_add(counts)).contains(&now);
        let entry = match self.0.entry(key.clone()) {
            Entry::Occupied(entry) => {
                let entry = entry.into_mut();
                if !is_fresh(entry.0) {
                    (entry.0, entry.2) = (now, find());
                }
                entry
            }
            Entry::Vacant(entry) => entry.insert((now, true, find())),
        };
        entry.1 = true;
        &entry.2
    }

    fn sweep(&mut self) {
        self.0.retain(|_, (_, is_used, _)| std::mem::take(is_used));
    }
}

/// A number rounded down to its first two digits.
fn two_digits(number: u64) -> u64 {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    number / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_is_found_again_and_what_is_not_used_is_forgotten() {
        let mut cache = Cache::default();
        assert_eq!(*cache.get(&1, 100, 5, || "a"), "a");
        assert_eq!(*cache.get(&1, 105, 5, || "b"), "a");
        assert_eq!(*cache.get(&1, 106, 5, || "b"), "b");
        assert_eq!(*cache.get(&1, 50, 5, || "c"), "c", "the clock was set back");
        cache.sweep();
        assert_eq!(*cache.get(&1, 50, 5, || "d"), "c");
        cache.sweep();
        cache.sweep();
        assert_eq!(*cache.get(&1, 50, 5, || "e"), "e");
    }

    #[test]
    fn numbers_keep_two_digits() {
        assert_eq!([0, 7, 99, 100, 123_456].map(two_digits), [0, 7, 99, 100, 120_000]);
    }
}
