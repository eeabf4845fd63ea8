//! Activity: what was last done for a user, and how it went. A hint for people and monitoring:
//! losing it loses nothing, so it is replaced atomically but never waited for.

use super::id;
use crate::sys::clock::Epoch;
use crate::text::escape::{escape, unescape};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

const HEADER: &str = "# tmux-persist activity\n";
const TRAILER: &[u8] = b"# end\n";
/// No reason of a failure is kept longer (characters).
const MAX_REASON: usize = 500;

/// The outcome of a save in one word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaveResult {
    /// A snapshot was written.
    Saved,
    /// The newest snapshot says the same.
    Unchanged,
    /// There is nothing to save; history is left alone.
    Nothing,
    /// It did not work.
    #[default]
    Failed,
}

/// What was last done for one user. A time is in seconds since the epoch, 0 for never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// When a save was last tried.
    pub last_save: Epoch,
    /// What came of it.
    pub last_result: Option<SaveResult>,
    /// How long it took, in milliseconds.
    pub last_save_ms: u64,
    /// When a save last did what it should: saved, unchanged, or found nothing to save.
    pub last_good_save: Epoch,
    /// When the newest snapshot was last seen to be the present: saved or unchanged.
    pub confirmed: Epoch,
    /// When a save last failed.
    pub last_failure: Epoch,
    /// Why it did.
    pub failure_reason: Vec<u8>,
    /// Failed saves since the last good one.
    pub failures_since_good: u64,
    /// Failed saves in all.
    pub failures: u64,
    /// When there was last a restore.
    pub last_restore: Epoch,
    /// How long it took, in milliseconds.
    pub last_restore_ms: u64,
    /// Panes that restores dealt with, in all.
    pub restored: Restored,
    /// Lines of a later version.
    others: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Panes by what restores did with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Restored {
    /// In a session made anew.
    pub new: u64,
    /// Left alone: live already.
    pub skip: u64,
    /// Resumed in the pane where it was lost.
    pub in_place: u64,
    /// In a session under another name.
    pub renamed: u64,
    /// Not restored though it should have been.
    pub failed: u64,
}

type Number = (&'static str, fn(&mut Activity) -> &mut u64);

/// The numbers of the file, in its order.
const NUMBERS: [Number; 14] = [
    ("last_save", |a| &mut a.last_save),
    ("last_save_ms", |a| &mut a.last_save_ms),
    ("last_good_save", |a| &mut a.last_good_save),
    ("confirmed", |a| &mut a.confirmed),
    ("last_failure", |a| &mut a.last_failure),
    ("failures_since_good", |a| &mut a.failures_since_good),
    ("failures", |a| &mut a.failures),
    ("last_restore", |a| &mut a.last_restore),
    ("last_restore_ms", |a| &mut a.last_restore_ms),
    ("restored_new", |a| &mut a.restored.new),
    ("restored_skip", |a| &mut a.restored.skip),
    ("restored_in_place", |a| &mut a.restored.in_place),
    ("restored_renamed", |a| &mut a.restored.renamed),
    ("restored_failed", |a| &mut a.restored.failed),
];

impl SaveResult {
    /// The word in the file and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Unchanged => "unchanged",
            Self::Nothing => "nothing",
            Self::Failed => "failed",
        }
    }

    /// Reads the word.
    pub fn parse(word: &[u8]) -> Option<Self> {
        let all = [Self::Saved, Self::Unchanged, Self::Nothing, Self::Failed];
        all.into_iter().find(|result| result.word().as_bytes() == word)
    }
}

impl Restored {
    /// Counts a pane; what is none of the known actions is a failure.
    pub fn count(&mut self, action: &str) {
        let number = match action {
            "new" => &mut self.new,
            "skip" => &mut self.skip,
            "in_place" => &mut self.in_place,
            "renamed" => &mut self.renamed,
            _ => &mut self.failed,
        };
        *number = number.saturating_add(1);
    }

    /// The counts by name.
    pub fn by_action(&self) -> [(&'static str, u64); 5] {
        [
            ("new", self.new),
            ("skip", self.skip),
            ("in_place", self.in_place),
            ("renamed", self.renamed),
            ("failed", self.failed),
        ]
    }
}

impl Activity {
    /// Enters a save.
    pub fn enter_save(&mut self, now: Epoch, took: Duration, result: SaveResult, error: &str) {
        self.last_save = now;
        self.last_save_ms = milliseconds(took);
        self.last_result = Some(result);
        if result == SaveResult::Failed {
            self.last_failure = now;
            self.failure_reason = error.chars().take(MAX_REASON).collect::<String>().into_bytes();
            self.failures_since_good = self.failures_since_good.saturating_add(1);
            self.failures = self.failures.saturating_add(1);
            return;
        }
        self.last_good_save = now;
        self.failures_since_good = 0;
        if result != SaveResult::Nothing {
            self.confirmed = now;
        }
    }

    /// Enters a restore, with the action of each pane, `failed` for one that was not done.
    pub fn enter_restore<'a>(
        &mut self,
        now: Epoch,
        took: Duration,
        actions: impl Iterator<Item = &'a str>,
    ) {
        self.last_restore = now;
        self.last_restore_ms = milliseconds(took);
        actions.for_each(|action| self.restored.count(action));
    }

    /// Reads `activity.tsv`: lines of key and value. `None` for a torn file; lines that do not
    /// parse are given back by number, from 1.
    pub fn decode(text: &[u8]) -> Option<(Self, Vec<usize>)> {
        let (mut activity, mut bad) = (Self::default(), Vec::new());
        for (number, line) in lines(text)? {
            if activity.decode_line(line).is_none() {
                bad.push(number);
            }
        }
        Some((activity, bad))
    }

    /// Writes `activity.tsv`.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = HEADER.as_bytes().to_vec();
        self.encode_lines(b"", &mut text);
        text.extend(TRAILER);
        text
    }

    fn encode_lines(&self, prefix: &[u8], text: &mut Vec<u8>) {
        let mut line = |key: &[u8], value: &[u8]| {
            text.extend([prefix, key, b"\t", value, b"\n"].concat());
        };
        let mut copy = self.clone();
        for (key, number) in NUMBERS {
            let number = *number(&mut copy);
            if number != 0 {
                line(key.as_bytes(), number.to_string().as_bytes());
            }
        }
        if let Some(result) = self.last_result {
            line(b"last_result", result.word().as_bytes());
        }
        if !self.failure_reason.is_empty() {
            line(b"failure_reason", escape(&self.failure_reason).as_bytes());
        }
        self.others.iter().for_each(|(key, value)| line(key, value));
    }

    fn decode_line(&mut self, line: &[u8]) -> Option<()> {
        let tab = line.iter().position(|&byte| byte == b'\t')?;
        let (key, value) = (&line[..tab], &line[tab + 1..]);
        if let Some((name, number)) = NUMBERS.iter().find(|(name, _)| name.as_bytes() == key) {
            let value: u64 = std::str::from_utf8(value).ok()?.parse().ok()?;
            let is_time = name.starts_with("last_") && !name.ends_with("_ms");
            let is_sound = !(is_time || *name == "confirmed") || value <= id::LAST;
            *number(self) = is_sound.then_some(value)?;
            return Some(());
        }
        match key {
            b"last_result" => self.last_result = Some(SaveResult::parse(value)?),
            b"failure_reason" => self.failure_reason = unescape(value)?,
            _ => self.others.push((key.to_vec(), value.to_vec())),
        }
        Some(())
    }
}

/// Writes what root saw of the saves of all users: the lines of each, begun by the user's name.
pub fn encode_all(all: &BTreeMap<String, Activity>) -> Vec<u8> {
    let mut text = HEADER.as_bytes().to_vec();
    for (user, activity) in all {
        activity.encode_lines(format!("{user}\t").as_bytes(), &mut text);
    }
    text.extend(TRAILER);
    text
}

/// Reads what [`encode_all`] wrote; `None` for a torn file. Lines that do not parse are passed over.
pub fn decode_all(text: &[u8]) -> Option<BTreeMap<String, Activity>> {
    let mut all: BTreeMap<String, Activity> = BTreeMap::new();
    for (_, line) in lines(text)? {
        let Some(tab) = line.iter().position(|&byte| byte == b'\t') else { continue };
        let Ok(user) = std::str::from_utf8(&line[..tab]) else { continue };
        let _ = all.entry(user.to_owned()).or_default().decode_line(&line[tab + 1..]);
    }
    Some(all)
}

/// The lines of a whole file by number, from 1; `None` for one that is torn.
fn lines(text: &[u8]) -> Option<impl Iterator<Item = (usize, &[u8])>> {
    let body =
        text.strip_suffix(TRAILER).filter(|body| body.is_empty() || body.ends_with(b"\n"))?;
    let lines = body.split(|&byte| byte == b'\n').enumerate();
    let counts = |line: &[u8]| !line.is_empty() && !line.starts_with(b"#");
    Some(lines.filter(move |(_, line)| counts(line)).map(|(index, line)| (index + 1, line)))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(7);

    #[test]
    fn a_failure_counts_until_a_save_is_good_and_its_reason_stays() {
        let mut activity = Activity::default();
        activity.enter_save(100, MS, SaveResult::Saved, "");
        for now in [200, 300] {
            activity.enter_save(now, MS, SaveResult::Failed, "tab\there\n");
        }
        assert_eq!((activity.last_good_save, activity.confirmed), (100, 100));
        assert_eq!((activity.failures_since_good, activity.last_failure), (2, 300));
        activity.enter_save(400, MS, SaveResult::Nothing, "");
        assert_eq!((activity.last_good_save, activity.confirmed), (400, 100));
        assert_eq!((activity.failures_since_good, activity.failures), (0, 2));
        assert_eq!(Activity::decode(&activity.encode()), Some((activity, vec![])));
    }

    #[test]
    fn a_torn_file_is_told_apart_at_every_length_and_bad_lines_are_named() {
        let mut activity = Activity::default();
        activity.enter_save(100, MS, SaveResult::Failed, "why");
        let whole = activity.encode();
        for length in 0..whole.len() {
            assert_eq!(Activity::decode(&whole[..length]), None, "{length}");
        }
        let text = b"failures\tmany\nlast_save\t99999999999999\nplain\nlater\ta\tb\n# end\n";
        let (read, bad) = Activity::decode(text).unwrap();
        assert_eq!(bad, [1, 2, 3]);
        assert_eq!(read.encode(), [HEADER.as_bytes(), b"later\ta\tb\n# end\n"].concat());
    }

    #[test]
    fn panes_are_counted_by_what_a_restore_did() {
        let mut activity = Activity::default();
        let actions = ["new", "new", "skip", "in_place", "renamed", "failed"];
        activity.enter_restore(500, MS, actions.into_iter());
        let counts = activity.restored.by_action().map(|(_, count)| count);
        assert_eq!(counts, [2, 1, 1, 1, 1]);
        assert_eq!((activity.last_restore, activity.last_restore_ms), (500, 7));
    }

    #[test]
    fn every_user_of_roots_record_comes_back() {
        let mut all = BTreeMap::new();
        for (user, result) in [("ann", SaveResult::Saved), ("zoe", SaveResult::Failed)] {
            let activity: &mut Activity = all.entry(user.to_owned()).or_default();
            activity.enter_save(100, MS, result, "it hung");
        }
        assert_eq!(decode_all(&encode_all(&all)), Some(all));
        assert_eq!(decode_all(b""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic_and_written_back_stably(
            text in proptest::collection::vec(
                prop_oneof![Just(b'\t'), Just(b'\n'), Just(b'#'), any::<u8>()], 0..200,
            ),
        ) {
            let text = [&text[..], b"\n# end\n"].concat();
            let (read, _) = Activity::decode(&text).unwrap();
            let again = Activity::decode(&read.encode()).unwrap();
            prop_assert_eq!(again, (read, vec![]));
        }
    }
}
