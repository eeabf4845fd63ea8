//! Whether Claude Code rests: by its live record and its input line (pure). Measured on 2.1.332.

use super::record::Record;
use crate::agent::rest::{Input, OwnAccount, Screen};

/// The line above and below the input is drawn of these; a conversation's name may interrupt it.
const RULE: char = '─';
/// How many of them a line begins with at least.
const SHORTEST_RULE: usize = 4;
/// What an empty input line begins with; `!` and the like are modes of an input.
const PROMPTS: [char; 2] = ['❯', '>'];
/// The column in which the input begins.
const BEGINS: usize = 2;

/// What the record says; `None` for a state that we do not know.
pub(super) fn account(record: &Record) -> Option<OwnAccount> {
    let doing = record.status()?.doing;
    let mut times = [&record.status_updated_at, &record.updated_at].into_iter().flatten();
    let since = times.find_map(serde_json::Value::as_u64).map(|time| time / 1000);
    Some(OwnAccount { doing, since })
}

/// What stands in the input line: one row between two rules, with the cursor in it. What is printed
/// dim is a suggestion of Claude's.
pub(super) fn input(screen: &Screen) -> Input {
    let (column, at) = screen.cursor;
    let is_rule = |number: usize| {
        let row = screen.row(number);
        row.len() >= SHORTEST_RULE && row[..SHORTEST_RULE].iter().all(|cell| cell.character == RULE)
    };
    let above = (0..at).rev().find(|&number| is_rule(number));
    let below = (at + 1..screen.rows.len()).find(|&number| is_rule(number));
    let (Some(above), Some(below)) = (above, below) else { return Input::Unknown };
    let row = screen.row(at);
    if is_rule(at) || screen.row(above + 1).is_empty() {
        return Input::Unknown;
    }
    let [prompt, space, rest @ ..] = row else { return Input::Unknown };
    let is_one_row = below - above == 2;
    if !is_one_row || !PROMPTS.contains(&prompt.character) || column != BEGINS {
        return Input::Unsent;
    }
    if !space.is_blank() {
        return Input::Unknown;
    }
    // The cursor is drawn over the first letter of a suggestion.
    let printed: Vec<_> = rest.iter().filter(|cell| !cell.is_blank()).collect();
    let is_suggested = printed.iter().any(|cell| cell.dim);
    let is_cursor = |at: usize| at == 0 && rest[0].reversed && is_suggested;
    let is_typed = |(at, cell): (usize, &crate::agent::rest::screen::Cell)| {
        !cell.is_blank() && !cell.dim && !is_cursor(at)
    };
    if rest.iter().enumerate().any(is_typed) { Input::Unsent } else { Input::Empty }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::status::Doing;

    const RULE: &str = "\x1b[38;5;244m──────────────────────\x1b[39m";

    fn of(rows: &[&str], cursor: (usize, usize)) -> Input {
        let text = [&["what was said", RULE], rows, &[RULE, "  auto mode on"]].concat().join("\n");
        input(&Screen::parse(text.as_bytes(), (cursor.0, cursor.1 + 2)))
    }

    #[test]
    fn only_an_input_line_without_text_is_empty() {
        assert_eq!(of(&["❯\u{a0}\x1b[7m \x1b[0m"], (2, 0)), Input::Empty);
        assert_eq!(of(&["❯ "], (2, 0)), Input::Empty);
        assert_eq!(of(&["❯\u{a0}\x1b[7mT\x1b[0;2mry \"edit\"\x1b[0m"], (2, 0)), Input::Empty);
        for (rows, cursor) in [
            (&["❯\u{a0}hello\x1b[7m \x1b[0m"][..], (7, 0)),
            (&["❯\u{a0}\x1b[7mh\x1b[0mello"], (2, 0)),
            (&["❯\u{a0}\x1b[7mh\x1b[0m"], (2, 0)),
            (&["❯\u{a0}   \x1b[7m \x1b[0m"], (5, 0)),
            (&["❯\u{a0}", "  second\x1b[7m \x1b[0m"], (8, 1)),
            (&["❯\u{a0}\x1b[7m \x1b[0m", "  second"], (2, 0)),
            (&["!\u{a0}\x1b[7m \x1b[0m"], (2, 0)),
        ] {
            assert_eq!(of(rows, cursor), Input::Unsent, "{rows:?}");
        }
    }

    #[test]
    fn a_screen_without_an_input_line_says_nothing() {
        let dialog = "Do you want to proceed?\n❯ 1. Yes\n  2. No\n";
        assert_eq!(input(&Screen::parse(dialog.as_bytes(), (2, 1))), Input::Unknown);
        assert_eq!(input(&Screen::default()), Input::Unknown);
        let shell = format!("{RULE}\n$ ls\n{RULE}\n$ ");
        assert_eq!(input(&Screen::parse(shell.as_bytes(), (2, 3))), Input::Unknown);
    }

    #[test]
    fn the_record_tells_what_it_does_and_since_when() {
        let account = |more: &str| {
            let text = format!(r#"{{"sessionId":"x","cwd":"/"{more}}}"#);
            account(&serde_json::from_str(&text).unwrap())
        };
        let doing = |more: &str| account(more).map(|account| account.doing);
        assert_eq!(doing(r#","status":"idle""#), Some(Doing::Idle));
        assert_eq!(doing(r#","status":"idle","waitingFor":null"#), Some(Doing::Idle));
        assert_eq!(doing(r#","status":"busy""#), Some(Doing::Busy));
        assert_eq!(doing(r#","status":"shell""#), Some(Doing::Busy));
        assert_eq!(doing(r#","status":"waiting","waitingFor":"x""#), Some(Doing::Waiting));
        assert_eq!(doing(r#","status":"idle","waitingFor":"dialog open""#), Some(Doing::Waiting));
        for unknown in ["", r#","status":"new""#, r#","status":7,"waitingFor":{},"updatedAt":"x""#]
        {
            assert_eq!(doing(unknown), None, "{unknown}");
        }
        let since = account(r#","status":"idle","updatedAt":9000,"statusUpdatedAt":5999"#);
        assert_eq!(since.unwrap().since, Some(5));
    }
}
