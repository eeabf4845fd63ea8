//! What the input lines of the other agents hold, by what their panes show (pure). Measured on the versions that the
//! agents' files name. What looks different from that counts as unknown.

use crate::agent::rest::screen::Cell;
use crate::agent::rest::{Input, Screen};

/// The lines above and below an input are drawn of these.
const RULE: char = '─';
/// How many of them a line begins with at least.
const SHORTEST_RULE: usize = 4;
/// What Gemini CLI and Qwen Code print in an empty input line, behind their cursor.
const HINT: &str = "Type your message or @path/to/file";

/// What stands between the two lines around a place on the screen.
enum Ruled<'a> {
    /// One row.
    One(&'a [Cell]),
    Several,
    /// There are no such lines.
    Nothing,
}

/// Copilot CLI: `❯` between two lines, with the terminal's cursor behind it.
pub(super) fn copilot(screen: &Screen) -> Input {
    match around(screen, screen.cursor.1) {
        Ruled::One([prompt, rest @ ..]) if prompt.character == '❯' => {
            empty_if(screen.cursor.0 == 2 && is_blank(rest))
        }
        Ruled::Several => Input::Unsent,
        Ruled::One(_) | Ruled::Nothing => Input::Unknown,
    }
}

/// pi: one row between two lines, which begins with the text, with the terminal's cursor in it.
pub(super) fn pi(screen: &Screen) -> Input {
    match around(screen, screen.cursor.1) {
        Ruled::One(row) => empty_if(screen.cursor.0 == 0 && is_blank(row)),
        Ruled::Several => Input::Unsent,
        Ruled::Nothing => Input::Unknown,
    }
}

/// What begins the input line of Gemini CLI and Qwen Code: `*` if they ask for no permission. `!` begins one whose text a
/// shell gets.
fn is_mark(cell: Cell) -> bool {
    matches!(cell.character, '>' | '*')
}

/// Qwen Code: `> ` between the last two lines. The terminal's cursor is elsewhere; one of its own is drawn.
pub(super) fn qwen(screen: &Screen) -> Input {
    let Some(below) = (0..screen.rows.len()).rfind(|&row| is_rule(screen.row(row))) else {
        return Input::Unknown;
    };
    match around(screen, below.saturating_sub(1)) {
        Ruled::One([prompt, space, rest @ ..]) if is_mark(*prompt) && space.is_blank() => {
            empty_if(is_hint(rest))
        }
        Ruled::Several => Input::Unsent,
        Ruled::One(_) | Ruled::Nothing => Input::Unknown,
    }
}

/// Gemini CLI: ` > ` in the row of the terminal's cursor. That is hidden, and stays a row behind at times once there is a
/// text.
pub(super) fn gemini(screen: &Screen) -> Input {
    let (column, at) = screen.cursor;
    let line = |row: usize| match screen.row(row) {
        [indent, prompt, space, rest @ ..]
            if indent.is_blank() && is_mark(*prompt) && space.is_blank() =>
        {
            Some(rest)
        }
        _ => None,
    };
    let has_text = |row: usize| line(row).is_some_and(|rest| !is_hint(rest));
    match line(at) {
        Some(rest) => empty_if(column == 3 && is_hint(rest)),
        None if has_text(at + 1) || at.checked_sub(1).is_some_and(has_text) => Input::Unsent,
        None => Input::Unknown,
    }
}

/// opencode: a box with a bar at its left and nothing else in it, but for the line below that names the model.
pub(super) fn opencode(screen: &Screen) -> Input {
    const BAR: char = '┃';
    const CORNER: char = '╹';
    /// From the bar to the text.
    const INDENT: usize = 3;
    let (column, at) = screen.cursor;
    let begins = |row: usize, with: char| {
        let bar = screen.row(row).iter().position(|cell| !cell.is_blank())?;
        (screen.row(row)[bar].character == with).then_some(bar)
    };
    let Some(bar) = begins(at, BAR) else { return Input::Unknown };
    let holds_nothing =
        |row: usize| begins(row, BAR) == Some(bar) && is_blank(&screen.row(row)[bar + 1..]);
    let names_model = begins(at + 2, BAR) == Some(bar) && !holds_nothing(at + 2);
    let is_one_row = at >= 2
        && begins(at - 2, BAR) != Some(bar)
        && holds_nothing(at - 1)
        && holds_nothing(at + 1)
        && names_model
        && begins(at + 3, CORNER) == Some(bar);
    empty_if(column == bar + INDENT && is_one_row && holds_nothing(at))
}

fn empty_if(is_empty: bool) -> Input {
    if is_empty { Input::Empty } else { Input::Unsent }
}

fn is_blank(cells: &[Cell]) -> bool {
    cells.iter().all(|cell| cell.is_blank())
}

fn is_rule(row: &[Cell]) -> bool {
    row.len() >= SHORTEST_RULE && row[..SHORTEST_RULE].iter().all(|cell| cell.character == RULE)
}

fn around(screen: &Screen, at: usize) -> Ruled<'_> {
    let above = (0..at).rfind(|&row| is_rule(screen.row(row)));
    let below = (at + 1..screen.rows.len()).find(|&row| is_rule(screen.row(row)));
    match (above, below) {
        (Some(above), Some(below)) if !is_rule(screen.row(at)) => {
            if below - above == 2 {
                Ruled::One(screen.row(at))
            } else {
                Ruled::Several
            }
        }
        _ => Ruled::Nothing,
    }
}

/// Whether an input line has the drawn cursor, over nothing, and the hint.
fn is_hint(cells: &[Cell]) -> bool {
    let [cursor, hint @ ..] = cells else { return false };
    let hint: String = hint.iter().map(|cell| cell.character).collect();
    cursor.reversed && cursor.is_blank() && hint.trim() == HINT
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "\x1b[2m────────────────\x1b[0m";

    /// Screens that end with these rows; the cursor is in one of them.
    fn of(input: fn(&Screen) -> Input, rows: &[&str], cursor: (usize, usize)) -> Input {
        let text = [&["what was said", "", ""], rows].concat().join("\n");
        input(&Screen::parse(text.as_bytes(), (cursor.0, cursor.1 + 3)))
    }

    #[test]
    fn copilot() {
        let of = |rows: &[&str], cursor| {
            let rows = [&[LINE], rows, &[LINE, " Interactive"]].concat();
            super::tests::of(super::copilot, &rows, cursor)
        };
        assert_eq!(of(&["❯"], (2, 1)), Input::Empty);
        assert_eq!(of(&["❯ "], (2, 1)), Input::Empty);
        for (rows, cursor) in [
            (&["❯ hello wor"][..], (11, 1)),
            (&["❯ hello wor"], (2, 1)),
            (&["❯"], (5, 1)),
            (&["❯ one", "  two"], (5, 2)),
            (&["❯", "  two"], (2, 1)),
        ] {
            assert_eq!(of(rows, cursor), Input::Unsent, "{rows:?}");
        }
        assert_eq!(of(&["1. Yes"], (2, 1)), Input::Unknown);
        assert_eq!(super::tests::of(super::copilot, &["❯"], (2, 0)), Input::Unknown);
    }

    #[test]
    fn pi() {
        let of = |rows: &[&str], cursor| {
            let rows = [&[LINE], rows, &[LINE, "~/work"]].concat();
            super::tests::of(super::pi, &rows, cursor)
        };
        assert_eq!(of(&["\x1b[7m \x1b[0m"], (0, 1)), Input::Empty);
        for (rows, cursor) in [
            (&["hello wor\x1b[7m \x1b[0m"][..], (9, 1)),
            (&["\x1b[7mh\x1b[0mello"], (0, 1)),
            (&["   \x1b[7m \x1b[0m"], (3, 1)),
            (&["", "two\x1b[7m \x1b[0m"], (3, 2)),
            (&["", ""], (0, 1)),
        ] {
            assert_eq!(of(rows, cursor), Input::Unsent, "{rows:?}");
        }
        assert_eq!(super::tests::of(super::pi, &["", LINE], (0, 0)), Input::Unknown);
    }

    #[test]
    fn qwen() {
        let of = |rows: &[&str]| {
            let rows = [&[LINE], rows, &[LINE, "  ? for shortcuts"]].concat();
            super::tests::of(super::qwen, &rows, (0, rows.len()))
        };
        let hint = format!("> \x1b[7m \x1b[0m {HINT}");
        assert_eq!(of(&[&hint]), Input::Empty);
        assert_eq!(of(&[&hint.replacen('>', "*", 1)]), Input::Empty);
        assert_eq!(of(&[&hint.replacen('>', "!", 1)]), Input::Unknown);
        let typed = format!("> {HINT}\x1b[7m \x1b[0m");
        let at_its_begin = format!("> \x1b[7mT\x1b[0m{}", &HINT[1..]);
        for rows in [
            &["> hello wor\x1b[7m \u{200b}\x1b[0m"][..],
            &["> \x1b[7mh\x1b[0mello wor"],
            &[">    \x1b[7m \u{200b}\x1b[0m"],
            &["> one", "", "  two\x1b[7m \x1b[0m"],
            &[&typed],
            &[&at_its_begin],
        ] {
            assert_eq!(of(rows), Input::Unsent, "{rows:?}");
        }
        assert_eq!(of(&["│ Allow execution? │"]), Input::Unknown);
        assert_eq!(super::tests::of(super::qwen, &["$ ls"], (0, 0)), Input::Unknown);
    }

    #[test]
    fn gemini() {
        let of = |row: &str, column| super::tests::of(super::gemini, &["", row, ""], (column, 1));
        for mark in [">", "*"] {
            assert_eq!(of(&format!(" {mark} \x1b[7m \x1b[0m {HINT}"), 3), Input::Empty);
        }
        for (row, column) in [
            (" > hello wor\x1b[7m \x1b[0m", 12),
            (" > \x1b[7mh\x1b[0mello wor", 3),
            (" >    \x1b[7m \x1b[0m", 6),
            (" > \x1b[7mT\x1b[0mype your message or @path/to/file", 3),
        ] {
            assert_eq!(of(row, column), Input::Unsent, "{row}");
        }
        let beside =
            |row: &str, at: usize| super::tests::of(super::gemini, &["", row, ""], (3, at));
        assert_eq!([0, 2].map(|at| beside(" * hello", at)), [Input::Unsent, Input::Unsent]);
        assert_eq!(beside(&format!(" * \x1b[7m \x1b[0m {HINT}"), 2), Input::Unknown);
        for other in [" ! \x1b[7m \x1b[0m", "   two\x1b[7m \x1b[0m", "$ ls", ""] {
            assert_eq!(of(other, 6), Input::Unknown, "{other}");
        }
    }

    #[test]
    fn opencode() {
        let of = |rows: &[&str], cursor| {
            let model = ["  ┃  Build · mock", "  ╹▀▀▀▀▀▀▀▀▀▀▀▀▀"];
            let rows = [rows, &model].concat();
            super::tests::of(super::opencode, &rows, cursor)
        };
        let bar = "  ┃              ";
        assert_eq!(of(&[bar, bar, bar], (5, 1)), Input::Empty);
        for (rows, cursor) in [
            (&[bar, "  ┃  hello wor", bar][..], (14, 1)),
            (&[bar, "  ┃  hello wor", bar], (5, 1)),
            (&[bar, bar, bar], (8, 1)),
            (&[bar, "  ┃  one", bar, "  ┃  two", bar], (8, 3)),
            (&[bar, bar, bar, bar], (5, 2)),
            (&[bar, bar, bar, bar], (5, 1)),
        ] {
            assert_eq!(of(rows, cursor), Input::Unsent, "{rows:?}");
        }
        assert_eq!(of(&["", "", ""], (5, 1)), Input::Unknown);
    }
}
