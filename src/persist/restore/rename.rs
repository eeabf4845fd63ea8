//! The name of a session whose own name is taken by other work (pure).

use super::facts::Facts;
use std::collections::BTreeSet;

/// `NAME-HHMM`, with a number appended if that is taken, too. `names` are the sessions of the
/// snapshot.
pub(crate) fn free_name(name: &[u8], facts: &Facts, names: &BTreeSet<&[u8]>) -> Vec<u8> {
    let first = [name, b"-", facts.hhmm.as_bytes()].concat();
    let is_taken = |name: &[u8]| facts.sessions.contains(name) || names.contains(name);
    let numbered = (2..).map(|n: u32| [first.as_slice(), b"-", n.to_string().as_bytes()].concat());
    let mut candidates = std::iter::once(first.clone()).chain(numbered);
    candidates.find(|candidate| !is_taken(candidate)).unwrap_or(first)
}
