//! The file (pure): the layout, which changes were the last ones, and when sessions were last seen.

use super::apply::{MAX_SESSIONS, Refused, apply};
use super::parts::Parts;
use crate::protocol::layout::{Change, Layout};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many changes a page may lag behind: of older ones it is not known what they concerned.
const MAX_RECENT: usize = 256;

/// What is in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Document {
    pub(super) layout: Layout,
    /// The parts that the last changes concerned; the last one made the version what it is.
    recent: VecDeque<Vec<String>>,
    /// By session of which something is kept, the day when it was last in the list, since the epoch.
    seen: BTreeMap<String, u64>,
}

/// Why a change was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotMade {
    /// Another page has changed meanwhile what it concerns.
    Stale,
    Refused(Refused),
}

/// Which sessions there are.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Birth ids of all in the list, those that are gone included.
    pub sessions: BTreeSet<String>,
    /// The day, since the epoch.
    pub today: u64,
    /// After how many days no snapshot has a session any more.
    pub kept_days: u64,
}

impl Document {
    /// Makes a change of a page that showed `version`.
    pub(super) fn change(
        &mut self,
        version: u64,
        change: &Change,
        known: &Known,
    ) -> Result<(), NotMade> {
        let mut next = self.layout.clone();
        apply(&mut next, change).map_err(NotMade::Refused)?;
        if next == self.layout {
            return Ok(()); // another page has done the same
        }
        let parts = Parts::of(change);
        let behind = self.layout.version.checked_sub(version).ok_or(NotMade::Stale)?;
        let behind = usize::try_from(behind).unwrap_or(usize::MAX);
        let is_stale = behind > self.recent.len()
            || self.recent.iter().rev().take(behind).any(|other| parts.conflict(other));
        if is_stale {
            return Err(NotMade::Stale);
        }
        next.version += 1;
        self.layout = next;
        self.recent.push_back(parts.written);
        while self.recent.len() > MAX_RECENT {
            self.recent.pop_front();
        }
        self.sweep(known);
        Ok(())
    }

    /// Forgets sessions that nothing can bring back, and the oldest ones of too many.
    fn sweep(&mut self, known: &Known) {
        let layout = &mut self.layout;
        let mut used: BTreeSet<String> = layout.pins.iter().cloned().collect();
        used.extend(layout.order.iter().cloned());
        used.extend(layout.members.keys().cloned());
        used.extend(layout.tiles.sessions.iter().cloned());
        let seen_on = |id: &String| {
            let last = self.seen.get(id).copied().unwrap_or(known.today);
            if known.sessions.contains(id) { known.today } else { last }
        };
        self.seen = used.into_iter().map(|id| (id.clone(), seen_on(&id))).collect();
        self.seen.retain(|_, day| known.today.saturating_sub(*day) <= known.kept_days);
        while self.seen.len() > MAX_SESSIONS {
            let oldest = self.seen.iter().min_by_key(|(_, day)| **day).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { break };
            self.seen.remove(&oldest);
        }
        let seen = &self.seen;
        layout.pins.retain(|id| seen.contains_key(id));
        layout.order.retain(|id| seen.contains_key(id));
        layout.members.retain(|id, _| seen.contains_key(id));
        layout.tiles.sessions.retain(|id| seen.contains_key(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id(number: usize) -> String {
        format!("{number:016x}")
    }

    fn known(numbers: impl IntoIterator<Item = usize>, today: u64) -> Known {
        Known { sessions: numbers.into_iter().map(id).collect(), today, kept_days: 90 }
    }

    fn change(value: serde_json::Value) -> Change {
        serde_json::from_value(value).unwrap()
    }

    fn pin(number: usize) -> Change {
        change(json!({"type": "pin", "session": id(number), "is": true}))
    }

    #[test]
    fn changes_of_different_things_merge_and_of_one_thing_do_not() {
        let mut document = Document::default();
        let known = known(0..9, 1);
        document.change(0, &pin(1), &known).unwrap();
        document.change(0, &pin(2), &known).unwrap();
        document.change(0, &change(json!({"type": "by_directory", "is": true})), &known).unwrap();
        // The same again is no conflict, but the contrary is one.
        document.change(0, &pin(1), &known).unwrap();
        let unpin = change(json!({"type": "pin", "session": id(1), "is": false}));
        assert_eq!(document.change(0, &unpin, &known), Err(NotMade::Stale));
        assert_eq!(document.layout.version, 3);
        document.change(3, &unpin, &known).unwrap();
        assert_eq!(document.layout.pins, BTreeSet::from([id(2)]));
        // A version that was never made, and one from too long ago.
        assert_eq!(document.change(99, &pin(3), &known), Err(NotMade::Stale));
        for number in 0..300 {
            let is = number % 2 == 0;
            let version = document.layout.version;
            document
                .change(version, &change(json!({"type": "own_order", "is": is})), &known)
                .unwrap();
        }
        assert_eq!(document.change(4, &pin(3), &known), Err(NotMade::Stale));
        assert!(document.recent.len() <= MAX_RECENT);
    }

    #[test]
    fn a_place_beside_a_session_that_moved_meanwhile_is_no_place() {
        let mut document = Document::default();
        let known = known(0..9, 1);
        let place = |what: usize, below: &[usize]| {
            let below: Vec<String> = below.iter().map(|one| id(*one)).collect();
            change(json!({"type": "move", "session": id(what), "below": below}))
        };
        document.change(0, &place(3, &[1, 2]), &known).unwrap();
        assert_eq!(document.layout.order, [1, 2, 3].map(id));
        document.change(1, &place(1, &[3]), &known).unwrap();
        assert_eq!(document.change(1, &place(4, &[1]), &known), Err(NotMade::Stale));
        document.change(1, &place(4, &[2]), &known).unwrap();
        document.change(3, &place(3, &[]), &known).unwrap();
        assert_eq!(document.layout.order, [3, 2, 4, 1].map(id));
    }

    #[test]
    fn a_group_into_which_another_page_puts_something_is_not_removed_unseen() {
        let mut document = Document::default();
        let known = known(0..9, 1);
        let group = json!({"type": "add_group", "group": "0000000a", "name": "Shop"});
        document.change(0, &change(group), &known).unwrap();
        let assign = |number: usize| {
            change(json!({"type": "assign", "session": id(number), "group": "0000000a"}))
        };
        document.change(1, &assign(1), &known).unwrap();
        document.change(1, &assign(2), &known).unwrap();
        let remove = change(json!({"type": "remove_group", "group": "0000000a"}));
        assert_eq!(document.change(1, &remove, &known), Err(NotMade::Stale));
        document.change(3, &remove, &known).unwrap();
        assert!(document.layout.groups.is_empty() && document.layout.members.is_empty());
    }

    #[test]
    fn what_is_gone_is_kept_for_as_long_as_a_restore_can_bring_it_back() {
        let mut document = Document::default();
        document.change(0, &pin(1), &known([1, 2], 10)).unwrap();
        document.change(1, &pin(2), &known([2], 50)).unwrap();
        assert_eq!(document.layout.pins.len(), 2);
        document.change(2, &pin(3), &known([2, 3], 101)).unwrap();
        assert_eq!(document.layout.pins, BTreeSet::from([id(2), id(3)]));
    }

    #[test]
    fn no_more_is_kept_than_fits_a_file_of_bounded_size() {
        let mut document = Document::default();
        for number in 0..MAX_SESSIONS {
            let _ = document.seen.insert(id(number), 5);
            document.layout.order.push(id(number));
        }
        document.change(0, &pin(9999), &known([9999], 6)).unwrap();
        assert_eq!((document.seen.len(), document.layout.order.len()), (MAX_SESSIONS, 4999));
        assert!(document.layout.pins.contains(&id(9999)));
        assert!(serde_json::to_vec_pretty(&document).unwrap().len() < 1 << 20);
    }
}
