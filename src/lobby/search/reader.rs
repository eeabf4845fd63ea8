//! Reads transcripts into the index: what is new, and what changed.

use super::error::SearchError;
use super::index::{About, Index, Known, Place};
use crate::kept::Kept;
use crate::protocol::conversation::shown;
use crate::protocol::search::Progress;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;
use terminal_lobby::agent::messages::{Content, Message, Stored, Transcript};
use terminal_lobby::agent::{self, Agent, Home};
use terminal_lobby::sys::{Dir, locks};

/// Keeps two lobbies of one user from reading at once.
const LOCK: &str = "search.lock";
/// How long to wait for the other one.
const WAIT: Duration = Duration::from_millis(100);
/// More transcripts are not read.
const MAX_FILES: usize = 200_000;
/// As much of the beginning of a transcript tells whether it is the same, in bytes.
const HEAD: u64 = 4096;
/// With less on the disk nothing is added, in bytes.
const MIN_FREE: u64 = 256 << 20;

/// Reads for one user.
pub(super) struct Reader<'a> {
    pub(super) kept: &'a Kept,
    pub(super) home: &'a Path,
    /// Whether to stop.
    pub(super) stops: &'a dyn Fn() -> bool,
    /// Gets to know how far it is.
    pub(super) tells: &'a dyn Fn(&Progress),
}

/// A transcript on disk.
struct Entry {
    agent: &'static dyn Agent,
    id: String,
    dir: PathBuf,
    file: OsString,
    identity: (u64, u64),
    size: u64,
    written: i64,
}

impl Entry {
    fn path(&self) -> PathBuf {
        self.dir.join(&self.file)
    }
}

impl Reader<'_> {
    /// Reads all that is new, or as much until it is to stop. What was read stays read.
    pub(super) fn read(&self) -> Result<Progress, SearchError> {
        let dir = self.kept.directory()?;
        let _lock = match locks::exclusive(&dir, LOCK, WAIT) {
            Ok(lock) => lock,
            // The other lobby reads, into the same index.
            Err(error) if error.is_timeout() => return Ok(Progress::default()),
            Err(error) => return Err(error.into()),
        };
        let mut index = Index::open(&dir)?;
        let (entries, are_all) = self.entries();
        let mut known = index.files()?;
        if are_all {
            forget(&mut index, &mut known, &entries)?;
        }
        let mut progress = Progress {
            of_files: entries.len(),
            of: entries.iter().map(|entry| entry.size).sum(),
            ..Progress::default()
        };
        let mut wanted = Vec::new();
        for entry in entries {
            match known.remove(&entry.path()) {
                Some(known) if known.is_as(&entry) => {
                    progress.files += 1;
                    progress.read += entry.size;
                }
                known => wanted.push((entry, known)),
            }
        }
        wanted.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.written));
        progress.reading = !wanted.is_empty();
        (self.tells)(&progress);
        for (entry, known) in wanted {
            if (self.stops)() {
                return Ok(progress);
            }
            if dir.file_system()?.free < MIN_FREE {
                return Err(SearchError::NearlyFull);
            }
            let before = progress.read;
            match self.read_one(&mut index, &entry, known, &mut progress) {
                Ok(()) => {}
                Err(error @ SearchError::Index(_)) => return Err(error),
                // Removed since, a link, or not readable: the others are read.
                Err(error) => tracing::debug!(%error, "a transcript is not searched"),
            }
            progress.files += 1;
            progress.read = before + entry.size;
            (self.tells)(&progress);
        }
        progress.reading = false;
        Ok(progress)
    }

    /// All transcripts, and whether these are really all.
    fn entries(&self) -> (Vec<Entry>, bool) {
        let home = Home::new(self.home);
        let mut entries = Vec::new();
        for agent in agent::all().filter(|agent| agent.messages().is_some()) {
            let went = agent.visit_transcripts(&home, &mut |stored| {
                entries.extend(entry(agent, stored));
                if entries.len() >= MAX_FILES || (self.stops)() {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
            if went.is_break() {
                return (entries, false);
            }
        }
        (entries, true)
    }

    fn read_one(
        &self,
        index: &mut Index,
        entry: &Entry,
        known: Option<Known>,
        progress: &mut Progress,
    ) -> Result<(), SearchError> {
        let failed = |source| SearchError::Read { file: entry.path(), source };
        let Some(read) = entry.agent.messages() else { return Ok(()) };
        let dir = Dir::open(&entry.dir)?;
        let transcript = Transcript::open_in(&dir, &entry.file, read)?;
        let identity = transcript.identity().map_err(failed)?;
        let is_same = |known: &Known| {
            let head = transcript.start(usize::try_from(known.head.1).unwrap_or(0));
            known.identity == identity
                && entry.size >= known.read
                && head.is_ok_and(|head| hash(&head) == known.head.0)
        };
        let about = about(entry, &dir);
        let mut now = match known {
            Some(known) if is_same(&known) => known,
            known => {
                let new = Known {
                    number: 0,
                    identity,
                    size: 0,
                    written: 0,
                    read: 0,
                    head: (hash(&[]), 0),
                };
                let change = index.change()?;
                if let Some(known) = known {
                    change.remove(known.number)?;
                }
                let Some(number) = change.add(&entry.path(), &new, &about)? else { return Ok(()) };
                change.commit()?;
                Known { number, ..new }
            }
        };
        let begin = progress.read;
        loop {
            let page = transcript.after(now.read).map_err(failed)?;
            let is_end = page.end == now.read;
            now.read = page.end;
            let head = transcript.start(usize::try_from(now.read.min(HEAD)).unwrap_or(0));
            let head = head.map_err(failed)?;
            now.head = (hash(&head), head.len() as u64);
            if is_end {
                (now.size, now.written) = (entry.size, entry.written);
            }
            let change = index.change()?;
            for Message { at, part, content, .. } in &page.messages {
                if let Content::Prompt { text, .. } | Content::Answer { text } = content
                    && !text.is_empty()
                {
                    change.add_message(now.number, Place { at: *at, part: *part }, text)?;
                }
            }
            change.note(&now, &about)?;
            change.commit()?;
            progress.read = begin + now.read;
            if is_end || (self.stops)() {
                return Ok(());
            }
            (self.tells)(progress);
        }
    }
}

impl Known {
    /// Whether it was read to its end, and not written since.
    fn is_as(&self, entry: &Entry) -> bool {
        self.identity == entry.identity && self.size == entry.size && self.written == entry.written
    }
}

/// Removes transcripts that are no longer there from the index.
fn forget(
    index: &mut Index,
    known: &mut HashMap<PathBuf, Known>,
    entries: &[Entry],
) -> Result<(), SearchError> {
    let there: HashSet<PathBuf> = entries.iter().map(Entry::path).collect();
    let gone: Vec<PathBuf> = known.keys().filter(|path| !there.contains(*path)).cloned().collect();
    for path in gone {
        if let Some(known) = known.remove(&path) {
            let change = index.change()?;
            change.remove(known.number)?;
            change.commit()?;
        }
    }
    Ok(())
}

fn entry(agent: &'static dyn Agent, stored: &Stored<'_>) -> Option<Entry> {
    let stat = stored.dir.stat(stored.file).ok()??;
    let is_file = stat.st_mode & 0o170_000 == 0o100_000;
    let written = stat.st_mtime.saturating_mul(1_000_000_000);
    let written = written.saturating_add(i64::try_from(stat.st_mtime_nsec).unwrap_or(0));
    is_file.then(|| Entry {
        agent,
        id: stored.id.to_string(),
        dir: stored.dir.path().to_owned(),
        file: stored.file.to_owned(),
        identity: (stat.st_dev, stat.st_ino),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        written,
    })
}

fn about(entry: &Entry, dir: &Dir) -> About {
    let file = entry.file.to_str().unwrap_or_default();
    let described = entry.agent.describe_file(dir, file).unwrap_or_default();
    let directory = described.cwd.unwrap_or_default();
    About {
        agent: entry.agent.name(),
        id: entry.id.clone(),
        title: shown(&described.title.unwrap_or_default()),
        directory: shown(&directory.to_string_lossy()),
    }
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
