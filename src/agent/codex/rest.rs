//! Whether Codex rests: by the end of its rollout and its input line (pure). Measured on 0.171.0.

use crate::agent::rest::{Input, Screen};
use crate::agent::status::Doing;
use serde_json::Value;

/// What an input line begins with; in history the same is dim.
const PROMPT: char = '›';
/// The column in which the input begins.
const BEGINS: usize = 2;

/// What the last lines of a rollout say; `None` if no turn begins or ends in them.
pub(super) fn doing(end: &[u8]) -> Option<Doing> {
    end.split(|&byte| byte == b'\n').rev().find_map(|line| {
        let line: Value = serde_json::from_slice(line).ok()?;
        if line["type"] != "event_msg" {
            return None;
        }
        match line["payload"]["type"].as_str()? {
            "task_started" => Some(Doing::Busy),
            "task_complete" | "turn_aborted" => Some(Doing::Idle),
            _ => None,
        }
    })
}

/// What stands in the input line, in which the cursor is. While it is empty, a dim hint stands there.
pub(super) fn input(screen: &Screen) -> Input {
    let (column, at) = screen.cursor;
    let [prompt, space, rest @ ..] = screen.row(at) else { return Input::Unknown };
    if prompt.character != PROMPT || prompt.dim || !space.is_blank() {
        return Input::Unknown;
    }
    let mut printed = rest.iter().filter(|cell| !cell.is_blank()).peekable();
    let has_hint = printed.peek().is_some();
    let is_last = screen.row(at + 1).iter().all(|cell| cell.is_blank());
    if column == BEGINS && is_last && has_hint && printed.all(|cell| cell.dim) {
        Input::Empty
    } else {
        Input::Unsent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &str, cursor: (usize, usize)) -> Input {
        input(&Screen::parse(rows.as_bytes(), cursor))
    }

    #[test]
    fn only_an_input_line_with_nothing_but_the_hint_is_empty() {
        let empty = "\x1b[1;2m› \x1b[0mhello\n\n\x1b[1m›\x1b[0m \x1b[2mAsk Codex to do anything\x1b[0m\n\n  mock";
        assert_eq!(of(empty, (2, 2)), Input::Empty);
        for (rows, cursor) in [
            ("\x1b[1m›\x1b[0m hello\n\n  mock", (7, 0)),
            ("\x1b[1m›\x1b[0m hello\n\n  mock", (2, 0)),
            ("\x1b[1m›\x1b[0m    \n\n  mock", (5, 0)),
            ("\x1b[1m›\x1b[0m    \n\n  mock", (2, 0)),
            ("\x1b[1m›\x1b[0m\x20\n  second\n\n  mock", (2, 0)),
        ] {
            assert_eq!(of(rows, cursor), Input::Unsent, "{rows:?}");
        }
        for (rows, cursor) in
            [("", (0, 0)), ("$ ls", (2, 0)), (empty, (0, 4)), ("\x1b[1m!\x1b[0m ls", (4, 0))]
        {
            assert_eq!(of(rows, cursor), Input::Unknown, "{rows:?}");
        }
    }

    #[test]
    fn the_last_turn_in_a_rollout_has_ended_or_not() {
        let event = |kind: &str| {
            format!(r#"{{"type":"event_msg","payload":{{"type":"{kind}","x":"task_started"}}}}"#)
        };
        let text =
            |kinds: &[&str]| kinds.iter().map(|kind| event(kind)).collect::<Vec<_>>().join("\n");
        let of = |kinds: &[&str]| doing(text(kinds).as_bytes());
        assert_eq!(of(&["task_started", "task_complete", "token_count"]), Some(Doing::Idle));
        assert_eq!(of(&["task_started", "turn_aborted"]), Some(Doing::Idle));
        assert_eq!(of(&["task_complete", "task_started", "token_count"]), Some(Doing::Busy));
        assert_eq!(of(&["token_count"]), None);
        assert_eq!(doing(b"cut\"}\n"), None);
    }
}
