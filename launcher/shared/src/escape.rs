//! The one way to print what a user controls, and the escapes of the snapshot file (pure).

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt;

/// Escapes bytes into one line of printable text: `\\ \t \n \r`, and `\xHH` for every other
/// control character, for the invisible characters that reorder text, and for bytes that are not
/// UTF-8. Everything else stays as it is.
pub fn escape(bytes: &[u8]) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    escape_into(&mut escaped, bytes);
    escaped
}

/// As [`escape`], at the end of a text.
pub fn escape_into(escaped: &mut String, bytes: &[u8]) {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'[' | b']'..=b'~');
    if bytes.iter().all(is_plain) {
        escaped.push_str(&String::from_utf8_lossy(bytes)); // nearly all fields of a snapshot
        return;
    }
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => escaped.push_str("\\\\"),
                '\t' => escaped.push_str("\\t"),
                '\n' => escaped.push_str("\\n"),
                '\r' => escaped.push_str("\\r"),
                other if is_treacherous(other) => {
                    push_hex(escaped, other.encode_utf8(&mut [0; 4]).as_bytes());
                }
                other => escaped.push(other),
            }
        }
        push_hex(escaped, chunk.invalid());
    }
}

/// Undoes [`escape`].
///
/// # Errors
/// `None` for a backslash that begins no escape.
pub fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    if !text.contains(&b'\\') {
        return Some(text.to_vec());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (&kind, after) = rest.split_first()?;
        rest = after;
        match kind {
            b'\\' => bytes.push(b'\\'),
            b't' => bytes.push(b'\t'),
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b'x' => {
                let digit = |at: usize| char::from(*rest.get(at)?).to_digit(16);
                let value = digit(0)? * 16 + digit(1)?;
                bytes.push(u8::try_from(value).ok()?);
                rest = &rest[2..];
            }
            _ => return None,
        }
    }
    Some(bytes)
}

/// Bytes for a JSON string: as they are when they are UTF-8, else escaped as in the file.
pub fn json_text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| escape(bytes), str::to_owned)
}

/// A name or path for a message: what [`escape`] makes of it.
///
/// ```
/// # use shared::escape::shown;
/// assert_eq!(shown("a\u{202e}b").to_string(), "a\\xe2\\x80\\xaeb");
/// ```
pub fn shown(name: &(impl AsRef<OsStr> + ?Sized)) -> Shown<'_> {
    Shown(name.as_ref().as_bytes())
}

/// What [`shown`] gives.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escape(self.0))
    }
}

/// A line for a terminal: what [`escape`] escapes is escaped here, but for backslashes, since parts
/// of the line may be escaped already.
///
/// ```
/// assert_eq!(shared::escape::printable("a\u{1b}[2J\\x1b"), "a\\x1b[2J\\x1b");
/// ```
pub fn printable(line: &str) -> Cow<'_, str> {
    if !line.contains(is_treacherous) {
        return line.into();
    }
    let mut printable = String::with_capacity(line.len());
    for character in line.chars() {
        match character {
            '\t' => printable.push_str("\\t"),
            '\n' => printable.push_str("\\n"),
            '\r' => printable.push_str("\\r"),
            other if is_treacherous(other) => {
                push_hex(&mut printable, other.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => printable.push(other),
        }
    }
    printable.into()
}

/// JSON text that a terminal can show: the characters that [`escape`] escapes as `\uXXXX`. The value
/// stays the same, since such characters can only stand inside JSON strings.
pub fn printable_json(json: &str) -> String {
    let mut printable = String::with_capacity(json.len());
    for character in json.chars() {
        if is_treacherous(character) && !matches!(character, '\n' | '\r' | '\t') {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(printable, "\\u{unit:04x}"); // writing to a String cannot fail
            }
        } else {
            printable.push(character);
        }
    }
    printable
}

/// The reason of an I/O error without the number that the standard library appends to it.
///
/// ```
/// let missing = std::io::Error::from_raw_os_error(2);
/// assert_eq!(shared::escape::io_reason(&missing), "No such file or directory");
/// ```
pub fn io_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match (error.raw_os_error(), text.rfind(" (os error ")) {
        (Some(_), Some(at)) => text[..at].to_owned(),
        _ => text,
    }
}

/// Control characters (C0, DEL, C1), and those that make a line look like another one: the
/// bidirectional controls (Unicode UAX #9), line and paragraph separators, and characters without
/// width (UTS #39, default ignorable).
fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

fn push_hex(escaped: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(escaped, "\\x{byte:02x}"); // writing to a String cannot fail
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_break_a_line_or_a_terminal_is_escaped() {
        assert_eq!(escape(b"a\\b\tc\nd\re\x1b[m\x7f\xff\xfe"), r"a\\b\tc\nd\re\x1b[m\x7f\xff\xfe");
        assert_eq!(
            escape("e\u{301} \u{1f600} \u{9b}31m \u{202e}x".as_bytes()),
            "e\u{301} \u{1f600} \\xc2\\x9b31m \\xe2\\x80\\xaex"
        );
    }

    #[test]
    fn a_printable_line_keeps_the_escapes_that_are_in_it() {
        assert_eq!(printable("a\\x1b\x1b[2J\u{202e}\n"), r"a\x1b\x1b[2J\xe2\x80\xae\n");
    }

    #[test]
    fn a_backslash_that_begins_no_escape_is_refused() {
        for text in [r"\", r"\q", r"\x1", r"\xg0", "\\x\u{e9}"] {
            assert_eq!(unescape(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let escaped = escape(&bytes);
            prop_assert!(escaped.chars().all(|character| !character.is_control()));
            prop_assert_eq!(unescape(escaped.as_bytes()), Some(bytes));
        }
    }
}
