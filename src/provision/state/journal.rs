//! What root is about to do, and what came of it: a line each, on disk before the next thing happens.
//! So a kill at any moment leaves a record that says what was under way.
//!
//! `/var/lib/terminal-lobby/journal.jsonl`, one JSON object a line; never rewritten, set aside as
//! `journal.1.jsonl` when it has grown.

use crate::sys::{Dir, FileError, clock};
use serde::{Deserialize, Serialize};

const NAME: &str = "journal.jsonl";
const OLD: &str = "journal.1.jsonl";
/// From here on a new one is begun (bytes).
const FULL: u64 = 4 << 20;
/// How much of the end is read for what was under way (bytes).
const TAIL: u64 = 1 << 20;
/// No line says more (characters): all that is under way must be found in the end that is read.
const MAX_WHAT: usize = 4000;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A run begins.
    Run,
    /// A change is about to be made.
    Before,
    /// It was made.
    Done,
    /// It was not.
    Failed,
    /// The run is over.
    End,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Seconds since 1970.
    pub time: u64,
    /// Which run.
    pub run: String,
    /// What it says.
    pub event: Event,
    /// The change, or the command of a run.
    pub id: String,
    /// What is done, to what; or why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// The place that is written, as `written.json` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The hash of what is written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// A run's journal; its first line is written with the first change.
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

    /// Says what is about to be done.
    ///
    /// # Errors
    /// When it cannot be put on disk: then it must not be done.
    pub fn before(&mut self, id: &str, what: &str) -> Result<(), FileError> {
        self.before_writing(id, what, None)
    }

    /// The same of a place that is written, and the hash of what will be there.
    ///
    /// # Errors
    /// As [`Journal::before`].
    pub fn before_writing(
        &mut self,
        id: &str,
        what: &str,
        writes: Option<(String, String)>,
    ) -> Result<(), FileError> {
        if !self.begun {
            self.set_aside()?;
            let command = self.command.clone();
            self.line(Event::Run, &command, "", None)?;
            self.begun = true;
        }
        self.line(Event::Before, id, what, writes)
    }

    /// Says what came of it.
    ///
    /// # Errors
    /// When it cannot be put on disk.
    pub fn after(&mut self, id: &str, outcome: Result<&str, &str>) -> Result<(), FileError> {
        match outcome {
            Ok(what) => self.line(Event::Done, id, what, None),
            Err(why) => self.line(Event::Failed, id, why, None),
        }
    }

    /// Says that the run is over; nothing when it did nothing.
    ///
    /// # Errors
    /// When it cannot be put on disk.
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

    fn set_aside(&self) -> Result<(), FileError> {
        let size = self.dir.stat(NAME)?.map_or(0, |stat| stat.st_size);
        if u64::try_from(size).unwrap_or(0) > FULL {
            self.dir.rename(NAME, OLD, rustix::fs::RenameFlags::empty())?;
        }
        Ok(())
    }
}

/// What was under way when the last run was killed: lines `before` that nothing came of.
///
/// # Errors
/// When the journal is there and cannot be read.
pub fn under_way(dir: &Dir) -> Result<Vec<Line>, FileError> {
    let text = match dir.read_end(NAME, TAIL) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(left(text.split(|byte| *byte == b'\n')))
}

/// Torn lines are none: what they would have said was not begun.
fn left<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<Line> {
    let mut left: Vec<Line> = Vec::new();
    for line in lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok()) {
        match line.event {
            Event::Before => left.push(line),
            Event::Done | Event::Failed => {
                left.retain(|before| before.id != line.id || before.run != line.run);
            }
            Event::Run | Event::End => {}
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_under_way_is_what_nothing_came_of() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        assert!(under_way(&dir).unwrap().is_empty());
        let mut journal = Journal::new(&dir, "r1", "apply");
        journal.before("ann/account", "account ann").unwrap();
        journal.after("ann/account", Ok("made")).unwrap();
        let hash = Some(("/etc/x".to_owned(), "sha256:1".to_owned()));
        journal.before_writing("host/x", "/etc/x", hash).unwrap();
        dir.append(NAME, b"{\"time\":1,\"run\":\"r1\",\"eve").unwrap();
        let left = under_way(&dir).unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!((left[0].id.as_str(), left[0].place.as_deref()), ("host/x", Some("/etc/x")));
    }

    #[test]
    fn what_one_says_at_length_hides_nothing_that_is_under_way() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        let mut journal = Journal::new(&dir, "r1", "apply");
        journal.before("ann/account", "account ann").unwrap();
        for _ in 0..8 {
            journal.before("bob/code", "~/code").unwrap();
            journal.after("bob/code", Err(&"\u{1b}".repeat(2 << 20))).unwrap();
        }
        let left = under_way(&dir).unwrap();
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
