//! The index: which transcripts were read how far, and the words of each message. It holds no text; that is read from
//! the transcripts when it is shown.

use super::error::SearchError;
use super::words::apart;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use terminal_lobby::sys::fs::FileError;
use terminal_lobby::sys::{Dir, locks};

/// The index's file, and those that `SQLite` has beside it.
const FILE: &str = "search.sqlite";
const BESIDE: [&str; 3] = ["search.sqlite-wal", "search.sqlite-shm", "search.sqlite-journal"];
/// Of what is in it. Another one is made anew.
const VERSION: i64 = 1;
/// Held while it is opened.
const LOCK: &str = "search-open.lock";
/// How long a writer waits for another one.
const BUSY: Duration = Duration::from_secs(5);
/// The tokenizer: case and accents do not count.
pub(super) const TOKENIZER: &str = "unicode61 remove_diacritics 2";
/// A message is known by one number: its file, where its line begins, and its part.
const PART_BITS: u32 = 5;
const AT_BITS: u32 = 38;
const MAX_FILE: i64 = 1 << 20;
/// So many messages of one conversation are shown.
const MAX_HITS: usize = 3;

/// What is known of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) number: i64,
    pub(super) identity: (u64, u64),
    pub(super) size: u64,
    /// When it was written, in nanoseconds since the epoch.
    pub(super) written: i64,
    /// How far it was read, in bytes.
    pub(super) read: u64,
    /// Its first bytes, as a hash, and how many these are.
    pub(super) head: (Vec<u8>, u64),
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: u64,
    pub(super) part: usize,
}

/// A conversation with messages that have the words.
#[derive(Debug, Clone)]
pub(super) struct Matching {
    pub(super) path: PathBuf,
    pub(super) agent: String,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) directory: String,
    /// In seconds since the epoch.
    pub(super) last: u64,
    pub(super) identity: (u64, u64),
    pub(super) messages: usize,
    /// The last ones, the last first.
    pub(super) places: Vec<Place>,
}

/// What has the words: the conversations that are wanted, how many there are, and how many messages.
pub(super) type Matches = (Vec<Matching>, usize, usize);

/// What is said of a conversation beside its messages.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    pub(super) agent: &'static str,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) directory: String,
}

#[derive(Debug)]
pub(super) struct Index {
    db: Connection,
    /// Which file it is.
    identity: Option<(u64, u64)>,
}

impl Index {
    /// Opens the index in a directory, and makes it if there is none that can be used.
    pub(super) fn open(dir: &Dir) -> Result<Self, SearchError> {
        // Of two that find none, one would remove what the other has just made and opened.
        let _lock = locks::exclusive(dir, LOCK, BUSY)?;
        match Self::try_open(dir) {
            Ok(index) => Ok(index),
            Err(error) if error.is_damage() => {
                tracing::warn!(%error, "the index of conversations is made anew");
                remove(dir)?;
                Self::try_open(dir)
            }
            Err(error) => Err(error),
        }
    }

    fn try_open(dir: &Dir) -> Result<Self, SearchError> {
        let is_file = dir.has_file(FILE)?;
        if !is_file {
            remove(dir)?; // a link, or what is left beside none
            match dir.create_new(FILE) {
                Err(error) if !error.is_existing() => return Err(error.into()),
                _ => {}
            }
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(dir.path().join(FILE), flags)?;
        db.busy_timeout(BUSY)?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000; \
             PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 16777216;",
        )?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let identity = identity(dir)?;
        if version == VERSION {
            return Ok(Self { db, identity });
        }
        if version != 0 {
            drop(db);
            remove(dir)?;
            return Self::try_open(dir);
        }
        db.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS files (
                 number INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL UNIQUE,
                 device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL, written INTEGER NOT NULL,
                 read INTEGER NOT NULL, head BLOB NOT NULL, head_size INTEGER NOT NULL,
                 agent TEXT NOT NULL, id TEXT NOT NULL, title TEXT NOT NULL, directory TEXT NOT NULL);
             CREATE VIRTUAL TABLE IF NOT EXISTS words USING
                 fts5(text, content='', contentless_delete=1, tokenize='{TOKENIZER}');
             PRAGMA user_version = {VERSION};
             COMMIT;"
        ))?;
        Ok(Self { db, identity })
    }

    /// Whether it is still the one in the directory: another lobby may have made it anew.
    pub(super) fn is_current(&self, dir: &Dir) -> bool {
        identity(dir).is_ok_and(|now| now == self.identity)
    }

    /// Ends what the index does at this moment.
    pub(super) fn interrupter(&self) -> rusqlite::InterruptHandle {
        self.db.get_interrupt_handle()
    }

    /// All transcripts that are known, by path.
    pub(super) fn files(&self) -> Result<HashMap<PathBuf, Known>, SearchError> {
        let mut statement = self.db.prepare(
            "SELECT path, number, device, inode, size, written, read, head, head_size FROM files",
        )?;
        let rows = statement.query_map([], |row| {
            let path: Vec<u8> = row.get(0)?;
            let path = PathBuf::from(std::ffi::OsStr::from_bytes(&path));
            let known = Known {
                number: row.get(1)?,
                identity: (unsigned(row.get(2)?), unsigned(row.get(3)?)),
                size: unsigned(row.get(4)?),
                written: row.get(5)?,
                read: unsigned(row.get(6)?),
                head: (row.get(7)?, unsigned(row.get(8)?)),
            };
            Ok((path, known))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Begins a change.
    pub(super) fn change(&mut self) -> Result<Change<'_>, SearchError> {
        let behavior = rusqlite::TransactionBehavior::Immediate;
        Ok(Change { db: self.db.transaction_with_behavior(behavior)? })
    }

    /// What has the words of a query, the conversations that were written last first.
    pub(super) fn find(&self, query: &str, limit: usize) -> Result<Matches, SearchError> {
        let mut statement = self.db.prepare("SELECT rowid FROM words WHERE words MATCH ?1")?;
        let mut rows = statement.query(params![query])?;
        // In the order of the numbers: those of one file follow each other.
        let mut by_file: Vec<(i64, usize, Vec<Place>)> = Vec::new();
        let mut messages = 0;
        while let Some(row) = rows.next()? {
            let (file, place) = parts(row.get(0)?);
            messages += 1;
            if by_file.last().is_none_or(|(last, ..)| *last != file) {
                by_file.push((file, 0, Vec::new()));
            }
            if let Some((_, count, places)) = by_file.last_mut() {
                *count += 1;
                places.insert(0, place);
                places.truncate(MAX_HITS);
            }
        }
        let all = by_file.len();
        let mut found = by_file
            .into_iter()
            .filter_map(|(file, count, places)| self.about(file, count, places).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(|matching| std::cmp::Reverse(matching.last));
        found.truncate(limit);
        Ok((found, all, messages))
    }

    fn about(
        &self,
        file: i64,
        messages: usize,
        places: Vec<Place>,
    ) -> Result<Option<Matching>, SearchError> {
        let mut statement = self.db.prepare(
            "SELECT path, agent, id, title, directory, written, device, inode FROM files WHERE number = ?1",
        )?;
        let matching = statement.query_row([file], |row| {
            let path: Vec<u8> = row.get(0)?;
            let written: i64 = row.get(5)?;
            Ok(Matching {
                path: PathBuf::from(std::ffi::OsStr::from_bytes(&path)),
                agent: row.get(1)?,
                id: row.get(2)?,
                title: row.get(3)?,
                directory: row.get(4)?,
                last: unsigned(written) / 1_000_000_000,
                identity: (unsigned(row.get(6)?), unsigned(row.get(7)?)),
                messages,
                places,
            })
        });
        Ok(matching.optional()?)
    }
}

/// A change of the index, which is nothing until it is committed.
#[derive(Debug)]
pub(super) struct Change<'a> {
    db: Transaction<'a>,
}

impl Change<'_> {
    /// Adds a transcript of which nothing was read; gives its number, or `None` if there were too many.
    pub(super) fn add(
        &self,
        path: &Path,
        known: &Known,
        about: &About,
    ) -> Result<Option<i64>, SearchError> {
        self.db.execute(
            "INSERT INTO files (path, device, inode, size, written, read, head, head_size, agent, id, title, directory)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                path.as_os_str().as_bytes(),
                signed(known.identity.0),
                signed(known.identity.1),
                signed(known.size),
                known.written,
                known.head.0,
                signed(known.head.1),
                about.agent,
                about.id,
                about.title,
                about.directory,
            ],
        )?;
        let number = self.db.last_insert_rowid();
        Ok((number < MAX_FILE).then_some(number))
    }

    /// Adds the words of a message. One too far back in a file to have a number is left out.
    pub(super) fn add_message(
        &self,
        file: i64,
        place: Place,
        text: &str,
    ) -> Result<(), SearchError> {
        let Some(number) = number(file, place) else { return Ok(()) };
        // The same line may be read again after a kill between two lobbies.
        self.db.execute(
            "INSERT OR REPLACE INTO words (rowid, text) VALUES (?1, ?2)",
            params![number, apart(text)],
        )?;
        Ok(())
    }

    /// Notes how far a transcript was read.
    pub(super) fn note(&self, known: &Known, about: &About) -> Result<(), SearchError> {
        self.db.execute(
            "UPDATE files SET size = ?2, written = ?3, read = ?4, head = ?5, head_size = ?6, title = ?7, directory = ?8
             WHERE number = ?1",
            params![
                known.number,
                signed(known.size),
                known.written,
                signed(known.read),
                known.head.0,
                signed(known.head.1),
                about.title,
                about.directory,
            ],
        )?;
        Ok(())
    }

    /// Removes a transcript and its words.
    pub(super) fn remove(&self, file: i64) -> Result<(), SearchError> {
        let first = file << (AT_BITS + PART_BITS);
        let last = first | ((1 << (AT_BITS + PART_BITS)) - 1);
        self.db.execute("DELETE FROM words WHERE rowid BETWEEN ?1 AND ?2", [first, last])?;
        self.db.execute("DELETE FROM files WHERE number = ?1", [file])?;
        Ok(())
    }

    pub(super) fn commit(self) -> Result<(), SearchError> {
        Ok(self.db.commit()?)
    }
}

fn identity(dir: &Dir) -> Result<Option<(u64, u64)>, FileError> {
    Ok(dir.stat(FILE)?.map(|stat| (stat.st_dev, stat.st_ino)))
}

fn remove(dir: &Dir) -> Result<(), FileError> {
    BESIDE.iter().chain([&FILE]).try_for_each(|name| dir.remove(name))
}

/// `SQLite`'s integers have a sign; bits are kept.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}

fn number(file: i64, Place { at, part }: Place) -> Option<i64> {
    let part = i64::try_from(part).ok().filter(|part| *part < 1 << PART_BITS)?;
    let at = i64::try_from(at).ok().filter(|at| *at < 1 << AT_BITS)?;
    Some(file << (AT_BITS + PART_BITS) | at << PART_BITS | part)
}

fn parts(number: i64) -> (i64, Place) {
    let at = unsigned(number >> PART_BITS & ((1 << AT_BITS) - 1));
    let part = usize::try_from(number & ((1 << PART_BITS) - 1)).unwrap_or(0);
    (number >> (AT_BITS + PART_BITS), Place { at, part })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known {
            number: 0,
            identity: (1, u64::MAX),
            size: 9,
            written: 7,
            read: 0,
            head: (vec![1], 3),
        }
    }

    fn index() -> (tempfile::TempDir, Dir, Index) {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        let index = Index::open(&dir).unwrap();
        (root, dir, index)
    }

    fn add(index: &mut Index, path: &str, texts: &[&str]) -> i64 {
        let change = index.change().unwrap();
        let about = About { agent: "claude", id: path.into(), ..About::default() };
        let file = change.add(Path::new(path), &known(), &about).unwrap().unwrap();
        for (place, text) in texts.iter().enumerate() {
            let place = Place { at: 100 * place as u64, part: 2 };
            change.add_message(file, place, text).unwrap();
        }
        change.commit().unwrap();
        file
    }

    fn found(index: &Index, typed: &str) -> usize {
        index.find(&super::super::words::query(typed).unwrap(), 10).unwrap().2
    }

    #[test]
    fn words_phrases_beginnings_accents_and_characters_are_found() {
        let (_root, _dir, mut index) = index();
        let texts =
            ["Größe des Cafés", "the LAST_resort of it", "我们在北京大学见面", "ねこがすき"];
        add(&mut index, "/a", &texts);
        for (typed, count) in [
            ("grö", 1),
            ("GRO", 1),
            ("gros ", 0),
            ("cafe", 1),
            ("cafe ", 0),
            ("CAFES ", 1),
            ("resort of", 1),
            (r#""of resort""#, 0),
            (r#""resort of""#, 1),
            ("last_res", 1),
            ("the it", 1),
            ("the cafes", 0),
            ("北京", 1),
            ("京北", 0),
            ("すき", 1),
        ] {
            assert_eq!(found(&index, typed), count, "{typed}");
        }
    }

    #[test]
    fn a_file_that_is_removed_takes_its_words_with_it_and_numbers_come_back_as_they_were() {
        let (_root, _dir, mut index) = index();
        let first = add(&mut index, "/a", &["one two", "one"]);
        let second = add(&mut index, "/b", &["one three"]);
        let (matching, all, messages) = index.find("\"one\"", 10).unwrap();
        assert_eq!((matching.len(), all, messages), (2, 2, 3));
        let of_first = matching.iter().find(|one| one.id == "/a").unwrap();
        assert_eq!(of_first.places, [Place { at: 100, part: 2 }, Place { at: 0, part: 2 }]);
        assert_eq!(of_first.identity, known().identity);
        let change = index.change().unwrap();
        change.remove(first).unwrap();
        change.commit().unwrap();
        assert_eq!((found(&index, "two"), found(&index, "one")), (0, 1));
        assert_eq!(index.files().unwrap()[Path::new("/b")].number, second);
        let place = Place { at: (1 << 38) - 1, part: 31 };
        assert_eq!(parts(number(MAX_FILE - 1, place).unwrap()), (MAX_FILE - 1, place));
        assert_eq!(number(1, Place { at: 1 << 38, part: 0 }), None);
        assert_eq!(number(1, Place { at: 0, part: 32 }), None);
    }

    #[test]
    fn all_that_open_it_first_at_the_same_time_have_the_same_one() {
        for _ in 0..20 {
            let root = tempfile::tempdir().unwrap();
            let dir = || Dir::open(root.path()).unwrap();
            let begin = std::sync::Barrier::new(8);
            let begin = &begin;
            let opened: Vec<Index> = std::thread::scope(|scope| {
                let open = || {
                    let dir = dir();
                    scope.spawn(move || {
                        begin.wait();
                        Index::open(&dir).unwrap()
                    })
                };
                let threads: Vec<_> = (0..8).map(|_| open()).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(opened.iter().all(|index| index.is_current(&dir())));
            remove(&dir()).unwrap();
            let anew = Index::open(&dir()).unwrap();
            assert!(anew.is_current(&dir()) && !opened[0].is_current(&dir()));
        }
    }

    #[test]
    fn what_is_no_index_is_replaced_and_a_link_is_not_followed() {
        let (root, dir, index) = index();
        drop(index);
        for name in BESIDE {
            dir.remove(name).unwrap();
        }
        let file = root.path().join(FILE);
        let garbage = vec![b'x'; 8192];
        dir.write(FILE, &garbage, terminal_lobby::sys::fs::Existing::Replaced).unwrap();
        assert_eq!(found(&Index::open(&dir).unwrap(), "x"), 0);
        let target = root.path().join("target");
        dir.write("target", &garbage, terminal_lobby::sys::fs::Existing::Replaced).unwrap();
        dir.remove(FILE).unwrap();
        dir.write_link(FILE, target.as_os_str()).unwrap();
        assert_eq!(found(&Index::open(&dir).unwrap(), "x"), 0);
        assert_eq!(std::fs::read(target).unwrap(), garbage);
        assert!(file.symlink_metadata().unwrap().is_file());
    }
}
