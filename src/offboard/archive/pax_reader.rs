//! Reads archives in tar's interchange format (POSIX pax, with GNU's sparse files of version 1.0), to
//! compare them. What it does not know it refuses (pure).
//!
//! Why not the crate `tar` (0.4): it does not interpret the records `GNU.sparse.*`, so a sparse file
//! would be read as its map and its pieces; and its `PaxExtensions` splits the records of an extended
//! header at line feeds, although each record gives its length, so a name with a line feed is read
//! wrongly. Both occur in homes.

use crate::text::{escape, io_reason};
use std::io::{self, Read};

const BLOCK: usize = 512;
/// Maximum size of an extended header or of the map of a sparse file, in bytes.
const MAX_EXTENDED: u64 = 64 << 20;

/// An archive that cannot be read, or is not of this format.
#[derive(Debug, thiserror::Error)]
pub enum PaxError {
    #[error("reading it: {}", io_reason(.0))]
    Read(#[from] io::Error),
    #[error("it ends too early")]
    Truncated,
    #[error("{0}")]
    Invalid(&'static str),
    #[error("unsupported entry type '{}'", escape(&[*.0]))]
    EntryType(u8),
    #[error("unsupported record '{}' in an extended header", escape(.0))]
    Record(Vec<u8>),
    #[error("an extended header of {0} bytes")]
    HeaderSize(u64),
}

const TOO_LARGE: PaxError = PaxError::Invalid("a number that is too large");

/// The type of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    HardLink,
    Link,
    Character,
    Block,
    Directory,
    Fifo,
}

/// An entry; the data of a file is read with [`PaxReader::data`] before the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    /// Bytes of the file, holes included.
    pub(crate) size: u64,
    /// Seconds and nanoseconds.
    pub(crate) mtime: (i64, u32),
    pub(crate) target: Vec<u8>,
    pub(crate) device: (u64, u64),
}

/// An archive that is being read.
pub(crate) struct PaxReader<R> {
    source: R,
    /// Bytes of the current entry that are still to be read, and the padding after them.
    left: u64,
    padding: u64,
    /// Offset and length of each piece of its data, in order.
    map: Vec<(u64, u64)>,
}

impl<R: Read> PaxReader<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, left: 0, padding: 0, map: Vec::new() }
    }

    /// The next entry; `None` at the end, which must have its mark.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, PaxError> {
        if self.left > 0 {
            self.skip(self.left)?;
        }
        self.skip(self.padding)?;
        (self.left, self.padding) = (0, 0);
        let mut extended = Extended::default();
        loop {
            let block = self.block()?;
            if block.iter().all(|byte| *byte == 0) {
                return self.end().map(|()| None);
            }
            check(&block)?;
            let size = number(&block[124..136])?;
            match block[156] {
                b'x' => {
                    let text = self.extended(size)?;
                    extended.read(&text)?;
                }
                kind => return self.entry(&block, kind, size, extended).map(Some),
            }
        }
    }

    /// Passes the data of the current file to `give`, in order: the offset and the bytes there.
    pub(crate) fn data(&mut self, mut give: impl FnMut(u64, &[u8])) -> Result<(), PaxError> {
        let mut buffer = vec![0_u8; 256 << 10];
        for (mut offset, mut length) in std::mem::take(&mut self.map) {
            while length > 0 {
                let most = usize::try_from(length).unwrap_or(usize::MAX).min(buffer.len());
                self.source.read_exact(&mut buffer[..most]).map_err(read_error)?;
                give(offset, &buffer[..most]);
                let count = most as u64;
                (offset, length) = (offset + count, length - count);
                self.left = self
                    .left
                    .checked_sub(count)
                    .ok_or(PaxError::Invalid("more data than the header gives"))?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        block: &[u8],
        kind: u8,
        size: u64,
        extended: Extended,
    ) -> Result<Entry, PaxError> {
        let kind = match kind {
            b'0' | 0 => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Link,
            b'3' => Kind::Character,
            b'4' => Kind::Block,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            other => return Err(PaxError::EntryType(other)),
        };
        let stored = extended.size.unwrap_or(size);
        if kind == Kind::File {
            self.left = stored;
            self.padding = stored.next_multiple_of(BLOCK as u64) - stored;
        }
        let mut size = if kind == Kind::File { stored } else { 0 };
        self.map = vec![(0, size)];
        let mut path = extended.path.unwrap_or_else(|| name(block));
        if extended.sparse {
            size = extended.real_size.ok_or(PaxError::Invalid("a sparse file without its size"))?;
            path =
                extended.sparse_name.ok_or(PaxError::Invalid("a sparse file without its name"))?;
            self.map = self.sparse_map(size)?;
        }
        while path.len() > 1 && path.last() == Some(&b'/') {
            path.pop();
        }
        let field = |range: std::ops::Range<usize>| number(&block[range]);
        let device = match kind {
            Kind::Character | Kind::Block => (field(329..337)?, field(337..345)?),
            _ => (0, 0),
        };
        Ok(Entry {
            path,
            kind,
            mode: u32::try_from(field(100..108)?)
                .map_err(|_| PaxError::Invalid("a mode that is too large"))?
                & 0o7777,
            uid: extended.uid.map_or_else(|| field(108..116), Ok)?,
            gid: extended.gid.map_or_else(|| field(116..124), Ok)?,
            size,
            mtime: if let Some(time) = extended.mtime {
                time
            } else {
                let seconds = i64::try_from(field(136..148)?);
                (seconds.map_err(|_| PaxError::Invalid("a time that is too large"))?, 0)
            },
            target: extended.target.unwrap_or_else(|| text(&block[157..257])),
            device,
        })
    }

    /// The map before a sparse file's data: decimal numbers, a line each, padded to a block.
    fn sparse_map(&mut self, size: u64) -> Result<Vec<(u64, u64)>, PaxError> {
        let mut block = self.stored_block()?.to_vec().into_iter();
        let mut read = 0_u64;
        let mut line = |archive: &mut Self| -> Result<u64, PaxError> {
            let mut value = 0_u64;
            loop {
                let Some(byte) = block.next() else {
                    read += BLOCK as u64;
                    if read > MAX_EXTENDED {
                        return Err(PaxError::Invalid("a map of a sparse file that is too large"));
                    }
                    block = archive.stored_block()?.to_vec().into_iter();
                    continue;
                };
                match byte {
                    b'\n' => return Ok(value),
                    b'0'..=b'9' => {
                        let more = value
                            .checked_mul(10)
                            .and_then(|v| v.checked_add(u64::from(byte - b'0')));
                        value = more.ok_or(TOO_LARGE)?;
                    }
                    _ => return Err(PaxError::Invalid("an invalid map of a sparse file")),
                }
            }
        };
        let count = line(self)?;
        let mut map = Vec::new();
        let mut end = 0_u64;
        for _ in 0..count {
            let (offset, length) = (line(self)?, line(self)?);
            let last = offset.checked_add(length).filter(|last| *last <= size && offset >= end);
            end = last.ok_or(PaxError::Invalid("a map of a sparse file that is out of order"))?;
            map.push((offset, length));
        }
        Ok(map)
    }

    fn stored_block(&mut self) -> Result<[u8; BLOCK], PaxError> {
        let left = self.left.checked_sub(BLOCK as u64);
        self.left = left.ok_or(PaxError::Invalid("a sparse file without a map"))?;
        self.block()
    }

    /// Checks the end: after the first block of zeros at least another one, and nothing else.
    fn end(&mut self) -> Result<(), PaxError> {
        let mut rest = vec![0_u8; 64 << 10];
        let mut found = 0_usize;
        loop {
            let count = self.source.read(&mut rest)?;
            if rest[..count].iter().any(|byte| *byte != 0) {
                return Err(PaxError::Invalid("data after the end"));
            }
            found = found.saturating_add(count);
            if count == 0 {
                return if found >= BLOCK { Ok(()) } else { Err(PaxError::Truncated) };
            }
        }
    }

    fn extended(&mut self, size: u64) -> Result<Vec<u8>, PaxError> {
        if size > MAX_EXTENDED {
            return Err(PaxError::HeaderSize(size));
        }
        let mut text =
            vec![0_u8; usize::try_from(size.next_multiple_of(BLOCK as u64)).unwrap_or(0)];
        self.source.read_exact(&mut text).map_err(read_error)?;
        text.truncate(usize::try_from(size).unwrap_or(0));
        Ok(text)
    }

    fn block(&mut self) -> Result<[u8; BLOCK], PaxError> {
        let mut block = [0_u8; BLOCK];
        self.source.read_exact(&mut block).map_err(read_error)?;
        Ok(block)
    }

    fn skip(&mut self, count: u64) -> Result<(), PaxError> {
        let skipped = io::copy(&mut (&mut self.source).take(count), &mut io::sink())?;
        if skipped == count { Ok(()) } else { Err(PaxError::Truncated) }
    }
}

/// The records of an extended header.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    mtime: Option<(i64, u32)>,
    sparse: bool,
    sparse_name: Option<Vec<u8>>,
    real_size: Option<u64>,
}

impl Extended {
    /// Reads records `LENGTH KEY=VALUE\n`; a value may contain any byte.
    fn read(&mut self, mut text: &[u8]) -> Result<(), PaxError> {
        let invalid = PaxError::Invalid;
        while !text.is_empty() {
            let space = text.iter().position(|byte| *byte == b' ');
            let space = space.ok_or(invalid("a record without its length"))?;
            let length: usize =
                ascii(&text[..space]).ok_or(invalid("a record without its length"))?;
            let record = text.get(space + 1..length).ok_or(invalid("a record that is too long"))?;
            let record = record.strip_suffix(b"\n").ok_or(invalid("a record without its end"))?;
            let equals = record.iter().position(|byte| *byte == b'=');
            let equals = equals.ok_or(invalid("a record without a value"))?;
            self.set(&record[..equals], &record[equals + 1..])?;
            text = &text[length..];
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), PaxError> {
        let whole = || ascii(value).ok_or(PaxError::Invalid("a record that is not a number"));
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.target = Some(value.to_vec()),
            b"size" => self.size = Some(whole()?),
            b"uid" => self.uid = Some(whole()?),
            b"gid" => self.gid = Some(whole()?),
            b"mtime" => self.mtime = Some(time(value).ok_or(PaxError::Invalid("an invalid time"))?),
            b"GNU.sparse.major" if value == b"1" => self.sparse = true,
            b"GNU.sparse.minor" if value == b"0" => {}
            b"GNU.sparse.name" => self.sparse_name = Some(value.to_vec()),
            b"GNU.sparse.realsize" => self.real_size = Some(whole()?),
            b"atime" | b"ctime" | b"uname" | b"gname" | b"comment" => {}
            key if key.starts_with(b"SCHILY.") || key.starts_with(b"RHT.") => {}
            key => return Err(PaxError::Record(key.to_vec())),
        }
        Ok(())
    }
}

fn ascii<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Seconds, rounded down, and nanoseconds: `-1.5` is half a second after -2.
fn time(text: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let mut nanoseconds = 0_u32;
    for digit in digits {
        nanoseconds = nanoseconds * 10 + char::from(digit).to_digit(10)?;
    }
    let seconds: i64 = whole.parse().ok()?;
    if whole.starts_with('-') && nanoseconds > 0 {
        return Some((seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds));
    }
    Some((seconds, nanoseconds))
}

/// Checks the sum of the header's bytes, in which its own field counts as spaces.
fn check(block: &[u8]) -> Result<(), PaxError> {
    let own = 148..156;
    let byte = |(at, byte): (usize, &u8)| if own.contains(&at) { 32 } else { u64::from(*byte) };
    let sum: u64 = block.iter().enumerate().map(byte).sum();
    if number(&block[own.clone()])? == sum && &block[257..263] == b"ustar\0" {
        Ok(())
    } else {
        Err(PaxError::Invalid("a header that is damaged, or of another format"))
    }
}

/// Octal digits, or a binary number if the first bit is set.
fn number(field: &[u8]) -> Result<u64, PaxError> {
    if field[0] == 0x80 {
        let fits = field[1..field.len().saturating_sub(8).max(1)].iter().all(|byte| *byte == 0);
        let low = &field[field.len().saturating_sub(8).max(1)..];
        let value = low.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        return if fits { Ok(value) } else { Err(TOO_LARGE) };
    }
    let digits = field.iter().filter(|byte| !matches!(byte, 0 | b' '));
    let mut value = 0_u64;
    for digit in digits {
        if !(b'0'..=b'7').contains(digit) {
            return Err(PaxError::Invalid("an invalid number"));
        }
        value = value << 3 | u64::from(digit - b'0');
    }
    Ok(value)
}

fn name(block: &[u8]) -> Vec<u8> {
    let (name, prefix) = (text(&block[..100]), text(&block[345..500]));
    if prefix.is_empty() { name } else { [&prefix[..], b"/", &name].concat() }
}

fn text(field: &[u8]) -> Vec<u8> {
    field.iter().copied().take_while(|byte| *byte != 0).collect()
}

fn read_error(error: io::Error) -> PaxError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        PaxError::Truncated
    } else {
        PaxError::Read(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_count_backwards() {
        assert_eq!(time(b"12.5"), Some((12, 500_000_000)));
        assert_eq!(time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(time(b"-0.5"), Some((-1, 500_000_000)));
        assert_eq!(time(b"7"), Some((7, 0)));
        assert_eq!(time(b"x"), None);
    }

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(number(b"0000644\0").unwrap(), 0o644);
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 1, 0]).unwrap(), 256);
        assert!(number(b"9\0\0\0\0\0\0\0").is_err());
    }

    #[test]
    fn a_truncated_or_damaged_archive_is_refused() {
        for bytes in [&b""[..], &[0; 512], &[0; 700], &[1; 1024]] {
            assert!(PaxReader::new(bytes).next().is_err(), "{} bytes", bytes.len());
        }
        assert_eq!(PaxReader::new(&[0; 1024][..]).next().unwrap(), None);
    }
}
