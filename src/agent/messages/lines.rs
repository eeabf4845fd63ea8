//! Reading a transcript with bounds: from its end backwards, and what is appended.

use super::{Content, Line, Message, Payload, ReadLine};
use crate::sys::Dir;
use crate::sys::fs::FileError;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// How much is read at once, in bytes.
const CHUNK: u64 = 256 << 10;
/// A longer line is not read, in bytes.
const MAX_LINE: usize = 16 << 20;
/// As much is read for one page, in bytes; a line that is longer is read all the same.
const MAX_PAGE: u64 = 8 << 20;
/// A line that is even longer is the end of what is read: a file may have any size, and no line at all.
const MAX_SKIPPED: u64 = 1 << 30;

/// A transcript whose lines an agent can read.
#[derive(Debug)]
pub struct Transcript {
    file: File,
    read: ReadLine,
}

/// Some messages that follow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub messages: Vec<Message>,
    /// Where the lines begin that were read; 0 if there are none before.
    pub begin: u64,
    /// Where the line after them begins.
    pub end: u64,
}

impl Transcript {
    /// Opens one.
    ///
    /// # Errors
    /// If it is a link, no regular file, or another user's.
    pub fn open(path: &Path, read: ReadLine) -> Result<Self, FileError> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        let file = Dir::open(parent)?.open_own_file(path.file_name().unwrap_or_default())?;
        Ok(Self { file, read })
    }

    /// Opens one in an open directory.
    ///
    /// # Errors
    /// If it is a link, no regular file, or another user's.
    pub fn open_in(dir: &Dir, name: &OsStr, read: ReadLine) -> Result<Self, FileError> {
        Ok(Self { file: dir.open_own_file(name)?, read })
    }

    /// What tells it from a file that took its place: device and inode.
    ///
    /// # Errors
    /// If it cannot be inspected.
    pub fn identity(&self) -> std::io::Result<(u64, u64)> {
        let metadata = self.file.metadata()?;
        Ok((metadata.dev(), metadata.ino()))
    }

    /// Its first bytes, at most as many.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn start(&self, length: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.file.read_at(&mut bytes[filled..], filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Its size now, in bytes.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn size(&self) -> std::io::Result<u64> {
        Ok(self.file.metadata()?.size())
    }

    /// At least `want` messages before `end`, which is the begin of a line or the file's size, as far as there are
    /// so many and they do not lie too far back: then there are fewer, and `begin` is not 0. An unfinished
    /// line at the end is left out.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn before(&self, end: u64, want: usize) -> std::io::Result<Page> {
        let mut position = end.min(self.size()?);
        let first = position;
        // The part of a line that was read and does not begin yet.
        let mut rest = Vec::new();
        let mut is_too_long = false;
        let mut page = Page { messages: Vec::new(), begin: position, end: position };
        // Backwards.
        let mut found: Vec<Message> = Vec::new();
        let mut is_ended = false;
        while position > 0
            && found.len() < want
            && first - position < MAX_SKIPPED
            && (first - position < MAX_PAGE || is_too_long || page.begin == first)
        {
            let start = position.saturating_sub(CHUNK);
            let mut chunk = vec![0; usize::try_from(position - start).unwrap_or(0)];
            self.file.read_exact_at(&mut chunk, start)?;
            position = start;
            // What was read before has no line feed.
            let mut search_to = chunk.len();
            if is_too_long {
                rest.clear();
            }
            chunk.append(&mut rest);
            let mut line_end = chunk.len();
            while let Some(newline) = memchr::memrchr(b'\n', &chunk[..search_to]) {
                let at = start + newline as u64 + 1;
                if is_ended {
                    self.add(&chunk[newline + 1..line_end], at, is_too_long, &mut found);
                    page.begin = at;
                } else {
                    (page.begin, page.end, is_ended) = (at, at, true);
                }
                is_too_long = false;
                (line_end, search_to) = (newline, newline);
                if found.len() >= want {
                    break;
                }
            }
            if start == 0 && found.len() < want {
                if is_ended {
                    self.add(&chunk[..line_end], 0, is_too_long, &mut found);
                }
                page.begin = 0;
                page.end *= u64::from(is_ended);
            }
            chunk.truncate(line_end);
            is_too_long |= chunk.len() > MAX_LINE;
            rest = chunk;
        }
        if first - position >= MAX_SKIPPED {
            page.begin = 0;
        }
        found.reverse();
        page.messages = found;
        Ok(page)
    }

    /// What follows `begin`, which is the begin of a line: finished lines alone, and not all if they are much.
    /// [`Page::end`] is `begin` if there is nothing more.
    ///
    /// # Errors
    /// If it cannot be read, or is shorter than that: another conversation took its place.
    pub fn after(&self, begin: u64) -> std::io::Result<Page> {
        self.following(begin, usize::MAX)
    }

    /// As [`Transcript::after`], of about `want` messages: all of the line with which there are so many.
    ///
    /// # Errors
    /// As of [`Transcript::after`].
    pub fn following(&self, begin: u64, want: usize) -> std::io::Result<Page> {
        let size = self.size()?;
        if size < begin {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let mut page = Page { messages: Vec::new(), begin, end: begin };
        let mut position = begin;
        let mut rest: Vec<u8> = Vec::new();
        let mut is_too_long = false;
        'read: while position < size
            && position - begin < MAX_SKIPPED
            && (page.end == begin || position - begin < MAX_PAGE)
        {
            let length = (size - position).min(CHUNK);
            let mut chunk = vec![0; usize::try_from(length).unwrap_or(0)];
            self.file.read_exact_at(&mut chunk, position)?;
            position += length;
            // What was read before has no line feed.
            let (mut line_begin, mut search_from) = (0, rest.len());
            rest.append(&mut chunk);
            while let Some(newline) = memchr::memchr(b'\n', &rest[search_from..]) {
                let newline = search_from + newline;
                let line = &rest[line_begin..newline];
                let mut said = Vec::new();
                self.add(line, page.end, is_too_long, &mut said);
                page.messages.extend(said.into_iter().rev());
                line_begin = newline + 1;
                search_from = line_begin;
                // Of a line that is too long only the end is at hand: its length is known from where the next begins.
                page.end = position - (rest.len() - line_begin) as u64;
                is_too_long = false;
                if page.messages.len() >= want {
                    break 'read;
                }
            }
            rest.drain(..line_begin);
            if rest.len() > MAX_LINE {
                is_too_long = true;
                rest.clear();
            }
        }
        Ok(page)
    }

    /// What is behind the message `part` of the line that begins at `at`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn payload(&self, at: u64, part: usize) -> std::io::Result<Option<Payload>> {
        let line = self.line(at)?.unwrap_or_default();
        Ok(line.said.into_iter().nth(part).map(|(_, payload)| payload))
    }

    /// What the line says that begins at `at`; `None` if no finished line of a length that is read begins there.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn line(&self, at: u64) -> std::io::Result<Option<Line>> {
        let size = self.size()?;
        let mut line = Vec::new();
        let mut position = at;
        while position < size && line.len() <= MAX_LINE {
            let mut chunk = vec![0; usize::try_from((size - position).min(CHUNK)).unwrap_or(0)];
            self.file.read_exact_at(&mut chunk, position)?;
            position += chunk.len() as u64;
            if let Some(end) = memchr::memchr(b'\n', &chunk) {
                line.extend_from_slice(&chunk[..end]);
                return Ok((self.read)(&line));
            }
            line.append(&mut chunk);
        }
        Ok(None)
    }

    /// Adds what a line says, the last first.
    fn add(&self, line: &[u8], at: u64, is_too_long: bool, found: &mut Vec<Message>) {
        if is_too_long || line.len() > MAX_LINE {
            let text = "something too long to be shown".to_owned();
            found.push(Message { at, part: 0, time: None, content: Content::Note { text } });
            return;
        }
        let Some(Line { time, said }) = (self.read)(line) else { return };
        let message = |(part, (content, _))| Message { at, part, time: time.clone(), content };
        found.extend(said.into_iter().enumerate().map(message).rev());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::messages::Content;
    use std::io::Write;

    /// Each line is one answer; one that begins with `-` says nothing.
    fn plain(line: &[u8]) -> Option<Line> {
        if line.starts_with(b"-") || line.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(line).into_owned();
        let payload = Payload { text: text.clone(), images: Vec::new() };
        Some(Line { time: None, said: vec![(Content::Answer { text }, payload)] })
    }

    fn transcript(bytes: &[u8]) -> (tempfile::TempDir, Transcript) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.jsonl");
        std::fs::write(&path, bytes).unwrap();
        let transcript = Transcript::open(&path, plain).unwrap();
        (dir, transcript)
    }

    fn texts(page: &Page) -> Vec<&str> {
        page.messages
            .iter()
            .map(|message| match &message.content {
                Content::Answer { text } | Content::Note { text } => text.as_str(),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn pages_backwards_and_forwards_hold_each_message_once() {
        let lines: Vec<String> =
            (0..5000).map(|number| format!("{number} {}", "x".repeat(number % 700))).collect();
        let all = lines.join("\n") + "\nunfinished";
        let (_dir, transcript) = transcript(all.as_bytes());
        let (mut end, mut back) = (transcript.size().unwrap(), Vec::new());
        loop {
            let page = transcript.before(end, 37).unwrap();
            let mut found: Vec<String> = texts(&page).into_iter().map(str::to_owned).collect();
            found.append(&mut back);
            back = found;
            if page.begin == 0 {
                break;
            }
            end = page.begin;
        }
        assert_eq!(back, lines);
        let (mut begin, mut forth) = (0, Vec::new());
        loop {
            let page = transcript.after(begin).unwrap();
            if page.end == begin {
                break;
            }
            forth.extend(texts(&page).into_iter().map(str::to_owned));
            begin = page.end;
        }
        assert_eq!(forth, lines);
        assert_eq!(begin, (all.len() - "unfinished".len()) as u64);
        let page = transcript.before(u64::MAX, 1).unwrap();
        let payload = transcript.payload(page.messages[0].at, 0).unwrap().unwrap();
        assert_eq!(payload.text, lines[4999]);
        assert_eq!(transcript.payload(page.messages[0].at, 1).unwrap(), None);
        let some = transcript.following(page.messages[0].at, 1).unwrap();
        assert_eq!(texts(&some), [&lines[4999]]);
        let first = transcript.following(0, 3).unwrap();
        assert_eq!(texts(&first), lines[..3]);
        assert_eq!(texts(&transcript.following(first.end, 2).unwrap()), lines[3..5]);
    }

    #[test]
    fn a_line_that_is_too_long_is_said_and_not_read() {
        let mut bytes = b"first\n".to_vec();
        bytes.extend(std::iter::repeat_n(b'y', MAX_LINE + 700_000));
        bytes.extend(b"\nlast\n");
        let (_dir, transcript) = transcript(&bytes);
        let expected = ["first", "something too long to be shown", "last"];
        let last = transcript.before(u64::MAX, 2).unwrap();
        assert_eq!(texts(&last), ["last"]);
        let long = transcript.before(last.begin, 1).unwrap();
        assert_eq!((texts(&long), long.begin), (vec![expected[1]], 6));
        let first = transcript.before(6, 2).unwrap();
        assert_eq!((texts(&first), first.begin, first.end), (vec!["first"], 0, 6));
        let (mut begin, mut forth) = (0, Vec::new());
        while let page = transcript.after(begin).unwrap()
            && page.end != begin
        {
            forth.extend(texts(&page).into_iter().map(str::to_owned));
            begin = page.end;
        }
        assert_eq!(forth, expected);
        assert_eq!(begin, bytes.len() as u64);
    }

    #[test]
    fn what_is_appended_follows_and_a_shorter_file_is_another_one() {
        let (dir, transcript) = transcript(b"");
        let path = dir.path().join("t.jsonl");
        let empty = Page::default();
        assert_eq!(
            (transcript.before(0, 5).unwrap(), transcript.after(0).unwrap()),
            (empty.clone(), empty)
        );
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"one\n-\ntw").unwrap();
        let page = transcript.after(0).unwrap();
        assert_eq!((texts(&page), page.end), (vec!["one"], 6));
        file.write_all(b"o\n").unwrap();
        let page = transcript.after(6).unwrap();
        assert_eq!((texts(&page), page.end), (vec!["two"], 10));
        assert_eq!(transcript.after(10).unwrap().end, 10);
        file.set_len(3).unwrap();
        assert!(transcript.after(10).is_err());
        assert_eq!(transcript.before(10, 3).unwrap(), Page::default());
    }

    #[test]
    fn nothing_but_a_file_of_ones_own_is_opened() {
        let (dir, _) = transcript(b"x\n");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path().join("t.jsonl"), &link).unwrap();
        assert!(Transcript::open(&link, plain).is_err());
        assert!(Transcript::open(dir.path(), plain).is_err());
        assert!(Transcript::open(Path::new("/dev/null"), plain).is_err());
        assert!(Transcript::open(&dir.path().join("none"), plain).is_err());
    }
}
