//! The one reader and writer of files of lines whose fields are separated by a TAB (pure): snapshots,
//! closed sessions, ended agents, the index of conversations, activity, what panes wait for.
//!
//! Nothing is quoted: the escapes of [`super::escape`] keep TAB and LF out of a field. A line ends in
//! LF alone, so CR is an ordinary byte of a field. A line that begins with `#` is a comment.

use super::escape::{escape_into, unescape};
use csv::{ByteRecord, QuoteStyle, Terminator};
use std::fmt::{Display, Write};

const LF: u8 = b'\n';
const TAB: u8 = b'\t';
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file read line by line, blank lines and comments included. Byte order marks at its very
/// beginning are dropped.
pub struct Reader<'a> {
    text: &'a [u8],
    csv: csv::Reader<&'a [u8]>,
    record: ByteRecord,
    /// Where in `text` the next line begins.
    at: usize,
    number: usize,
}

/// One line of a file.
#[derive(Debug, Clone, Copy)]
pub struct Line<'r> {
    /// From 1.
    pub number: usize,
    /// The bytes without the line feed.
    pub bytes: &'r [u8],
    record: &'r ByteRecord,
}

impl<'a> Reader<'a> {
    /// Reads `text` from its beginning.
    pub fn new(text: &'a [u8]) -> Self {
        // The csv crate drops one in the same place, but counts its bytes.
        let mut text = text;
        while let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) {
            text = rest;
        }
        let csv = csv::ReaderBuilder::new()
            .delimiter(TAB)
            .terminator(Terminator::Any(LF))
            .quoting(false)
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        Self { text, csv, record: ByteRecord::new(), at: 0, number: 0 }
    }

    /// The next line; `None` after the last. What follows the last line feed is a line unless it is
    /// empty.
    pub fn line(&mut self) -> Option<Line<'_>> {
        let start = self.at;
        self.number += 1;
        if *self.text.get(start)? == LF {
            // csv passes over blank lines: it will do so in front of the next record.
            self.at += 1;
            self.record.clear();
            self.record.push_field(b"");
        } else {
            // Reading memory cannot fail, and with `flexible` no record is refused.
            self.csv.read_byte_record(&mut self.record).ok().filter(|read| *read)?;
            self.at = usize::try_from(self.csv.position().byte()).ok()?;
        }
        let bytes = &self.text[start..self.at];
        let bytes = bytes.strip_suffix(&[LF]).unwrap_or(bytes);
        Some(Line { number: self.number, bytes, record: &self.record })
    }
}

impl<'r> Line<'r> {
    /// Whether it is neither blank nor a comment.
    pub fn is_record(&self) -> bool {
        !self.bytes.is_empty() && !self.bytes.starts_with(b"#")
    }

    /// Its fields, still escaped; a blank line has one, which is empty.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &'r [u8]> + use<'r> {
        self.record.iter()
    }

    /// Its fields when it has just `N`.
    pub fn exactly<const N: usize>(&self) -> Option<[&'r [u8]; N]> {
        let record = self.record;
        (record.len() == N).then(|| std::array::from_fn(|at| &record[at]))
    }
}

/// Reads a file of one record a line. Lines that `decode` refuses are given back by number; the others
/// count.
pub fn records<T>(
    text: &[u8],
    mut decode: impl FnMut(Line<'_>) -> Option<T>,
) -> (Vec<T>, Vec<usize>) {
    let (mut records, mut bad) = (Vec::new(), Vec::new());
    let mut reader = Reader::new(text);
    while let Some(line) = reader.line() {
        if line.is_record() {
            let number = line.number;
            decode(line).map_or_else(|| bad.push(number), |record| records.push(record));
        }
    }
    (records, bad)
}

/// A field that may be absent, which is written `-`: [`Writer::optional`] read back.
///
/// # Errors
/// `None` for a backslash that begins no escape.
pub fn optional(field: &[u8]) -> Option<Option<Vec<u8>>> {
    if field == b"-" { Some(None) } else { unescape(field).map(Some) }
}

/// Writes such a file into memory: fields one after the other, then [`Writer::end`].
pub struct Writer {
    csv: csv::Writer<Vec<u8>>,
    record: ByteRecord,
    field: String,
    length: usize,
}

impl Default for Writer {
    fn default() -> Self {
        let csv = csv::WriterBuilder::new()
            .delimiter(TAB)
            .terminator(Terminator::Any(LF))
            .quote_style(QuoteStyle::Never)
            .has_headers(false)
            .flexible(true)
            .from_writer(Vec::new());
        Self { csv, record: ByteRecord::new(), field: String::new(), length: 0 }
    }
}

impl Writer {
    /// A file that begins with a comment: the names of its columns.
    pub fn with_columns(columns: &[&str]) -> Self {
        let mut writer = Self::default();
        for name in columns {
            writer.record.push_field(name.as_bytes());
        }
        writer.end();
        writer
    }

    /// Adds a field that holds neither TAB nor LF as it is.
    pub fn raw(&mut self, field: &[u8]) -> &mut Self {
        self.record.push_field(field);
        self
    }

    /// Adds a number, or a word of our own.
    pub fn plain(&mut self, value: impl Display) -> &mut Self {
        self.field.clear();
        let _ = write!(self.field, "{value}"); // writing to a String cannot fail
        self.record.push_field(self.field.as_bytes());
        self
    }

    /// Adds any bytes, escaped.
    pub fn text(&mut self, value: &[u8]) -> &mut Self {
        self.field.clear();
        escape_into(&mut self.field, value);
        self.record.push_field(self.field.as_bytes());
        self
    }

    /// Adds any bytes, or `-` for none; bytes that are really `-` are `\x2d`.
    pub fn optional(&mut self, value: Option<&[u8]>) -> &mut Self {
        match value {
            None => self.raw(b"-"),
            Some(b"-") => self.raw(b"\\x2d"),
            Some(value) => self.text(value),
        }
    }

    /// Adds the first field of a line, any bytes: neither `-`, nor a `#` at the beginning, which would
    /// make the line a comment.
    pub fn first(&mut self, value: &[u8]) -> &mut Self {
        match value.strip_prefix(b"#") {
            Some(rest) => {
                self.field.clear();
                self.field.push_str("\\x23");
                escape_into(&mut self.field, rest);
                self.record.push_field(self.field.as_bytes());
                self
            }
            None => self.optional(Some(value)),
        }
    }

    /// Ends the line, which has at least one byte.
    pub fn end(&mut self) {
        self.length += self.record.as_slice().len() + self.record.len();
        // Writing to memory cannot fail.
        let _ = self.csv.write_byte_record(&self.record);
        self.record.clear();
    }

    /// Ends the line unless the file would be longer than `max` bytes with it; whether it did.
    pub fn end_within(&mut self, max: usize) -> bool {
        let fits = self.length + self.record.as_slice().len() + self.record.len() <= max;
        if fits {
            self.end();
        } else {
            self.record.clear();
        }
        fits
    }

    /// The file.
    pub fn into_bytes(self) -> Vec<u8> {
        self.csv.into_inner().unwrap_or_else(|error| {
            unreachable!("writing to memory failed: {}", error.error()) // Vec's Write never fails
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &[u8]) -> Vec<(usize, Vec<Vec<u8>>, Vec<u8>)> {
        let (mut reader, mut lines) = (Reader::new(text), Vec::new());
        while let Some(line) = reader.line() {
            let fields = line.fields().map(<[u8]>::to_vec).collect();
            lines.push((line.number, fields, line.bytes.to_vec()));
        }
        lines
    }

    /// Splitting by hand: what the reader must come to.
    fn split(text: &[u8]) -> Vec<(usize, Vec<Vec<u8>>, Vec<u8>)> {
        let mut text = text;
        while let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) {
            text = rest;
        }
        if text.is_empty() {
            return Vec::new();
        }
        let fields = |line: &[u8]| line.split(|b| *b == TAB).map(<[u8]>::to_vec).collect();
        let body = text.strip_suffix(b"\n").unwrap_or(text);
        let lines = body.split(|byte| *byte == LF).enumerate();
        lines.map(|(index, line)| (index + 1, fields(line), line.to_vec())).collect()
    }

    #[test]
    fn a_carriage_return_and_quotes_are_bytes_of_a_field_and_blank_lines_count() {
        let text = b"\n\"a\tb\"\r\n\n\n#c\t\n'\r\t\"\"";
        assert_eq!(lines(text), split(text));
        let (read, bad) = records(text, |line| line.exactly::<2>().map(|[first, _]| first.len()));
        assert_eq!((read, bad), (vec![2, 2], vec![]));
        let (read, bad) = records(text, |line| line.exactly::<3>().map(|_| ()));
        assert_eq!((read, bad), (vec![], vec![2, 6]));
    }

    #[test]
    fn no_line_makes_the_file_longer_than_it_may_be() {
        let mut writer = Writer::with_columns(&["# a", "b"]);
        assert!(writer.first(b"12").text(b"34").end_within(12));
        assert!(!writer.first(b"12").text(b"34").end_within(17));
        assert!(writer.first(b"1").text(b"34").end_within(17));
        assert_eq!(writer.into_bytes(), b"# a\tb\n12\t34\n1\t34\n");
    }

    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        let common = prop_oneof![Just(TAB), Just(LF), Just(b'\r'), Just(b'"'), Just(b'#')];
        proptest::collection::vec(prop_oneof![common, Just(b'-'), any::<u8>()], 0..30)
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_if_it_were_split_by_hand(text in any_bytes()) {
            prop_assert_eq!(lines(&text), split(&text));
        }

        #[test]
        fn any_fields_come_back(
            all in proptest::collection::vec(
                (any_bytes(), any_bytes(), proptest::option::of(any_bytes())), 0..5,
            ),
        ) {
            let mut writer = Writer::default();
            for (first, text, last) in &all {
                writer.first(first).text(text).optional(last.as_deref()).end();
            }
            let (read, bad) = records(&writer.into_bytes(), |line| {
                let [first, text, last] = line.exactly()?;
                Some((unescape(first)?, unescape(text)?, optional(last)?))
            });
            prop_assert_eq!((read, bad), (all, vec![]));
        }
    }
}
