//! Characters that make a text mean something else than it shows, in comments too (pure).

use super::problem::{MOST, Place, Problem};

/// Whether a reviewer does not see the character, or sees the text around it in another order or on other
/// lines.
fn is_hidden(c: char) -> bool {
    let is_line_end = matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}');
    let is_control = c.is_control() && !matches!(c, '\n' | '\t');
    let is_direction = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}');
    let has_no_width = matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
        | '\u{17b5}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}');
    is_line_end || is_control || is_direction || has_no_width
}

/// Reports each of them, the first [`MOST`]. A byte order mark at the start and the carriage return of a
/// line end are fine.
pub(crate) fn hidden(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (mut line, mut column) = (1, 0);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        column += 1;
        let is_start = (line, column) == (1, 1);
        let next = characters.peek();
        let fine = (c == '\r' && next == Some(&'\n')) || (c == '\u{feff}' && is_start);
        if is_hidden(c) && !fine {
            let what = match c {
                '\r' => "a carriage return inside a line".to_owned(),
                _ => format!("a character that is not shown: U+{:04X}", u32::from(c)),
            };
            let hint = "remove it: it makes a text mean something else than it shows";
            problems.push(Problem::new(Place { line, column }, what, hint));
        }
        if c == '\n' {
            (line, column) = (line + 1, 0);
        }
        if problems.len() >= MOST {
            break;
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_hides_text_is_named_with_its_place() {
        for c in "\u{202e}\u{2066}\u{200b}\u{200d}\u{feff}\u{2028}\u{85}\u{ad}\u{b}\u{1b}\u{0}\u{e0041}\r".chars() {
            let problems = hidden(&format!("users:\n  a: b # x{c}y\n"));
            assert_eq!(problems.len(), 1, "{c:?}");
            assert_eq!(problems[0].place, Place { line: 2, column: 11 }, "{c:?}");
        }
    }

    #[test]
    fn what_every_reader_shows_is_fine() {
        assert!(
            hidden("\u{feff}users:\r\n\ta: \u{e9} \u{4e2d} \u{1f600} # \u{5d0}\r\n").is_empty()
        );
    }
}
