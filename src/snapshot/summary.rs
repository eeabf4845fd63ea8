//! How much was alive, in a line before the trailer, so that a thousand snapshots can be listed by
//! reading only the end of each (pure).

use super::record::{Snapshot, State};
use std::collections::BTreeSet;

/// What the line begins with.
const KEY: &str = "# sessions ";
/// The summary and the trailer are within this many bytes from the end.
pub const TAIL: u64 = 160;

/// How much of a snapshot was alive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Sessions that were there, with whatever in their panes.
    pub sessions: usize,
    /// Agents that were there: panes that are live or suspended.
    pub live: usize,
    /// Panes that are lost.
    pub lost: usize,
}

impl Summary {
    /// Counts a snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        let count = |wanted: &[State]| {
            snapshot.rows.iter().filter(|row| wanted.contains(&row.state)).count()
        };
        let sessions: BTreeSet<&[u8]> =
            snapshot.present().map(|row| row.session.as_slice()).collect();
        Self {
            sessions: sessions.len(),
            live: count(&[State::Live, State::Suspended]),
            lost: count(&[State::Lost]),
        }
    }

    /// One number to compare snapshots by.
    pub fn fullness(self) -> usize {
        self.sessions.saturating_add(self.live)
    }

    /// The line in the file.
    pub fn line(self) -> String {
        format!("{KEY}{} live {} lost {}", self.sessions, self.live, self.lost)
    }

    /// Reads it from the end of a file; `None` where no summary stands before a trailer.
    pub fn of_tail(tail: &[u8]) -> Option<Self> {
        let mut lines = tail.strip_suffix(b"\n")?.rsplit(|&byte| byte == b'\n');
        let rows = std::str::from_utf8(lines.next()?.strip_prefix(b"# end ")?).ok()?;
        rows.parse::<usize>().ok()?;
        let summary = std::str::from_utf8(lines.next()?).ok()?;
        lines.next()?; // otherwise the line itself may be cut
        let words: Vec<&str> = summary.strip_prefix(KEY)?.split(' ').collect();
        let [sessions, "live", live, "lost", lost] = words[..] else { return None };
        let number = |word: &str| word.parse().ok();
        Some(Self { sessions: number(sessions)?, live: number(live)?, lost: number(lost)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Row, encode};
    use proptest::prelude::*;

    fn snapshot(states: &[(u8, State)]) -> Snapshot {
        let row = |(session, state): &(u8, State)| Row {
            session: vec![b'a' + session],
            cwd: b"/".to_vec(),
            state: *state,
            ..Row::default()
        };
        Snapshot { rows: states.iter().map(row).collect(), ..Snapshot::default() }
    }

    #[test]
    fn a_session_of_lost_panes_alone_was_not_there() {
        let counted = Summary::of(&snapshot(&[
            (0, State::Live),
            (0, State::Lost),
            (1, State::Lost),
            (2, State::Shell),
            (3, State::Suspended),
        ]));
        assert_eq!(counted, Summary { sessions: 3, live: 2, lost: 2 });
        assert_eq!(counted.fullness(), 5);
    }

    #[test]
    fn a_tail_without_a_whole_summary_or_trailer_tells_nothing() {
        for text in [
            "",
            "# end 1\n",
            "x\n# end 1\n",
            "# sessions 1 live 1 lost 0\n# end 1\n", // may have been cut before it
            "x\n# sessions 1 live 1 lost 0\n",
            "x\n# sessions 1 live 1 lost 0\n# end 1",
            "x\n# sessions 1 live 1 lost\n# end 1\n",
            "x\n# sessions 1 live one lost 0\n# end 1\n",
        ] {
            assert_eq!(Summary::of_tail(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_end_of_any_snapshot_tells_its_summary(
            states in proptest::collection::vec((0_u8..5, prop_oneof![
                Just(State::Live), Just(State::Lost), Just(State::Shell), Just(State::Suspended),
            ]), 0..30),
        ) {
            let snapshot = snapshot(&states);
            let text = encode(&snapshot);
            let tail = &text[text.len().saturating_sub(usize::try_from(TAIL).unwrap())..];
            prop_assert_eq!(Summary::of_tail(tail), Some(Summary::of(&snapshot)));
        }
    }
}
