//! Which live panes a person names (pure).

use crate::persist::error::Error;
use crate::persist::restore::selection::{self, Match};
use crate::snapshot::{Row, Snapshot, Stored};
use crate::text::escape;
use std::collections::BTreeSet;

/// The places of the panes that `words` name among the live ones: a session by its name, a pane as
/// `web:0.1`, an agent by a prefix of its conversation's id.
///
/// # Errors
/// If a word names nothing, or several conversations.
pub(super) fn find(words: &[String], live: &Snapshot) -> Result<BTreeSet<usize>, Error> {
    let stored = Stored { snapshot: live.clone(), ..Stored::default() };
    let mut found = BTreeSet::new();
    for word in words {
        let matches: Box<dyn Fn(&Row) -> bool> = match selection::find(word, &stored) {
            _ if live.rows.iter().any(|row| row.label() == *word) => {
                Box::new(|row: &Row| row.label() == *word)
            }
            Match::Session(name) => Box::new(move |row: &Row| row.session == name),
            Match::Conversation(id) => Box::new(move |row: &Row| {
                row.conversation_key().as_deref() == Some(id.key().as_bytes())
            }),
            Match::Several(count) => {
                return Err(Error::AmbiguousLive { prefix: word.clone(), count });
            }
            Match::None => {
                let names: BTreeSet<String> = stored.session_names().map(escape).collect();
                let sessions = names.into_iter().collect();
                return Err(Error::NotLive { name: word.clone(), sessions });
            }
        };
        found.extend((0..live.rows.len()).filter(|&at| matches(&live.rows[at])));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_a_pane_and_a_conversation_are_named_and_nothing_else() {
        let row = |session: &str, pane, id: &str| Row {
            session: session.into(),
            pane,
            conversation: Some(id.into()),
            ..Row::default()
        };
        let ids = ["0d0a8f5e-0000-4000-8000-000000000001", "0d0a8f5e-1000-4000-8000-000000000002"];
        let rows = vec![row("a", 0, ids[0]), row("a", 1, ids[1]), row("b", 0, "x")];
        let live = Snapshot { rows, ..Snapshot::default() };
        let find = |word: &str| find(&[word.to_owned()], &live).map(Vec::from_iter);
        assert_eq!(find("a").unwrap(), [0, 1]);
        assert_eq!(find("a:0.1").unwrap(), [1]);
        assert_eq!(find("0d0a8f5e-1").unwrap(), [1]);
        assert!(find("c").unwrap_err().is_usage() && find("0d0a8f5e").unwrap_err().is_usage());
    }
}
