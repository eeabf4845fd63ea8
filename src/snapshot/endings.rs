//! Endings: how agents ended, as far as it was recorded (pure). Only a recorded close counts as closed on
//! purpose; an agent that merely disappeared is lost.

use super::id::{SnapshotId, parse_time};
use crate::sys::clock::Epoch;
use crate::text::escape::unescape;
use crate::text::tsv::{self, Line, Writer};

/// Maximum number of endings; the oldest are dropped first.
const MAX_KEPT: usize = 1000;

/// How an agent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndKind {
    /// On purpose.
    Closed,
    /// Any other way.
    Lost,
}

/// The record of one agent's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub session: Vec<u8>,
    /// When, in seconds since the epoch.
    pub ended: Epoch,
    pub conversation: Vec<u8>,
    pub agent: Vec<u8>,
    pub how: EndKind,
    /// What was seen: an exit code, a signal.
    pub reason: Vec<u8>,
}

/// All endings of one user, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endings(pub Vec<Ending>);

impl EndKind {
    /// The word in the file and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Lost => "lost",
        }
    }

    /// Reads the word.
    pub fn parse(word: &[u8]) -> Option<Self> {
        [Self::Closed, Self::Lost].into_iter().find(|how| how.word().as_bytes() == word)
    }
}

impl Endings {
    /// Reads `endings.tsv`. Lines that do not parse are given back by number; the others count.
    pub fn decode(text: &[u8]) -> (Self, Vec<usize>) {
        let (endings, bad) = tsv::records(text, decode_line);
        (Self(endings), bad)
    }

    /// Writes `endings.tsv`.
    pub fn encode(&self) -> Vec<u8> {
        let columns = ["# session", "ended", "conversation", "agent", "how", "reason"];
        let mut file = Writer::with_columns(&columns);
        for ending in &self.0 {
            file.first(&ending.session).plain(ending.ended);
            file.text(&ending.conversation).text(&ending.agent);
            file.raw(ending.how.word().as_bytes()).text(&ending.reason).end();
        }
        file.into_bytes()
    }

    /// Adds an ending; the last one of a conversation replaces the ones before.
    pub fn add(&mut self, ending: Ending) {
        self.0.retain(|old| !old.conversation.eq_ignore_ascii_case(&ending.conversation));
        self.0.push(ending);
        let surplus = self.0.len().saturating_sub(MAX_KEPT);
        self.0.drain(..surplus);
    }

    /// The close of a conversation at the snapshot's time or later.
    pub fn closed_since(&self, conversation: &[u8], snapshot: SnapshotId) -> Option<&Ending> {
        self.0.iter().find(|ending| {
            ending.conversation.eq_ignore_ascii_case(conversation)
                && ending.how == EndKind::Closed
                && ending.ended >= snapshot.seconds()
        })
    }

    /// The latest close of any conversation.
    pub fn latest_close(&self) -> Option<Epoch> {
        let closed = self.0.iter().filter(|ending| ending.how == EndKind::Closed);
        closed.map(|ending| ending.ended).max()
    }
}

fn decode_line(line: Line<'_>) -> Option<Ending> {
    let [session, ended, conversation, agent, how, reason] = line.exactly()?;
    Some(Ending {
        session: unescape(session)?,
        ended: parse_time(ended)?,
        conversation: unescape(conversation)?,
        agent: unescape(agent)?,
        how: EndKind::parse(how)?,
        reason: unescape(reason)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(conversation: &str, ended: Epoch, how: EndKind) -> Ending {
        Ending {
            session: b"#s\t".to_vec(),
            ended,
            conversation: conversation.into(),
            agent: b"claude".to_vec(),
            how,
            reason: b"exited with 0".to_vec(),
        }
    }

    #[test]
    fn endings_come_back_and_bad_lines_are_named() {
        let all = Endings(vec![ending("a", 5, EndKind::Closed), ending("b", 6, EndKind::Lost)]);
        let mut text = all.encode();
        text.extend(b"bad\n");
        assert_eq!(Endings::decode(&text), (all, vec![4]));
    }

    #[test]
    fn only_a_close_since_the_snapshot_counts_and_a_later_loss_undoes_it() {
        let snapshot = SnapshotId::next(100, None, None);
        let mut endings = Endings::default();
        endings.add(ending("a", 99, EndKind::Closed));
        assert!(endings.closed_since(b"a", snapshot).is_none());
        endings.add(ending("a", 100, EndKind::Closed));
        assert!(endings.closed_since(b"a", snapshot).is_some());
        assert_eq!(endings.latest_close(), Some(100));
        endings.add(ending("a", 101, EndKind::Lost));
        assert!(endings.closed_since(b"a", snapshot).is_none());
    }

    #[test]
    fn the_oldest_endings_go_when_there_are_too_many() {
        let mut endings = Endings::default();
        for n in 0..1100_u64 {
            endings.add(ending(&n.to_string(), n, EndKind::Closed));
        }
        assert_eq!((endings.0.len(), endings.0[0].ended), (1000, 100));
    }
}
