//! The name of a snapshot (pure): the time it was taken.

use crate::sys::clock::Epoch;
use chrono::{DateTime, NaiveDateTime};

/// `20261120T144343Z`, UTC; a second one within that second has `-1` after it, and so on.
/// Ordered by time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId {
    seconds: Epoch,
    again: u32,
}

/// The last second that an id can say, less one so that a later one still can: the year 9999.
pub const LAST: Epoch = 253_402_300_798;

/// Reads seconds since the epoch, at most [`LAST`]: a later time would put every later snapshot beyond
/// it, too.
pub(crate) fn parse_time(field: &[u8]) -> Option<Epoch> {
    let seconds = std::str::from_utf8(field).ok()?.parse().ok()?;
    (seconds <= LAST).then_some(seconds)
}

const FORMAT: &str = "%Y%m%dT%H%M%SZ";
const SUFFIX: &str = ".tsv";

impl SnapshotId {
    /// The id for a snapshot taken `now`: later than `newest` even when the clock went back, and
    /// in a later second than `closed`, the last time a session was closed on purpose, so that
    /// 'closed after this snapshot' stays decidable.
    pub fn next(now: Epoch, newest: Option<Self>, closed: Option<Epoch>) -> Self {
        let seconds = now.max(closed.map_or(0, |closed| closed.saturating_add(1))).min(LAST + 1);
        match newest {
            Some(newest) if newest.seconds >= seconds => {
                Self { again: newest.again.saturating_add(1), ..newest }
            }
            _ => Self { seconds, again: 0 },
        }
    }

    /// When it was taken, in seconds since the epoch.
    pub fn seconds(self) -> Epoch {
        self.seconds
    }

    /// Parses an id, or the name of its file.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix(SUFFIX).unwrap_or(text);
        let (time, again) = match text.split_once('-') {
            Some((time, again)) => (time, Some(again.parse::<u32>().ok().filter(|&n| n > 0)?)),
            None => (text, None),
        };
        let seconds = NaiveDateTime::parse_from_str(time, FORMAT).ok()?.and_utc().timestamp();
        let id = Self { seconds: u64::try_from(seconds).ok()?, again: again.unwrap_or(0) };
        (id.to_string() == text).then_some(id)
    }

    /// The name of its file in the store.
    pub fn file_name(self) -> String {
        format!("{self}{SUFFIX}")
    }
}

impl std::fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = i64::try_from(self.seconds).ok().and_then(|s| DateTime::from_timestamp(s, 0));
        write!(f, "{}", time.unwrap_or_default().format(FORMAT))?;
        if self.again > 0 {
            write!(f, "-{}", self.again)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_reads_as_its_time() {
        let id = SnapshotId::parse("20261120T144343Z").unwrap();
        assert_eq!(id.seconds(), 1_795_185_823);
        assert_eq!(id.file_name(), "20261120T144343Z.tsv");
        for text in [
            "",
            "latest",
            "20261120T144343",
            "20261120T144343Z-0",
            "20261120T144343Z-01",
            "20261340T000000Z",
        ] {
            assert_eq!(SnapshotId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_beyond_the_year_9999_gives_an_id_that_still_parses() {
        for closed in [LAST, LAST + 1, u64::MAX] {
            let id = SnapshotId::next(5, None, Some(closed));
            assert_eq!(SnapshotId::parse(&id.to_string()), Some(id), "{closed}");
        }
    }

    #[test]
    fn the_next_id_is_later_whatever_the_clock_does() {
        let newest = SnapshotId::parse("20261120T144343Z").unwrap();
        let again = SnapshotId::next(newest.seconds() - 500, Some(newest), None);
        assert_eq!(again.to_string(), "20261120T144343Z-1");
        let later = SnapshotId::next(newest.seconds() + 1, Some(again), None);
        assert_eq!(later.to_string(), "20261120T144344Z");
        let closed = SnapshotId::next(newest.seconds(), Some(newest), Some(newest.seconds()));
        assert_eq!(closed.to_string(), "20261120T144344Z");
    }

    proptest! {
        #[test]
        fn ids_parse_back_and_sort_by_time(a in 0_u64..4_000_000_000, b in 0_u64..4_000_000_000) {
            let first = SnapshotId::next(a, None, None);
            let second = SnapshotId::next(b, Some(first), None);
            prop_assert!(second > first);
            prop_assert_eq!(SnapshotId::parse(&second.file_name()), Some(second));
        }
    }
}
