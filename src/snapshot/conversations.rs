//! The index of conversations: every one that a save ever saw, with where and when. It outlives
//! the snapshots it was seen in (pure).

use super::id::parse_time;
use super::record::{Row, Snapshot, State};
use crate::sys::clock::Epoch;
use crate::text::escape::unescape;
use crate::text::tsv::{self, Line, Writer};
use std::collections::HashMap;

/// Maximum number of conversations; those not seen for longest are dropped first.
const MAX_KEPT: usize = 10_000;
/// Maximum size of the index, in bytes.
const MAX_BYTES: usize = 8 << 20;
/// Precision of `last_seen`, in seconds, so that not every save has to write.
pub const GRANULARITY: u64 = 3600;

const COLUMNS: [&str; 6] = ["# conversation", "agent", "session", "cwd", "first_seen", "last_seen"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    pub id: Vec<u8>,
    pub agent: Vec<u8>,
    /// The session it was last seen in.
    pub session: Vec<u8>,
    /// The directory it was last seen in.
    pub cwd: Vec<u8>,
    /// When a save first saw it, in seconds since the epoch.
    pub first_seen: Epoch,
    /// When a save last saw it, to within [`GRANULARITY`].
    pub last_seen: Epoch,
}

/// All conversations of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversations {
    all: Vec<Conversation>,
    /// By the id in small letters, where it is in `all`.
    places: HashMap<Vec<u8>, usize>,
}

impl Conversations {
    /// Reads `conversations.tsv`. Lines that do not parse are given back by number; the others
    /// count.
    pub fn decode(text: &[u8]) -> (Self, Vec<usize>) {
        let (lines, bad) = tsv::records(text, decode_line);
        let mut conversations = Self::default();
        for line in lines {
            conversations.merge(line);
        }
        (conversations, bad)
    }

    /// Writes `conversations.tsv`, last seen first.
    pub fn encode(&self) -> Vec<u8> {
        let mut file = Writer::with_columns(&COLUMNS);
        for one in self.newest_first().into_iter().take(MAX_KEPT) {
            file.first(&one.id).text(&one.agent).text(&one.session).text(&one.cwd);
            file.plain(one.first_seen).plain(one.last_seen);
            if !file.end_within(MAX_BYTES) {
                break;
            }
        }
        file.into_bytes()
    }

    /// All of them, last seen first.
    pub fn newest_first(&self) -> Vec<&Conversation> {
        let mut all: Vec<&Conversation> = self.all.iter().collect();
        all.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then_with(|| a.id.cmp(&b.id)));
        all
    }

    /// Notes what a snapshot that was taken at `at` shows; whether there is something to write.
    /// What `previous` shows in the same place already is only updated every [`GRANULARITY`].
    pub fn observe(&mut self, snapshot: &Snapshot, at: Epoch, previous: Option<&Snapshot>) -> bool {
        let known = previous.map(places).unwrap_or_default();
        let mut changed = false;
        for row in &snapshot.rows {
            let Some(seen) = seen(row, at) else { continue };
            let key = seen.id.to_ascii_lowercase();
            let is_known = known.get(&key).is_some_and(|place| *place == place_of(row));
            let old = self.places.get(&key).map(|&place| &self.all[place]);
            let is_recent = old.is_some_and(|old| seen.last_seen < old.last_seen + GRANULARITY);
            // A lost one is no news: it was seen when it lived.
            let no_news = (is_known && is_recent) || (row.state == State::Lost && old.is_some());
            changed |= !no_news && self.merge(seen);
        }
        changed
    }

    /// Notes what a snapshot shows that is new here, or was not seen for [`GRANULARITY`]: then it is still
    /// where it was seen before. Whether there is something to write.
    pub fn observe_new(&mut self, snapshot: &Snapshot, at: Epoch) -> bool {
        let mut changed = false;
        for seen in snapshot.rows.iter().filter_map(|row| seen(row, at)) {
            let place = self.places.get(&seen.id.to_ascii_lowercase());
            changed |= match place.map(|&place| self.all[place].clone()) {
                None => self.merge(seen),
                Some(old) if at < old.last_seen + GRANULARITY => false,
                Some(old) => self.merge(Conversation { last_seen: at, ..old }),
            };
        }
        changed
    }

    /// Adds what was seen of a conversation; whether that changes anything. What was seen last
    /// says where it is.
    pub fn merge(&mut self, seen: Conversation) -> bool {
        let key = seen.id.to_ascii_lowercase();
        let Some(&place) = self.places.get(&key) else {
            self.places.insert(key, self.all.len());
            self.all.push(seen);
            return true;
        };
        let old = &mut self.all[place];
        let (first_seen, last_seen) =
            (old.first_seen.min(seen.first_seen), old.last_seen.max(seen.last_seen));
        let newer = if seen.last_seen >= old.last_seen { seen } else { old.clone() };
        let merged = Conversation { first_seen, last_seen, ..newer };
        let changed = merged != *old;
        *old = merged;
        changed
    }
}

/// Whether a snapshot shows a conversation that another does not, or in another place.
pub fn has_news(snapshot: &Snapshot, previous: &Snapshot) -> bool {
    let known = places(previous);
    snapshot.rows.iter().filter(|row| is_there(row)).any(|row| {
        let id = row.conversation_key().unwrap_or_default();
        known.get(&id).is_none_or(|place| *place != place_of(row))
    })
}

/// Whether a conversation is in the pane.
pub fn is_there(row: &Row) -> bool {
    row.conversation.is_some() && row.state != State::Lost
}

type Place<'a> = (&'a [u8], &'a [u8], Option<&'a [u8]>);

fn place_of(row: &Row) -> Place<'_> {
    (&row.session, &row.cwd, row.agent.as_deref())
}

fn places(snapshot: &Snapshot) -> HashMap<Vec<u8>, Place<'_>> {
    let there = snapshot.rows.iter().filter(|row| is_there(row));
    there.filter_map(|row| Some((row.conversation_key()?, place_of(row)))).collect()
}

/// What a pane shows of a conversation.
fn seen(row: &Row, at: Epoch) -> Option<Conversation> {
    let at = row.last_seen.unwrap_or(at);
    Some(Conversation {
        id: row.conversation.clone()?,
        agent: row.agent.clone().unwrap_or_default(),
        session: row.session.clone(),
        cwd: row.cwd.clone(),
        first_seen: at,
        last_seen: at,
    })
}

fn decode_line(line: Line<'_>) -> Option<Conversation> {
    let [id, agent, session, cwd, first_seen, last_seen] = line.exactly()?;
    Some(Conversation {
        id: unescape(id)?,
        agent: unescape(agent)?,
        session: unescape(session)?,
        cwd: unescape(cwd)?,
        first_seen: parse_time(first_seen)?,
        last_seen: parse_time(last_seen)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(conversation: &[u8], session: &[u8], state: State) -> Row {
        let agent = Some(b"claude".to_vec());
        let (conversation, session) = (Some(conversation.to_vec()), session.to_vec());
        Row { session, cwd: b"/x".to_vec(), conversation, agent, state, ..Row::default() }
    }

    fn snapshot(rows: Vec<Row>) -> Snapshot {
        Snapshot { rows, ..Snapshot::default() }
    }

    fn sorted(text: &[u8]) -> Vec<Conversation> {
        let (read, bad) = Conversations::decode(text);
        assert_eq!(bad, [0; 0]);
        read.newest_first().into_iter().cloned().collect()
    }

    #[test]
    fn bad_lines_are_named_and_the_others_count() {
        let text = b"# c\na\tclaude\ts\t/x\t5\t9\nbad\nb\tcodex\ts\t/x\tfive\t9\n";
        let (read, bad) = Conversations::decode(text);
        assert_eq!(bad, [3, 4]);
        assert_eq!(read.newest_first()[0].first_seen, 5);
    }

    #[test]
    fn what_stays_in_its_place_is_written_once_an_hour_and_what_moves_at_once() {
        let mut index = Conversations::default();
        let first = snapshot(vec![row(b"a", b"web", State::Live)]);
        assert!(index.observe(&first, 100, None));
        assert!(!index.observe(&first, 100 + GRANULARITY - 1, Some(&first)));
        assert!(index.observe(&first, 100 + GRANULARITY, Some(&first)));
        let moved = snapshot(vec![row(b"a", b"api", State::Live)]);
        assert!(has_news(&moved, &first) && !has_news(&first, &first));
        assert!(index.observe(&moved, 101 + GRANULARITY, Some(&first)));
        let back = snapshot(vec![row(b"a", b"api", State::Lost)]);
        assert!(!index.observe(&back, 9 * GRANULARITY, Some(&moved)), "not seen: lost");
        let [one] = index.newest_first()[..] else { panic!() };
        assert_eq!((one.first_seen, one.last_seen), (100, 101 + GRANULARITY));
        assert_eq!(one.session, b"api");
    }

    #[test]
    fn an_older_sighting_moves_only_the_beginning() {
        let mut index = Conversations::default();
        index.observe(&snapshot(vec![row(b"a", b"new", State::Live)]), 500, None);
        assert!(index.observe(&snapshot(vec![row(b"a", b"old", State::Live)]), 100, None));
        let [one] = index.newest_first()[..] else { panic!() };
        assert_eq!(
            (one.session.as_slice(), one.first_seen, one.last_seen),
            (&b"new"[..], 100, 500)
        );
    }

    #[test]
    fn the_conversations_not_seen_for_longest_go_when_there_are_too_many() {
        let mut index = Conversations::default();
        for n in 0..10_100_u64 {
            let row = row(n.to_string().as_bytes(), b"s", State::Live);
            index.observe(&snapshot(vec![row]), n, None);
        }
        let left = sorted(&index.encode());
        assert_eq!((left.len(), left.last().unwrap().last_seen), (10_000, 100));
        let mut long = Conversations::default();
        for n in 0..10_u64 {
            let mut row = row(n.to_string().as_bytes(), b"s", State::Live);
            row.cwd = vec![0; 300_000];
            long.observe(&snapshot(vec![row]), n, None);
        }
        assert!(long.encode().len() <= MAX_BYTES);
        assert!(sorted(&long.encode()).len() > 4);
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..8),
            "[-#\\\\\t\nab]{0,3}".prop_map(String::into_bytes),
        ]
    }

    prop_compose! {
        fn conversation()(
            (id, agent, session, cwd) in (bytes(), bytes(), bytes(), bytes()),
            first_seen in 0_u64..1000, lasted in 0_u64..1000,
        ) -> Conversation {
            Conversation { id, agent, session, cwd, first_seen, last_seen: first_seen + lasted }
        }
    }

    proptest! {
        #[test]
        fn any_index_comes_back(all in proptest::collection::vec(conversation(), 0..20)) {
            let mut index = Conversations::default();
            for one in all {
                index.merge(one);
            }
            let text = index.encode();
            let read = sorted(&text);
            prop_assert_eq!(read.iter().collect::<Vec<_>>(), index.newest_first());
            prop_assert_eq!(Conversations::decode(&text).0.encode(), text);
        }

        #[test]
        fn merging_twice_is_merging_once(all in proptest::collection::vec(conversation(), 0..20)) {
            let mut index = Conversations::default();
            for one in &all {
                index.merge(one.clone());
            }
            for one in index.newest_first().into_iter().cloned().collect::<Vec<_>>() {
                prop_assert!(!index.merge(one));
            }
        }
    }
}
