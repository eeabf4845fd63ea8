//! Tombstones: which sessions were closed on purpose, and when (pure).

use super::id::{SnapshotId, parse_time};
use crate::sys::clock::Epoch;
use crate::text::escape::unescape;
use crate::text::tsv::{self, Line, Writer};

/// The record that a session was closed on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    pub session: Vec<u8>,
    /// When, in seconds since the epoch.
    pub closed: Epoch,
    /// Why, in the words of the user or program that closed it.
    pub reason: Vec<u8>,
}

/// All tombstones of one user, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tombstones(pub Vec<Tombstone>);

impl Tombstones {
    /// Reads `forgotten.tsv`: session, epoch seconds, reason. Lines that do not parse are given
    /// back by number; the others count.
    pub fn decode(text: &[u8]) -> (Self, Vec<usize>) {
        let (tombstones, bad) = tsv::records(text, decode_line);
        (Self(tombstones), bad)
    }

    /// Writes `forgotten.tsv`.
    pub fn encode(&self) -> Vec<u8> {
        let mut file = Writer::with_columns(&["# session", "closed", "reason"]);
        for Tombstone { session, closed, reason } in &self.0 {
            file.first(session).plain(closed).text(reason).end();
        }
        file.into_bytes()
    }

    /// The tombstone that keeps a session of a snapshot from being restored: one set at the
    /// snapshot's time or later (a close older than the snapshot does not count, lesson 19).
    pub fn closed_since(&self, session: &[u8], snapshot: SnapshotId) -> Option<&Tombstone> {
        let of_session = self.0.iter().filter(|tombstone| tombstone.session == session);
        of_session
            .filter(|tombstone| tombstone.closed >= snapshot.seconds())
            .max_by_key(|t| t.closed)
    }

    /// The latest close of any session.
    pub fn latest(&self) -> Option<Epoch> {
        self.0.iter().map(|tombstone| tombstone.closed).max()
    }
}

fn decode_line(line: Line<'_>) -> Option<Tombstone> {
    let mut fields = line.fields();
    let session = unescape(fields.next()?)?;
    let closed = parse_time(fields.next()?)?;
    let reason = fields.next().map_or(Some(Vec::new()), unescape)?;
    fields.next().is_none().then_some(Tombstone { session, closed, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tombstones_come_back_and_bad_lines_are_named() {
        let tombstone = |session: &[u8], closed| Tombstone {
            session: session.to_vec(),
            closed,
            reason: b"done\twith it".to_vec(),
        };
        let all = Tombstones(vec![tombstone(b"#a\n\xff", 5), tombstone(b"", 9)]);
        let mut text = all.encode();
        text.extend(b"bad line\nfuture\t99999999999999\t\n");
        assert_eq!(Tombstones::decode(&text), (all, vec![4, 5]));
    }

    #[test]
    fn a_close_older_than_the_snapshot_does_not_count() {
        let snapshot = SnapshotId::next(100, None, None);
        let closed = |closed| {
            let reason = Vec::new();
            Tombstones(vec![Tombstone { session: b"a".to_vec(), closed, reason }])
        };
        assert!(closed(99).closed_since(b"a", snapshot).is_none());
        assert!(closed(100).closed_since(b"a", snapshot).is_some());
        assert!(closed(101).closed_since(b"b", snapshot).is_none());
    }
}
