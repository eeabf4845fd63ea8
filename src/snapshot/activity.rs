//! Activity: what was last done for a user, and how it went (pure). For people and monitoring only:
//! it is replaced atomically but without waiting for the disk.

use super::id;
use crate::sys::clock::Epoch;
use crate::text::escape::unescape;
use crate::text::tsv::{self, Writer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

const HEADER: &[u8] = b"# tmux-persist activity";
const TRAILER: &[u8] = b"# end";
/// Maximum length of a failure's reason, in characters.
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
    /// When a save first found that the tmux server had ended with sessions that were not closed; 0 from the
    /// next save of live sessions on.
    pub server_ended: Epoch,
    /// When a save last read the options that users set on what had been active.
    pub options_asked: Epoch,
    /// When a save last read those of all panes, or of a portion of the others.
    pub options_read: Epoch,
    /// The id of the last pane of the next portion; 0 if that is all panes, or the first ones.
    pub options_pane: u64,
    /// Whose options are the next portion, in groups; empty for not known.
    pub options_next: Vec<u8>,
    /// The sessions that a save last found marked as not to be saved.
    pub marked_off: Vec<Vec<u8>>,
    /// Panes that restores dealt with, in all.
    pub restored: Restored,
    /// Lines of a later version.
    others: Vec<Vec<Vec<u8>>>,
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
const NUMBERS: [Number; 18] = [
    ("last_save", |a| &mut a.last_save),
    ("last_save_ms", |a| &mut a.last_save_ms),
    ("last_good_save", |a| &mut a.last_good_save),
    ("confirmed", |a| &mut a.confirmed),
    ("last_failure", |a| &mut a.last_failure),
    ("failures_since_good", |a| &mut a.failures_since_good),
    ("failures", |a| &mut a.failures),
    ("last_restore", |a| &mut a.last_restore),
    ("last_restore_ms", |a| &mut a.last_restore_ms),
    ("server_ended", |a| &mut a.server_ended),
    ("options_asked", |a| &mut a.options_asked),
    ("options_read", |a| &mut a.options_read),
    ("options_pane", |a| &mut a.options_pane),
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
            self.server_ended = 0;
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
        let mut activity = Self::default();
        let bad = read(text, |fields| activity.decode_fields(fields))?;
        Some((activity, bad))
    }

    /// Writes `activity.tsv`.
    pub fn encode(&self) -> Vec<u8> {
        let mut file = Writer::default();
        file.raw(HEADER).end();
        self.encode_lines(None, &mut file);
        file.raw(TRAILER).end();
        file.into_bytes()
    }

    /// The lines of one user, whose name comes first where the file has several.
    fn encode_lines(&self, user: Option<&str>, file: &mut Writer) {
        let start = |file: &mut Writer| {
            if let Some(user) = user {
                file.raw(user.as_bytes());
            }
        };
        let mut copy = self.clone();
        for (name, number) in NUMBERS {
            let number = *number(&mut copy);
            if number != 0 {
                start(file);
                file.raw(name.as_bytes()).plain(number).end();
            }
        }
        if let Some(result) = self.last_result {
            start(file);
            file.raw(b"last_result").raw(result.word().as_bytes()).end();
        }
        if !self.failure_reason.is_empty() {
            start(file);
            file.raw(b"failure_reason").text(&self.failure_reason).end();
        }
        if !self.options_next.is_empty() {
            start(file);
            file.raw(b"options_next").text(&self.options_next).end();
        }
        if !self.marked_off.is_empty() {
            start(file);
            file.raw(b"marked_off");
            for name in &self.marked_off {
                file.text(name);
            }
            file.end();
        }
        for fields in &self.others {
            start(file);
            for field in fields {
                file.raw(field);
            }
            file.end();
        }
    }

    /// Takes one line: a key and its value.
    fn decode_fields(&mut self, fields: &[&[u8]]) -> Option<()> {
        let (&key, values) = fields.split_first().filter(|(_, values)| !values.is_empty())?;
        let number = NUMBERS.iter().find(|(name, _)| name.as_bytes() == key);
        match (number, key, values) {
            (Some((name, number)), _, &[value]) => {
                let value: u64 = std::str::from_utf8(value).ok()?.parse().ok()?;
                let is_time = name.starts_with("last_") && !name.ends_with("_ms");
                let is_time = is_time || ["options_asked", "options_read"].contains(name);
                let is_time = is_time || ["confirmed", "server_ended"].contains(name);
                let is_valid = !is_time || value <= id::LAST;
                *number(self) = is_valid.then_some(value)?;
            }
            (None, b"last_result", &[value]) => self.last_result = Some(SaveResult::parse(value)?),
            (None, b"failure_reason", &[value]) => self.failure_reason = unescape(value)?,
            (None, b"options_next", &[value]) => self.options_next = unescape(value)?,
            (None, b"marked_off", names) => {
                self.marked_off = names.iter().map(|name| unescape(name)).collect::<Option<_>>()?;
            }
            (Some(_), ..) | (_, b"last_result" | b"failure_reason" | b"options_next", _) => {
                return None;
            }
            _ => self.others.push(fields.iter().map(|field| field.to_vec()).collect()),
        }
        Some(())
    }
}

/// Writes what root saw of the saves of all users: the lines of each, begun by the user's name.
pub fn encode_all(all: &BTreeMap<String, Activity>) -> Vec<u8> {
    let mut file = Writer::default();
    file.raw(HEADER).end();
    for (user, activity) in all {
        activity.encode_lines(Some(user), &mut file);
    }
    file.raw(TRAILER).end();
    file.into_bytes()
}

/// Reads what [`encode_all`] wrote; `None` for a torn file. Lines that do not parse are skipped.
pub fn decode_all(text: &[u8]) -> Option<BTreeMap<String, Activity>> {
    let mut all: BTreeMap<String, Activity> = BTreeMap::new();
    read(text, |fields| {
        let (user, fields) = fields.split_first().filter(|(_, fields)| !fields.is_empty())?;
        let user = std::str::from_utf8(user).ok()?;
        all.entry(user.to_owned()).or_default().decode_fields(fields)
    })?;
    Some(all)
}

/// Reads the lines before the trailer; gives the numbers of those that `decode` refuses, and `None` for
/// a torn file.
fn read(text: &[u8], mut decode: impl FnMut(&[&[u8]]) -> Option<()>) -> Option<Vec<usize>> {
    let body = text.strip_suffix(b"\n")?.strip_suffix(TRAILER)?;
    let is_whole = body.is_empty() || body.ends_with(b"\n");
    is_whole.then(|| tsv::records(body, |line| decode(&line.fields().collect::<Vec<_>>())).1)
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
        assert_eq!(read.encode(), [HEADER, b"\nlater\ta\tb\n# end\n"].concat());
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
