//! `--wait`: says what was here and waits for Enter, at the cost of almost nothing.

use crate::persist::{self, Answer};
use crate::say::printable;
use crate::terminal::Terminal;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Go on.
    Start,
    /// Close the pane.
    Close,
    /// The terminal went away.
    Gone,
}

/// Says what was here and waits for a key: Enter, or `q`.
pub fn wait(agent: &str, id: Option<&OsStr>) -> Wish {
    let does = if id.is_some() { "resumes" } else { "starts" };
    let text = describe(agent, id) + "Enter " + does + " it, q closes it.\n";
    let _ = std::io::stderr().write_all(text.as_bytes());
    Terminal::remember().with_single_keys(read_wish)
}

fn read_wish() -> Wish {
    let mut key = [0];
    loop {
        match std::io::stdin().read(&mut key) {
            Ok(1) if matches!(key[0], b'\n' | b'\r') => return Wish::Start,
            Ok(1) if matches!(key[0], b'q' | b'Q') => return Wish::Close,
            Ok(1) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            _ => return Wish::Gone,
        }
    }
}

/// What was here: title or first prompt, directory, last activity.
fn describe(agent: &str, id: Option<&OsStr>) -> String {
    let Some(id) = id else { return format!("{} was here.\n", printable(agent)) };
    let known = match persist::conversation(agent, id) {
        Answer::Found(known) => known,
        Answer::Absent | Answer::Unknown => persist::Conversation::default(),
    };
    let title = known.title.unwrap_or_else(|| id.to_string_lossy().into_owned());
    let directory = known.cwd.or_else(|| std::env::current_dir().ok()).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let active = known
        .last_activity
        .map_or(String::new(), |then| format!(", last active {}", ago(now.saturating_sub(then))));
    let (title, directory) = (printable(&title), printable(&directory.to_string_lossy()));
    format!("{} was here: {title}\nin {directory}{active}\n", printable(agent))
}

/// A span of time in the largest unit that it fills.
fn ago(seconds: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let filled = units.into_iter().find(|(length, _)| seconds >= *length);
    let Some((length, unit)) = filled else { return "just now".to_owned() };
    let count = seconds / length;
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_largest_unit() {
        for (seconds, expected) in [
            (0, "just now"),
            (1, "1 second ago"),
            (119, "1 minute ago"),
            (7200, "2 hours ago"),
            (200_000, "2 days ago"),
        ] {
            assert_eq!(ago(seconds), expected);
        }
    }
}
