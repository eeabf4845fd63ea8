//! Reading an archive back: a reader of tar's interchange format (POSIX pax, with GNU's sparse files
//! of version 1.0), written for comparing. What it does not know it refuses (pure).

use std::io::Read;

const BLOCK: usize = 512;
/// No extended header or map of a sparse file is larger (bytes).
const MAX_EXTENDED: u64 = 64 << 20;

/// What an entry is.
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

/// An entry; the data of a file is read with [`Tape::data`] before the next one.
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
pub(crate) struct Tape<R> {
    source: R,
    /// Bytes of the present entry that were not read yet, and how many pad them.
    left: u64,
    padding: u64,
    /// Where its data lies: offset and length; in order.
    map: Vec<(u64, u64)>,
}

impl<R: Read> Tape<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, left: 0, padding: 0, map: Vec::new() }
    }

    /// The next entry; `None` at the end, which must be marked as one.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, String> {
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

    /// Gives the data of the present file in order: at which offset, and what.
    pub(crate) fn data(&mut self, mut give: impl FnMut(u64, &[u8])) -> Result<(), String> {
        let mut buffer = vec![0_u8; 256 << 10];
        for (mut offset, mut length) in std::mem::take(&mut self.map) {
            while length > 0 {
                let most = usize::try_from(length).unwrap_or(usize::MAX).min(buffer.len());
                self.source.read_exact(&mut buffer[..most]).map_err(|error| torn(&error))?;
                give(offset, &buffer[..most]);
                let count = most as u64;
                (offset, length) = (offset + count, length - count);
                self.left = self.left.checked_sub(count).ok_or("more data than the header says")?;
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
    ) -> Result<Entry, String> {
        let kind = match kind {
            b'0' | 0 => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Link,
            b'3' => Kind::Character,
            b'4' => Kind::Block,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            other => return Err(format!("an entry of type {:?}", char::from(other))),
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
            size = extended.real_size.ok_or("a sparse file without its size")?;
            path = extended.sparse_name.ok_or("a sparse file without its name")?;
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
            mode: u32::try_from(field(100..108)?).map_err(|_| "a mode too large")? & 0o7777,
            uid: extended.uid.map_or_else(|| field(108..116), Ok)?,
            gid: extended.gid.map_or_else(|| field(116..124), Ok)?,
            size,
            mtime: match extended.mtime {
                Some(time) => time,
                None => (i64::try_from(field(136..148)?).map_err(|_| "a time too large")?, 0),
            },
            target: extended.target.unwrap_or_else(|| text(&block[157..257])),
            device,
        })
    }

    /// The map before a sparse file's data: decimal numbers, a line each, padded to a block.
    fn sparse_map(&mut self, size: u64) -> Result<Vec<(u64, u64)>, String> {
        let mut block = self.stored_block()?.to_vec().into_iter();
        let mut read = 0_u64;
        let mut line = |tape: &mut Self| -> Result<u64, String> {
            let mut value = 0_u64;
            loop {
                let Some(byte) = block.next() else {
                    read += BLOCK as u64;
                    if read > MAX_EXTENDED {
                        return Err("a map of a sparse file without end".to_owned());
                    }
                    block = tape.stored_block()?.to_vec().into_iter();
                    continue;
                };
                match byte {
                    b'\n' => return Ok(value),
                    b'0'..=b'9' => {
                        let more = value
                            .checked_mul(10)
                            .and_then(|v| v.checked_add(u64::from(byte - b'0')));
                        value = more.ok_or("a number too large")?;
                    }
                    _ => return Err("a map of a sparse file that does not parse".to_owned()),
                }
            }
        };
        let count = line(self)?;
        let mut map = Vec::new();
        let mut end = 0_u64;
        for _ in 0..count {
            let (offset, length) = (line(self)?, line(self)?);
            let last = offset.checked_add(length).filter(|last| *last <= size && offset >= end);
            end = last.ok_or("a map of a sparse file out of order")?;
            map.push((offset, length));
        }
        Ok(map)
    }

    fn stored_block(&mut self) -> Result<[u8; BLOCK], String> {
        self.left = self.left.checked_sub(BLOCK as u64).ok_or("a sparse file without a map")?;
        self.block()
    }

    /// After a first block of zeros: another, and nothing else.
    fn end(&mut self) -> Result<(), String> {
        let mut rest = vec![0_u8; 64 << 10];
        let mut found = 0_usize;
        loop {
            let count = self.source.read(&mut rest).map_err(|error| error.to_string())?;
            if rest[..count].iter().any(|byte| *byte != 0) {
                return Err("something after the end".to_owned());
            }
            found = found.saturating_add(count);
            if count == 0 {
                return if found >= BLOCK { Ok(()) } else { Err("no whole end".to_owned()) };
            }
        }
    }

    fn extended(&mut self, size: u64) -> Result<Vec<u8>, String> {
        if size > MAX_EXTENDED {
            return Err(format!("an extended header of {size} bytes"));
        }
        let mut text =
            vec![0_u8; usize::try_from(size.next_multiple_of(BLOCK as u64)).unwrap_or(0)];
        self.source.read_exact(&mut text).map_err(|error| torn(&error))?;
        text.truncate(usize::try_from(size).unwrap_or(0));
        Ok(text)
    }

    fn block(&mut self) -> Result<[u8; BLOCK], String> {
        let mut block = [0_u8; BLOCK];
        self.source.read_exact(&mut block).map_err(|error| torn(&error))?;
        Ok(block)
    }

    fn skip(&mut self, count: u64) -> Result<(), String> {
        let skipped = std::io::copy(&mut (&mut self.source).take(count), &mut std::io::sink());
        if skipped.map_err(|error| error.to_string())? == count {
            Ok(())
        } else {
            Err("torn".to_owned())
        }
    }
}

/// What an extended header says.
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
    /// Records `LENGTH KEY=VALUE\n`; a value may hold any byte.
    fn read(&mut self, mut text: &[u8]) -> Result<(), String> {
        while !text.is_empty() {
            let space =
                text.iter().position(|byte| *byte == b' ').ok_or("a record without a length")?;
            let length: usize = ascii(&text[..space]).ok_or("a record without a length")?;
            let record = text.get(space + 1..length).ok_or("a record too long")?;
            let record = record.strip_suffix(b"\n").ok_or("a record without its end")?;
            let equals =
                record.iter().position(|b| *b == b'=').ok_or("a record without a value")?;
            self.set(&record[..equals], &record[equals + 1..])?;
            text = &text[length..];
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let whole =
            || ascii(value).ok_or_else(|| format!("{}: no number", String::from_utf8_lossy(key)));
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.target = Some(value.to_vec()),
            b"size" => self.size = Some(whole()?),
            b"uid" => self.uid = Some(whole()?),
            b"gid" => self.gid = Some(whole()?),
            b"mtime" => self.mtime = Some(time(value).ok_or("a time that does not parse")?),
            b"GNU.sparse.major" if value == b"1" => self.sparse = true,
            b"GNU.sparse.minor" if value == b"0" => {}
            b"GNU.sparse.name" => self.sparse_name = Some(value.to_vec()),
            b"GNU.sparse.realsize" => self.real_size = Some(whole()?),
            b"atime" | b"ctime" | b"uname" | b"gname" | b"comment" => {}
            key if key.starts_with(b"SCHILY.") || key.starts_with(b"RHT.") => {}
            key => {
                return Err(format!(
                    "an unknown record {}",
                    String::from_utf8_lossy(key).escape_debug()
                ));
            }
        }
        Ok(())
    }
}

fn ascii<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `-1.5` is half a second after -2.
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

/// The sum of the header's bytes, its own field as spaces.
fn check(block: &[u8]) -> Result<(), String> {
    let own = 148..156;
    let byte = |(at, byte): (usize, &u8)| if own.contains(&at) { 32 } else { u64::from(*byte) };
    let sum: u64 = block.iter().enumerate().map(byte).sum();
    if number(&block[own.clone()])? == sum && &block[257..263] == b"ustar\0" {
        Ok(())
    } else {
        Err("a header that is damaged, or of another format".to_owned())
    }
}

/// Octal digits, or with the first bit set a binary number.
fn number(field: &[u8]) -> Result<u64, String> {
    if field[0] == 0x80 {
        let fits = field[1..field.len().saturating_sub(8).max(1)].iter().all(|byte| *byte == 0);
        let low = &field[field.len().saturating_sub(8).max(1)..];
        let value = low.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        return if fits { Ok(value) } else { Err("a number too large".to_owned()) };
    }
    let digits = field.iter().filter(|byte| !matches!(byte, 0 | b' '));
    let mut value = 0_u64;
    for digit in digits {
        if !(b'0'..=b'7').contains(digit) {
            return Err("a number that does not parse".to_owned());
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

fn torn(error: &std::io::Error) -> String {
    format!("torn: {error}")
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
        assert_eq!(number(b"0000644\0"), Ok(0o644));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 1, 0]), Ok(256));
        assert!(number(b"9\0\0\0\0\0\0\0").is_err());
    }

    #[test]
    fn what_is_torn_or_garbled_is_refused() {
        for bytes in [&b""[..], &[0; 512], &[0; 700], &[1; 1024]] {
            assert!(Tape::new(bytes).next().is_err(), "{} bytes", bytes.len());
        }
        assert_eq!(Tape::new(&[0; 1024][..]).next(), Ok(None));
    }
}
