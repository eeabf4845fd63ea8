//! Tombstones: which sessions were closed on purpose, and when.

use super::codec::first_field;
use super::id::{self, SnapshotId};
use crate::sys::clock::Epoch;
use crate::text::escape::{escape, unescape};

/// The record that a session was closed on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Session name.
    pub session: Vec<u8>,
    /// When, in seconds since the epoch.
    pub closed: Epoch,
    /// Why, in the words of whoever closed it.
    pub reason: Vec<u8>,
}

/// All tombstones of one user, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tombstones(pub Vec<Tombstone>);

impl Tombstones {
    /// Reads `forgotten.tsv`: session, epoch seconds, reason. Lines that do not parse are given
    /// back by number; the others count.
    pub fn decode(text: &[u8]) -> (Self, Vec<usize>) {
        let (tombstones, bad) = decode_lines(text, decode_line);
        (Self(tombstones), bad)
    }

    /// Writes `forgotten.tsv`.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = String::from("# session\tclosed\treason\n");
        for Tombstone { session, closed, reason } in &self.0 {
            let fields = [first_field(session), closed.to_string(), escape(reason)];
            text.push_str(&fields.join("\t"));
            text.push('\n');
        }
        text.into_bytes()
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

fn decode_line(line: &[u8]) -> Option<Tombstone> {
    let mut fields = line.split(|&byte| byte == b'\t');
    let session = unescape(fields.next()?)?;
    let closed = epoch(fields.next()?)?;
    let reason = fields.next().map_or(Some(Vec::new()), unescape)?;
    fields.next().is_none().then_some(Tombstone { session, closed, reason })
}

/// Reads a file of one record a line; empty lines and `#` comments are passed over. Lines that do
/// not parse are given back by number, from 1; the others count.
pub(super) fn decode_lines<T>(
    text: &[u8],
    decode: impl Fn(&[u8]) -> Option<T>,
) -> (Vec<T>, Vec<usize>) {
    let (mut records, mut bad) = (Vec::new(), Vec::new());
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match decode(line) {
            Some(record) => records.push(record),
            None => bad.push(index + 1),
        }
    }
    (records, bad)
}

/// Seconds since the epoch, no later than a snapshot's name can say: a time beyond that would put
/// every later snapshot beyond it, too.
pub(super) fn epoch(field: &[u8]) -> Option<Epoch> {
    let seconds = std::str::from_utf8(field).ok()?.parse().ok()?;
    (seconds <= id::LAST).then_some(seconds)
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
