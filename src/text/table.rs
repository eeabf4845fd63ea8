//! Tables, and text that a person reads.

use super::printable;

/// Columns of equal width, two spaces apart; no spaces at the ends of lines.
pub fn align<const N: usize>(table: &[[String; N]]) -> String {
    let width =
        |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in table {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Text that may come from a user, for a terminal. What is escaped already has no more to
/// escape but its backslashes, which stay.
pub fn shown(text: &str) -> String {
    printable(text).into_owned()
}

/// As [`shown`], with no more than `most` characters: the beginning.
pub(crate) fn beginning(text: &str, most: usize) -> String {
    let text = shown(text);
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// As [`shown`], with no more than `most` characters: the end.
pub(crate) fn end(text: &str, most: usize) -> String {
    let text = shown(text);
    let length = text.chars().count();
    if length <= most {
        return text;
    }
    std::iter::once('…').chain(text.chars().skip(length - most + 1)).collect()
}

/// A time in UTC, as ids have it, to the minute.
pub(crate) fn minute(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok();
    let time = time.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    time.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_where_it_says_least() {
        assert_eq!((beginning("abc", 3), end("abc", 3)), ("abc".into(), "abc".into()));
        assert_eq!((beginning("abcd", 3), end("abcd", 3)), ("ab…".into(), "…cd".into()));
        assert_eq!(beginning("\u{1b}[31m", 9), "\\x1b[31m");
    }
}
