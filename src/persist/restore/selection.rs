//! Which panes the user selected: sessions by name, agents by a prefix of their conversation's uuid
//! (pure). Strings, never numbers (lesson 20).

use super::session_name;
use crate::agent::ConversationId;
use crate::persist::error::Error;
use crate::snapshot::{Row, Stored};
use crate::text::escape;
use std::collections::BTreeSet;

/// Minimum length of a prefix: a session may well be called `a`.
const MIN_PREFIX: usize = 4;

/// The selected sessions and conversations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    sessions: BTreeSet<Vec<u8>>,
    conversations: BTreeSet<Vec<u8>>,
}

/// What one word names in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match {
    Session(Vec<u8>),
    Conversation(ConversationId),
    /// It is a prefix of this many conversation ids.
    Several(usize),
    None,
}

impl Selection {
    /// The selection that `words` make; `None` without words.
    ///
    /// # Errors
    /// If one of them names nothing, or more than one conversation: nothing is restored then.
    pub(crate) fn parse(words: &[String], stored: &Stored) -> Result<Option<Self>, Error> {
        let mut selection = Self::default();
        for word in words {
            match find(word, stored) {
                Match::Session(name) => selection.sessions.insert(name),
                Match::Conversation(id) => selection.conversations.insert(id.key().into()),
                Match::Several(count) => return Err(ambiguous(word, count, stored)),
                Match::None => {
                    let (name, snapshot) = (word.clone(), stored.id);
                    let sessions: BTreeSet<String> = stored.session_names().map(escape).collect();
                    let sessions = sessions.into_iter().collect();
                    return Err(Error::NotInSnapshot { name, snapshot, sessions });
                }
            };
        }
        Ok((!words.is_empty()).then_some(selection))
    }

    /// Whether a pane is selected.
    pub fn has(&self, row: &Row) -> bool {
        let id = || ConversationId::parse(row.conversation.as_deref()?);
        self.sessions.contains(&row.session)
            || id().is_some_and(|id| self.conversations.contains(id.key().as_bytes()))
    }
}

/// What a word names in a snapshot: a session by its name, else the one conversation whose uuid has it
/// as a prefix.
pub(crate) fn find(word: &str, stored: &Stored) -> Match {
    let known: BTreeSet<&[u8]> = stored.session_names().collect();
    if let Some(name) = session_name::find(word, &known) {
        return Match::Session(name);
    }
    let prefix = word.to_ascii_lowercase();
    let is_prefix = prefix.len() >= MIN_PREFIX
        && prefix.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let ids = stored.snapshot.rows.iter().filter_map(|row| row.conversation.as_deref());
    let mut ids: BTreeSet<ConversationId> = ids.filter_map(ConversationId::parse).collect();
    ids.retain(|id| is_prefix && id.key().starts_with(&prefix));
    match (ids.len(), ids.pop_first()) {
        (1, Some(id)) => Match::Conversation(id),
        (0, _) | (_, None) => Match::None,
        (count, Some(_)) => Match::Several(count),
    }
}

pub(crate) fn ambiguous(prefix: &str, count: usize, stored: &Stored) -> Error {
    Error::Ambiguous { prefix: prefix.to_owned(), count, snapshot: stored.id }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Snapshot, SnapshotId};

    fn stored(rows: &[(&str, Option<&str>)]) -> Stored {
        let row = |(session, id): &(&str, Option<&str>)| Row {
            session: session.as_bytes().to_vec(),
            conversation: id.map(|id| id.as_bytes().to_vec()),
            ..Row::default()
        };
        let rows = rows.iter().map(row).collect();
        Stored {
            id: SnapshotId::next(100, None, None),
            snapshot: Snapshot { rows, ..Snapshot::default() },
        }
    }

    #[test]
    fn a_name_comes_before_a_uuid_and_a_prefix_must_be_of_one_conversation_only() {
        let (one, two) =
            ("0d0a8f5e-0000-4000-8000-000000000001", "0d0a8f5e-1000-4000-8000-000000000002");
        let stored =
            stored(&[("7", Some(one)), ("007", None), ("0d0a", Some(two)), ("g", Some(one))]);
        let named = |word: &str| find(word, &stored);
        assert_eq!(named("7"), Match::Session(b"7".to_vec()));
        assert_eq!(named("0d0a"), Match::Session(b"0d0a".to_vec()));
        let id = ConversationId::parse(one.as_bytes()).unwrap();
        assert_eq!(named("0D0A8F5E-0"), Match::Conversation(id));
        assert_eq!(named("0d0a8f5e"), Match::Several(2));
        for absent in ["0d0", "00", "", "zzzz", "0d0a8f5e-2"] {
            assert_eq!(named(absent), Match::None, "{absent}");
        }
    }

    #[test]
    fn all_words_must_name_something() {
        let stored = stored(&[("a", None), ("b", None)]);
        let parse = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Selection::parse(&words, &stored)
        };
        assert_eq!(parse(&[]).unwrap(), None);
        assert!(parse(&["a", "c"]).unwrap_err().is_usage());
        let selection = parse(&["a"]).unwrap().unwrap();
        let chosen: Vec<bool> = stored.snapshot.rows.iter().map(|row| selection.has(row)).collect();
        assert_eq!(chosen, [true, false]);
    }
}
