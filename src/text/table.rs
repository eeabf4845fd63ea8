//! Tables for people (pure).

use super::printable;
use unicode_width::UnicodeWidthStr;

/// Aligns columns, two spaces apart, without spaces at the ends of lines. The first row is the
/// heading; a column whose other cells are all empty or `-` is left out. Widths are those of a
/// terminal, which colours do not take part in.
pub fn align<const N: usize>(table: &[[String; N]]) -> String {
    let empty = |cell: &String| cell.is_empty() || cell == "-";
    let shown: Vec<usize> = (0..N)
        .filter(|&at| table.len() < 2 || !table[1..].iter().all(|row| empty(&row[at])))
        .collect();
    let widest = |&at: &usize| table.iter().map(|row| width(&row[at])).max().unwrap_or(0);
    let widths: Vec<usize> = shown.iter().map(widest).collect();
    let mut text = String::new();
    for row in table {
        let cells = shown.iter().zip(&widths).map(|(&at, &widest)| {
            let cell = &row[at];
            cell.clone() + &" ".repeat(widest - width(cell))
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The columns of a terminal that a text takes.
fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).map(UnicodeWidthStr::width).sum()
}

/// A number with its noun: `1 session`, `2 sessions`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_on_a_terminal_and_empty_ones_are_left_out() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let table = [
            row(["NAME", "NONE", "LAST"]),
            row(["\u{6f22}\u{5b57}", "-", "x"]),
            row(["\u{1b}[31mred\u{1b}[0m", "", "y"]),
        ];
        assert_eq!(
            align(&table),
            "  NAME  LAST\n  \u{6f22}\u{5b57}  x\n  \u{1b}[31mred\u{1b}[0m   y\n"
        );
    }

    #[test]
    fn long_text_is_cut_where_it_says_least() {
        assert_eq!((beginning("abc", 3), end("abc", 3)), ("abc".into(), "abc".into()));
        assert_eq!((beginning("abcd", 3), end("abcd", 3)), ("ab…".into(), "…cd".into()));
        assert_eq!(beginning("\u{1b}[31m", 9), "\\x1b[31m");
    }
}
