//! A pane's stored scrollback: printed again, text and colours only.

use crate::files;
use std::io::Write;
use std::path::Path;

/// Maximum size of a stored scrollback, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// Prints the file. A file that is missing or belongs to another user is skipped: the shell matters.
pub(crate) fn print(file: &Path) {
    let Ok(Some((bytes, metadata))) = files::read_with_metadata(file, MAX_FILE) else { return };
    if std::os::unix::fs::MetadataExt::uid(&metadata) != rustix::process::geteuid().as_raw() {
        return;
    }
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(filtered(&bytes).as_bytes()).and_then(|()| out.flush());
}

/// Filters what a terminal may print: text, line feeds, tabs, SGR sequences (colours and attributes) and
/// tmux's switch to line-drawing characters. Everything else that a terminal would obey is left out.
pub fn filtered(bytes: &[u8]) -> String {
    const LINES: char = '\u{e}';
    const LETTERS: char = '\u{f}';
    let text = String::from_utf8_lossy(bytes);
    let mut kept = String::with_capacity(text.len());
    let draws = text.contains(LINES);
    if draws {
        kept.push_str("\x1b)0"); // line drawing is the second set
    }
    let mut rest = text.as_ref();
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == '\x1b' {
            let length = sequence(rest);
            let sgr = &rest[..length];
            if sgr.ends_with('m')
                && sgr.starts_with('[')
                && sgr[1..length - 1].chars().all(is_parameter)
            {
                kept.push(c);
                kept.push_str(sgr);
            }
            rest = &rest[length..];
        } else if !c.is_control() || matches!(c, '\n' | '\t' | LINES | LETTERS) {
            kept.push(c);
        }
    }
    if draws {
        kept.push_str("\x0f\x1b)B");
    }
    kept.push_str("\x1b[0m");
    kept
}

fn is_parameter(c: char) -> bool {
    c.is_ascii_digit() || c == ';' || c == ':'
}

/// Length of what belongs to an escape character, in bytes (ECMA-48): a control sequence up to
/// its final byte, a string up to its terminator, else intermediate bytes and a final one.
fn sequence(text: &str) -> usize {
    let after = |at: usize| text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    match text.chars().next() {
        Some('[') => {
            text[1..].find(|c| !(' '..='?').contains(&c)).map_or(text.len(), |at| after(1 + at))
        }
        Some(']' | 'P' | 'X' | '^' | '_' | 'k') => {
            let end = text.find(['\x07', '\x1b', '\u{9c}']).unwrap_or(text.len());
            if text[end..].starts_with("\x1b\\") {
                end + 2
            } else if text[end..].starts_with('\x1b') {
                end
            } else {
                after(end)
            }
        }
        Some(_) => text.find(|c| !(' '..='/').contains(&c)).map_or(text.len(), after),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_colours_pass_and_nothing_else_a_terminal_obeys() {
        let end = "\x1b[0m";
        for (text, kept) in [
            ("a\n\tb \u{e9}", "a\n\tb \u{e9}"),
            ("\x1b[1;38;5;9mred\x1b[0m", "\x1b[1;38;5;9mred\x1b[0m"),
            ("\x1b[2Jx\x1b[?1049hy\x1b[6n", "xy"),
            ("\x1b]0;title\x07x\x1b]52;c;AAAA\x1b\\y", "xy"),
            ("\x1bPq#0\x1b\\x\x1bcy\x1b(0z", "xyz"),
            ("\x1b[>4mx\x1b[1 mx", "xx"),
            ("a\r\x08\x00\u{9b}2Jb", "a2Jb"),
            ("\x1b", ""),
            ("\x1b[1", ""),
        ] {
            assert_eq!(filtered(text.as_bytes()), kept.to_owned() + end, "{text:?}");
        }
        assert_eq!(filtered(b"\x0eqq\x0f"), "\x1b)0\x0eqq\x0f\x0f\x1b)B\x1b[0m");
        assert_eq!(filtered(b"\xff"), format!("\u{fffd}{end}"));
    }
}
