//! What a pane shows, cell by cell (pure): the output of `capture-pane -p -e`.

/// One character on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub character: char,
    /// Faint, as agents print hints.
    pub dim: bool,
    /// As agents draw their cursor.
    pub reversed: bool,
}

/// The visible part of a pane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Screen {
    pub rows: Vec<Vec<Cell>>,
    /// Column and row of the terminal's cursor, visible or not.
    pub cursor: (usize, usize),
}

/// Attributes in effect.
#[derive(Debug, Clone, Copy, Default)]
struct Style {
    dim: bool,
    reversed: bool,
}

impl Screen {
    /// Reads what tmux printed; attributes last beyond the end of a line. Never fails: bytes that are
    /// no text become replacement characters.
    #[must_use]
    pub fn parse(text: &[u8], cursor: (usize, usize)) -> Self {
        let text = String::from_utf8_lossy(text);
        let mut style = Style::default();
        let rows = text.split('\n').map(|line| cells(line, &mut style)).collect();
        Self { rows, cursor }
    }

    /// A row; empty below the last one.
    #[must_use]
    pub fn row(&self, number: usize) -> &[Cell] {
        self.rows.get(number).map_or(&[], Vec::as_slice)
    }
}

impl Cell {
    /// Whether nothing is printed there: a space, also one that does not break.
    #[must_use]
    pub fn is_blank(self) -> bool {
        matches!(self.character, ' ' | '\u{a0}')
    }
}

fn cells(line: &str, style: &mut Style) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '\x1b' => rest = &rest[escape_sequence(rest, style)..],
            c if c.is_control() => {}
            character => {
                cells.push(Cell { character, dim: style.dim, reversed: style.reversed });
            }
        }
    }
    cells
}

/// Obeys what follows an escape character; returns its length in bytes.
fn escape_sequence(text: &str, style: &mut Style) -> usize {
    match text.chars().next() {
        Some('[') => {
            let Some(length) = text[1..].find(|c: char| ('@'..='~').contains(&c)) else {
                return text.len();
            };
            let end = 1 + length;
            if text[end..].starts_with('m') {
                select_style(&text[1..end], style);
            }
            end + 1
        }
        Some(']') => {
            // A link: up to its terminator.
            let ends = [text.find("\x1b\\").map(|at| at + 2), text.find('\x07').map(|at| at + 1)];
            ends.into_iter().flatten().min().unwrap_or(text.len())
        }
        Some(c) => c.len_utf8(),
        None => 0,
    }
}

/// Obeys the parameters of "select graphic rendition" (ECMA-48).
fn select_style(parameters: &str, style: &mut Style) {
    let mut words = parameters.split(';');
    while let Some(word) = words.next() {
        match word {
            "" | "0" => *style = Style::default(),
            "2" => style.dim = true,
            "7" => style.reversed = true,
            "22" => style.dim = false,
            "27" => style.reversed = false,
            // A colour: its parameters are no attributes.
            "38" | "48" | "58" => match words.next() {
                Some("5") => drop(words.next()),
                Some("2") => drop(words.nth(2)),
                _ => {}
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn described(text: &str) -> Vec<String> {
        let screen = Screen::parse(text.as_bytes(), (0, 0));
        let cell = |cell: &Cell| {
            let marks = [(cell.dim, 'd'), (cell.reversed, 'r')];
            let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, c)| *c).collect();
            format!("{}{marks}", cell.character)
        };
        screen.rows.iter().map(|row| row.iter().map(cell).collect::<String>()).collect()
    }

    #[test]
    fn attributes_are_those_of_each_cell_and_last_beyond_a_line() {
        assert_eq!(described("a\x1b[1;2mb\nc\x1b[0;7md\x1b[27me"), ["abd", "cddre"]);
        assert_eq!(described("\x1b[38;5;2ma\x1b[48;2;7;2;7mb\x1b[mc"), ["abc"]);
        assert_eq!(described("\x1b[2ma\x1b[22mb"), ["adb"]);
        assert_eq!(described("\x1b]8;;http://x\x1b\\l\x1b]8;;\x1b\\m"), ["lm"]);
        assert_eq!(described("a\x1b["), ["a"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let screen = Screen::parse(&bytes, (3, 1));
            prop_assert_eq!(screen.rows.len(), bytes.split(|&byte| byte == b'\n').count());
        }
    }
}
