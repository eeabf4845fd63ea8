//! What is wrong with a roster: where, what, and what to do about it.

use std::fmt::Write;

/// A place in a text, both numbers from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

/// Nobody reads more; a hostile text of 1 MiB would have 100,000.
pub(crate) const MOST: usize = 200;

/// Something that makes a roster unusable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What is wrong there.
    pub what: String,
    /// What would be right.
    pub hint: String,
}

impl Problem {
    pub(crate) fn new(place: Place, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place, what: what.into(), hint: hint.into() }
    }

    /// One line: `file:line:column: what; hint: ...`.
    pub fn in_file(&self, file: &str) -> String {
        let Place { line, column } = self.place;
        let mut text = format!("{file}:{line}:{column}: {}", self.what);
        if !self.hint.is_empty() {
            let _ = write!(text, "; hint: {}", self.hint); // to a String: cannot fail
        }
        text
    }
}

/// Text of a file in a message: quoted, on one line, no longer than a name needs.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 64;
    let start: String = text.chars().take(MOST).collect();
    let more = if start.len() < text.len() { "..." } else { "" };
    format!("'{}{more}'", start.escape_debug())
}

/// The one of `known` that may have been meant.
pub(crate) fn nearest<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let text = text.to_lowercase().replace('_', "-");
    let distances = known.iter().map(|&word| (distance(&text, &word.replace('_', "-")), word));
    let (distance, word) = distances.min()?;
    (distance <= word.len() / 3 + 1 && distance < word.len()).then_some(word)
}

/// A hint that names the nearest of `known`, or all of them.
pub(crate) fn meant(text: &str, known: &[&str]) -> String {
    nearest(text, known).map_or_else(
        || format!("one of {}", known.join(", ")),
        |word| format!("did you mean '{word}'?"),
    )
}

/// How many characters must be put in, left out, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(from != to);
            let mut least = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *to && b[j - 1] == *from {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_are_guessed_and_other_words_are_not() {
        let fields = ["authentik_user", "k8s_user", "tier", "repos"];
        for (typed, meant) in [
            ("teir", Some("tier")),
            ("Tier", Some("tier")),
            ("repo", Some("repos")),
            ("k8suser", Some("k8s_user")),
            ("authentik-user", Some("authentik_user")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, &fields), meant, "{typed}");
        }
    }

    #[test]
    fn what_a_file_says_is_on_one_line_and_short() {
        assert_eq!(quoted("a\n\u{1b}[m\u{202e}'"), "'a\\n\\u{1b}[m\\u{202e}\\''");
        assert!(quoted(&"x".repeat(1000)).len() < 80);
    }
}
