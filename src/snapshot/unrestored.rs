//! What restores could not bring back (pure): a line for each pane with its session, window and pane
//! index, and conversation. A save carries it as lost for as long as it is not back.

use super::record::Row;
use crate::text::tsv::{Reader, Writer, optional};
use std::collections::BTreeSet;

/// Panes that restores could not bring back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unrestored(BTreeSet<Entry>);

type Entry = (Vec<u8>, u32, u32, Option<Vec<u8>>);

fn entry(row: &Row) -> Entry {
    (row.session.clone(), row.window, row.pane, row.conversation.clone())
}

impl Unrestored {
    /// Whether the pane of a row is among them: by its conversation, which may be recorded in another
    /// place since, else by its place.
    pub fn has(&self, row: &Row) -> bool {
        match &row.conversation {
            Some(id) => self.0.iter().any(|(.., known)| known.as_ref() == Some(id)),
            None => self.0.contains(&entry(row)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Enters what became of a pane in a restore.
    pub fn enter(&mut self, row: &Row, is_back: bool) {
        if let (Some(id), true) = (&row.conversation, is_back) {
            self.0.retain(|(.., known)| known.as_ref() != Some(id));
        }
        if is_back {
            self.0.remove(&entry(row));
        } else {
            self.0.insert(entry(row));
        }
    }

    /// Keeps those that the newest snapshot still has.
    pub fn retain_of(&mut self, rows: &[Row]) {
        let known: BTreeSet<Entry> = rows.iter().map(entry).collect();
        self.0.retain(|entry| known.contains(entry));
    }

    /// The file.
    pub fn encode(&self) -> Vec<u8> {
        let mut file = Writer::default();
        for (session, window, pane, conversation) in &self.0 {
            file.first(session).plain(window).plain(pane).optional(conversation.as_deref()).end();
        }
        file.into_bytes()
    }

    /// Reads the file. Also returns the numbers of the lines that do not parse.
    pub fn decode(text: &[u8]) -> (Self, Vec<usize>) {
        let (mut read, mut bad) = (Self::default(), Vec::new());
        let mut lines = Reader::new(text);
        while let Some(line) = lines.line() {
            if !line.is_record() {
                continue;
            }
            let mut fields = line.fields();
            let mut field = || optional(fields.next()?);
            let number = |field: Option<Option<Vec<u8>>>| -> Option<u32> {
                std::str::from_utf8(&field??).ok()?.parse().ok()
            };
            let session = field().flatten();
            let (window, pane, conversation) = (number(field()), number(field()), field());
            match session.zip(window).zip(pane).zip(conversation) {
                Some((((session, window), pane), conversation)) => {
                    read.0.insert((session, window, pane, conversation));
                }
                None => bad.push(line.number),
            }
        }
        (read, bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_bad_line_is_named() {
        let row = |session: &str, id: Option<&str>| Row {
            session: session.into(),
            window: 2,
            conversation: id.map(Into::into),
            ..Row::default()
        };
        let mut all = Unrestored::default();
        all.enter(&row("a\tb", Some("x")), false);
        all.enter(&row("-", None), false);
        let text = [&all.encode()[..], b"x\ty\n"].concat();
        assert_eq!(Unrestored::decode(&text), (all.clone(), vec![3]));
        assert!(all.has(&row("moved", Some("x"))) && all.has(&row("-", None)));
        assert!(!all.has(&row("a\tb", None)) && !all.has(&row("-", Some("y"))));
        all.enter(&row("moved", Some("x")), true);
        all.retain_of(&[]);
        assert!(all.is_empty());
    }
}
