//! `--wait`: prints what ran here and waits for Enter, with almost no memory.

use super::Terminal;
use super::input::{Input, MOUSE_OFF, MOUSE_ON, Reader};
use crate::options::Options;
use crate::persist::{self, Answer};
use shared::escape::{printable, shown};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a restore leaves for the panes it makes: a line for each conversation, with the time of its
/// last activity and its title, separated by TABs.
const TITLES: &str = "waiting.tsv";
/// Maximum number of bytes of such a file that are read.
const MAX_TITLES: u64 = 4 << 20;

/// What the user chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Start,
    Close,
    /// The terminal went away.
    Gone,
}

/// Prints what ran here and waits for Enter, a click or `q`. If the wheel is turned, the mouse is left to
/// tmux, which scrolls.
pub(crate) fn wait(agent: &str, options: &Options) -> Choice {
    let id = options.conversation();
    let does = if options.resume.is_some() { "resumes" } else { "starts" };
    let text = describe(agent, id, options) + "Enter " + does + " it, q closes it.\n";
    let _ = std::io::stderr().write_all(text.as_bytes());
    let terminal = Terminal::remember();
    let mouse = |sequence: &[u8]| {
        let mut out = std::io::stderr();
        if terminal.exists() {
            let _ = out.write_all(sequence).and_then(|()| out.flush());
        }
    };
    mouse(MOUSE_ON);
    let choice = terminal.with_single_keys(|| read_choice(|| mouse(MOUSE_OFF)));
    mouse(MOUSE_OFF);
    choice
}

fn read_choice(leave_mouse: impl Fn()) -> Choice {
    let (mut byte, mut reader) = ([0], Reader::default());
    loop {
        match std::io::stdin().read(&mut byte) {
            Ok(1) => match reader.take(byte[0]) {
                Some(Input::Key(b'\n' | b'\r') | Input::Click) => return Choice::Start,
                Some(Input::Key(b'q' | b'Q')) => return Choice::Close,
                Some(Input::Wheel) => leave_mouse(),
                Some(Input::Key(_)) | None => {}
            },
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            _ => return Choice::Gone,
        }
    }
}

/// What ran here: title or first prompt, directory, last activity.
fn describe(agent: &str, id: Option<&OsStr>, options: &Options) -> String {
    let agent = printable(agent);
    let here =
        || options.was_in.as_ref().map(PathBuf::from).or_else(|| std::env::current_dir().ok());
    let known = id.and_then(|id| {
        // A restore leaves a file for all its panes, so that none of them has to start a process.
        let left = options.restored.as_deref().and_then(|dir| left_for(id, dir));
        left.or_else(|| match persist::conversation(&options.persist, &agent, id) {
            Answer::Found(known) => Some(known),
            Answer::Absent | Answer::Unknown => None,
        })
    });
    let known = known.unwrap_or_default();
    let title = known.title.or_else(|| Some(id?.to_string_lossy().into_owned()));
    let title = title.map_or(String::new(), |title| format!(": {}", printable(&title)));
    let directory = known.cwd.or_else(here).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let active = known.last_activity.map_or(String::new(), |then| {
        format!(", last active {} ({} UTC)", ago(now.saturating_sub(then)), utc(then))
    });
    format!("{agent} was here{title}\nin {}{active}\n", shown(&directory))
}

/// What a restore left for a conversation.
fn left_for(id: &OsStr, dir: &Path) -> Option<persist::Conversation> {
    let file = std::fs::File::open(dir.join(TITLES)).ok()?;
    // Line by line: a launcher that waits should use little memory.
    BufReader::with_capacity(4096, file.take(MAX_TITLES)).lines().map_while(Result::ok).find_map(
        |line| {
            let mut fields = line.split('\t');
            let mut field = || fields.next().filter(|field| *field != "-");
            if field()?.as_bytes() != id.as_encoded_bytes() {
                return None;
            }
            let last_activity = field().and_then(|time| time.parse().ok());
            let title = field().map(str::to_owned);
            Some(persist::Conversation { title, last_activity, ..Default::default() })
        },
    )
}

/// A time as `2026-11-20 17:30`, UTC. The days since 1970 are counted in years that begin in March,
/// so that leap days come last (Hinnant, "chrono-compatible low-level date algorithms").
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + next;
    format!("{year}-{month:02}-{day:02} {:02}:{:02}", rest / 3_600, rest / 60 % 60)
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
    fn a_span_is_shown_in_its_largest_unit() {
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

    #[test]
    fn a_time_is_shown_in_utc() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00"),
            (951_782_399, "2000-02-28 23:59"),
            (951_782_400, "2000-02-29 00:00"),
            (951_868_800, "2000-03-01 00:00"),
            (4_107_542_399, "2100-02-28 23:59"),
            (4_107_542_400, "2100-03-01 00:00"),
            (1_795_185_823, "2026-11-20 14:43"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
    }

    #[test]
    fn what_a_restore_left_is_found_by_the_conversation() {
        let dir = tempfile::tempdir().unwrap();
        let id = OsStr::new("0d0a8f5e-0000-4000-8000-000000000001");
        assert_eq!(left_for(id, dir.path()), None);
        let text = "x\n0d0a8f5e-0000-4000-8000-000000000001\t7\ta title\nlast\t-\t-\n";
        std::fs::write(dir.path().join(TITLES), text).unwrap();
        let known = left_for(id, dir.path()).unwrap();
        assert_eq!((known.last_activity, known.title.as_deref()), (Some(7), Some("a title")));
        assert_eq!(
            left_for(OsStr::new("last"), dir.path()),
            Some(persist::Conversation::default())
        );
        assert_eq!(left_for(OsStr::new("-"), dir.path()), None);
    }
}
