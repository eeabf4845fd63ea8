//! A service's environment file: sets one key and keeps every other byte (pure).

/// The value of a key, as systemd reads it: the last assignment counts.
pub fn get(text: &[u8], key: &str) -> Option<Vec<u8>> {
    let line = assignments(text, key).pop()?;
    let value = text[line.value..line.end].trim_ascii();
    let quoted = |quote: u8| value.len() >= 2 && value[0] == quote && value.ends_with(&[quote]);
    let value = if quoted(b'"') || quoted(b'\'') { &value[1..value.len() - 1] } else { value };
    Some(value.to_vec())
}

/// The text with a key set: its last assignment is replaced, else a line is appended.
pub fn set(text: &[u8], key: &str, value: &str) -> Vec<u8> {
    let mut new = Vec::with_capacity(text.len() + key.len() + value.len() + 2);
    if let Some(line) = assignments(text, key).pop() {
        new.extend_from_slice(&text[..line.value]);
        new.extend_from_slice(value.as_bytes());
        new.extend_from_slice(&text[line.end..]);
        return new;
    }
    if let Some(at) = open_value(text) {
        // Behind a value whose quote is never closed, the line would be a part of it.
        let line = format!("{key}={value}\n");
        return [&text[..at], line.as_bytes(), &text[at..]].concat();
    }
    new.extend_from_slice(text);
    if !text.is_empty() && !text.ends_with(b"\n") {
        new.push(b'\n');
    }
    if continued(text.strip_suffix(b"\n").unwrap_or(text)) {
        new.push(b'\n'); // ends the line that would swallow ours
    }
    new.extend_from_slice(format!("{key}={value}\n").as_bytes());
    new
}

/// The range of a value.
struct Line {
    value: usize,
    end: usize,
}

fn assignments(text: &[u8], key: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let mut end = line_end(text, start);
        let comment = matches!(text[start..end].trim_ascii_start().first(), Some(b'#' | b';'));
        while !comment && end < text.len() && continued(&text[start..end]) {
            end = line_end(text, end + 1);
        }
        let line = &text[start..end];
        let equals = line.iter().position(|byte| *byte == b'=');
        let value_end = equals.filter(|_| !comment).map(|at| value_end(text, start + at + 1).0);
        end = value_end.unwrap_or(end).max(end);
        let line = &text[start..end];
        if let Some(at) = equals.filter(|at| !comment && line[..*at].trim_ascii() == key.as_bytes())
        {
            let end = if line.ends_with(b"\r") { end - 1 } else { end };
            found.push(Line { value: start + at + 1, end });
        }
        start = end.max(line_end(text, end)) + 1;
    }
    found
}

/// The line that begins a value whose quote is never closed.
fn open_value(text: &[u8]) -> Option<usize> {
    let mut start = 0;
    while start < text.len() {
        let mut end = line_end(text, start);
        let line = &text[start..end];
        let comment = matches!(line.trim_ascii_start().first(), Some(b'#' | b';'));
        while !comment && end < text.len() && continued(&text[start..end]) {
            end = line_end(text, end + 1);
        }
        let equals = text[start..end].iter().position(|byte| *byte == b'=');
        if let Some(at) = equals.filter(|_| !comment) {
            let (value_end, is_open) = value_end(text, start + at + 1);
            if is_open {
                return Some(start);
            }
            end = end.max(value_end);
        }
        start = end + 1;
    }
    None
}

/// Where the line of a value ends that begins at `from`, as systemd.exec(5) reads it: a quoted part may
/// hold line ends; and whether a quote is still open at the end of the text.
fn value_end(text: &[u8], from: usize) -> (usize, bool) {
    let (mut at, mut quote) = (from, None);
    // Quotes count only where a value or a part of one begins.
    let mut begins = true;
    while let Some(&byte) = text.get(at) {
        match (quote, byte) {
            (None, b'\n') => return (at, false),
            (None, b'\\') => {
                at += 1;
                begins = false;
            }
            (None, b'"' | b'\'') if begins => quote = Some(byte),
            (None, _) => begins = begins && byte.is_ascii_whitespace(),
            (Some(b'"'), b'\\') => at += 1,
            (Some(open), _) if open == byte => {
                quote = None;
                begins = true;
            }
            (Some(_), _) => {}
        }
        at += 1;
    }
    (text.len(), quote.is_some())
}

fn line_end(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| from + at)
}

/// Whether a line continues in the next one: it ends with an odd number of backslashes.
fn continued(line: &[u8]) -> bool {
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_key_is_set_and_the_other_lines_stay() {
        for (text, value, set_text) in [
            ("", None, "P=7\n"),
            ("A=1\n", None, "A=1\nP=7\n"),
            ("A=1", None, "A=1\nP=7\n"),
            ("# P=1\nP=2\r\nB=x\n", Some("2"), "# P=1\nP=7\r\nB=x\n"),
            ("P=1\nP= \"2\" \nB\n", Some("2"), "P=1\nP=7\nB\n"),
            ("  P ='3'", Some("3"), "  P =7"),
            ("A=x\\\nP=1\n", None, "A=x\\\nP=1\nP=7\n"),
            ("# a\\\nP=1\n", Some("1"), "# a\\\nP=7\n"),
            ("A=x\\\n", None, "A=x\\\n\nP=7\n"),
            ("PP=1\nAP=2\n", None, "PP=1\nAP=2\nP=7\n"),
            ("P=\n", Some(""), "P=7\n"),
            ("X=\"a\nP=1\n\"\n", None, "X=\"a\nP=1\n\"\nP=7\n"),
            ("X='a\nP=1\n'\nP=2\n", Some("2"), "X='a\nP=1\n'\nP=7\n"),
            ("X=\"a\\\"\nP=1\n\"\n", None, "X=\"a\\\"\nP=1\n\"\nP=7\n"),
            ("A=1\nX=\"a\nP=1\n", None, "A=1\nP=7\nX=\"a\nP=1\n"),
            ("X=it's\nP=1\n", Some("1"), "X=it's\nP=7\n"),
            ("X=\"a\"'b\nP=1\n'\nP=2\n", Some("2"), "X=\"a\"'b\nP=1\n'\nP=7\n"),
        ] {
            let found = get(text.as_bytes(), "P");
            assert_eq!(found.as_deref(), value.map(str::as_bytes), "{text:?}");
            assert_eq!(String::from_utf8(set(text.as_bytes(), "P", "7")).unwrap(), set_text);
        }
    }

    proptest! {
        #[test]
        fn what_is_set_is_there_once_more_changes_nothing_and_other_keys_stay(
            text in "([AP #=;x\"'\\\\\r\n]|P=|A=){0,40}",
        ) {
            let once = set(text.as_bytes(), "P", "7");
            prop_assert_eq!(get(&once, "P"), Some(b"7".to_vec()));
            prop_assert_eq!(&set(&once, "P", "7"), &once);
            prop_assert_eq!(get(&once, "A"), get(text.as_bytes(), "A"));
        }
    }
}
