//! What root is about to do, and its outcome: a line each, on disk before anything else happens. So a
//! kill at any moment leaves a record of what was in progress.
//!
//! `/var/lib/terminal-lobby/journal.jsonl`, one JSON object a line. It is never rewritten; once it is
//! large, it is renamed to `journal.1.jsonl`.

use crate::sys::{Dir, FileError, clock};
use serde::{Deserialize, Serialize};

const NAME: &str = "journal.jsonl";
const OLD: &str = "journal.1.jsonl";
/// From this size on, in bytes, a new one is begun.
const MAX_SIZE: u64 = 4 << 20;
/// How much of the end is read for what was interrupted, in bytes.
const TAIL: u64 = 1 << 20;
/// Maximum length of a line's text, in characters: all that is in progress must be within [`TAIL`].
const MAX_WHAT: usize = 4000;

/// What a line records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Run,
    /// A change is about to be carried out.
    Before,
    /// It was carried out.
    Done,
    Failed,
    End,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Seconds since 1970.
    pub time: u64,
    /// The name of the run.
    pub run: String,
    pub event: Event,
    /// The change, or the command of a run.
    pub id: String,
    /// What is done, or why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// The place that is written, as `written.json` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The hash of what is written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// The journal of a run; its first line is written with the first change.
#[derive(Debug)]
pub struct Journal<'a> {
    dir: &'a Dir,
    run: String,
    command: String,
    begun: bool,
}

impl<'a> Journal<'a> {
    /// The journal of a run of `command` in `/var/lib/terminal-lobby`.
    pub fn new(dir: &'a Dir, run: &str, command: &str) -> Self {
        Self { dir, run: run.to_owned(), command: command.to_owned(), begun: false }
    }

    /// Records what is about to be done.
    ///
    /// # Errors
    /// The line cannot be written to disk: then the change must not be carried out.
    pub fn before(&mut self, id: &str, what: &str) -> Result<(), FileError> {
        self.before_writing(id, what, None)
    }

    /// The same, with the place that is written and the hash of what will be there.
    pub fn before_writing(
        &mut self,
        id: &str,
        what: &str,
        writes: Option<(String, String)>,
    ) -> Result<(), FileError> {
        if !self.begun {
            self.rotate()?;
            let command = self.command.clone();
            self.line(Event::Run, &command, "", None)?;
            self.begun = true;
        }
        self.line(Event::Before, id, what, writes)
    }

    /// Records the outcome of a change: a note, or why it failed.
    pub fn after(&mut self, id: &str, outcome: Result<&str, &str>) -> Result<(), FileError> {
        match outcome {
            Ok(what) => self.line(Event::Done, id, what, None),
            Err(why) => self.line(Event::Failed, id, why, None),
        }
    }

    /// Records the end of the run; nothing if no change was recorded.
    pub fn end(self, what: &str) -> Result<(), FileError> {
        if self.begun { self.line(Event::End, &self.command, what, None) } else { Ok(()) }
    }

    fn line(
        &self,
        event: Event,
        id: &str,
        what: &str,
        writes: Option<(String, String)>,
    ) -> Result<(), FileError> {
        let (place, hash) = writes.unzip();
        let (id, what) = (id.to_owned(), what.chars().take(MAX_WHAT).collect());
        let line = Line { time: clock::now(), run: self.run.clone(), event, id, what, place, hash };
        let text = serde_json::to_string(&line).unwrap_or_default() + "\n";
        self.dir.append(NAME, text.as_bytes())
    }

    fn rotate(&self) -> Result<(), FileError> {
        let size = self.dir.stat(NAME)?.map_or(0, |stat| stat.st_size);
        if u64::try_from(size).unwrap_or(0) > MAX_SIZE {
            self.dir.rename(NAME, OLD, rustix::fs::RenameFlags::empty())?;
        }
        Ok(())
    }
}

/// What was in progress when a run was killed: lines `before` that have no outcome. None if there is no
/// journal.
pub fn interrupted(dir: &Dir) -> Result<Vec<Line>, FileError> {
    let text = match dir.read_end(NAME, TAIL) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(without_outcome(text.split(|byte| *byte == b'\n')))
}

/// Half-written lines are skipped: what they would have recorded was not begun.
fn without_outcome<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<Line> {
    let mut open: Vec<Line> = Vec::new();
    for line in lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok()) {
        match line.event {
            Event::Before => open.push(line),
            Event::Done | Event::Failed => {
                open.retain(|before| before.id != line.id || before.run != line.run);
            }
            Event::Run | Event::End => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_progress_is_what_has_no_outcome() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        assert!(interrupted(&dir).unwrap().is_empty());
        let mut journal = Journal::new(&dir, "r1", "apply");
        journal.before("ann/account", "account ann").unwrap();
        journal.after("ann/account", Ok("made")).unwrap();
        let hash = Some(("/etc/x".to_owned(), "sha256:1".to_owned()));
        journal.before_writing("host/x", "/etc/x", hash).unwrap();
        dir.append(NAME, b"{\"time\":1,\"run\":\"r1\",\"eve").unwrap();
        let left = interrupted(&dir).unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!((left[0].id.as_str(), left[0].place.as_deref()), ("host/x", Some("/etc/x")));
    }

    #[test]
    fn a_long_reason_hides_nothing_that_is_in_progress() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        let mut journal = Journal::new(&dir, "r1", "apply");
        journal.before("ann/account", "account ann").unwrap();
        for _ in 0..8 {
            journal.before("bob/code", "~/code").unwrap();
            journal.after("bob/code", Err(&"\u{1b}".repeat(2 << 20))).unwrap();
        }
        let left = interrupted(&dir).unwrap();
        assert_eq!(left.iter().map(|line| line.id.as_str()).collect::<Vec<_>>(), ["ann/account"]);
    }

    #[test]
    fn a_run_that_does_nothing_writes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        Journal::new(&dir, "r1", "apply").end("nothing").unwrap();
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
