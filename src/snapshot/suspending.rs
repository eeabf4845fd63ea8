//! Conversations whose agents are being suspended (pure): recorded before an agent is ended, so that a
//! save which finds its pane without it, because the suspension was interrupted, takes it for suspended
//! and not for lost.

use crate::text::escape::unescape;
use crate::text::tsv::{self, Writer};
use std::collections::BTreeSet;

/// Ids of conversations, in small letters: a line each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suspending(pub BTreeSet<Vec<u8>>);

impl Suspending {
    /// The file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut file = Writer::with_columns(&["# conversation"]);
        for id in &self.0 {
            file.first(id).end();
        }
        file.into_bytes()
    }

    /// Reads the file. Also returns the numbers of the lines that do not parse.
    #[must_use]
    pub fn decode(text: &[u8]) -> (Self, Vec<usize>) {
        let (ids, bad) = tsv::records(text, |line| {
            let [id] = line.exactly()?;
            Some(unescape(id)?.to_ascii_lowercase())
        });
        (Self(ids.into_iter().collect()), bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_bad_line_is_named() {
        let all = Suspending([b"a".to_vec(), b"0d0a8f5e".to_vec()].into());
        let text = [&all.encode()[..], b"x\ty\n"].concat();
        assert_eq!(Suspending::decode(&text), (all, vec![4]));
        assert_eq!(Suspending::decode(b"ABC\n").0, Suspending([b"abc".to_vec()].into()));
    }
}
