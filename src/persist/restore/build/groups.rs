//! The names of session groups (pure).
//!
//! tmux names a new group after its first session, by the name that the session has at that moment.
//! So the first session gets the name of the group while the others join, and then its own.

use super::arrange::Session;
use crate::tmux::escape::unvis;
use std::collections::BTreeSet;

/// The group of a session that is to be created.
pub(crate) fn of<'a>(session: &Session<'a>) -> Option<&'a [u8]> {
    session.windows[0].first().row.group.as_deref()
}

/// Reads tmux's list of all names of sessions and groups.
pub(crate) fn names_in_use(reply: &str) -> BTreeSet<Vec<u8>> {
    reply.lines().map(|line| unvis(line.as_bytes())).collect()
}

/// The name of a group, with a number appended if it is in use: a session that gets the name of an
/// existing group would join it and lose its windows.
pub(crate) fn free_name(group: &[u8], in_use: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let numbered = |n: usize| [group, format!("-{n}").as_bytes()].concat();
    let names = std::iter::once(group.to_vec()).chain((2..).map(numbered));
    names.into_iter().find(|name| !in_use.contains(name)).unwrap_or_else(|| group.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_use_gets_a_number() {
        let in_use = names_in_use("a\\\\b\nmain\nmain-2\n");
        assert!(in_use.contains(&b"a\\b"[..]));
        assert_eq!(free_name(b"main", &in_use), b"main-3");
        assert_eq!(free_name(b"other", &in_use), b"other");
    }
}
