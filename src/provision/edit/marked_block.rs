//! Managed text in a file of a user's or of a package's, every other byte of which is kept (pure).
//!
//! It is a marked block, or the whole file as long as that has our header.

/// The first line of a file that is managed as a whole.
pub const HEADER: &str =
    "<!-- terminal-lobby: generated, do not edit; without this line the file is yours -->";
/// The line before managed text in a user's file.
pub const BEGIN: &str = "<!-- terminal-lobby: begin, do not edit down to the end -->";
/// The line after it.
pub const END: &str = "<!-- terminal-lobby: end -->";

/// The marks of managed text, each a line of its own.
#[derive(Debug)]
pub struct Marks {
    /// Of a file that is managed as a whole; without one it always is a block.
    header: Option<&'static str>,
    begin: &'static str,
    end: &'static str,
}

/// Those in instructions for agents.
pub const MARKDOWN: Marks = Marks { header: Some(HEADER), begin: BEGIN, end: END };
/// Those in files whose comments begin with `#`.
pub const SHELL: Marks = Marks {
    header: None,
    begin: "# terminal-lobby: begin, do not edit down to the end",
    end: "# terminal-lobby: end",
};

/// The managed text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManagedText<'a> {
    Absent,
    /// The text without its marks.
    Present(&'a [u8]),
}

/// Why a file or a text cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    #[error("the marks of its managed text do not form one block")]
    Marks,
    #[error("empty text")]
    Empty,
    #[error("no line feed at its end")]
    NoLineFeed,
    #[error("it contains a line that marks managed text")]
    MarkInText,
}

/// Where the managed text is.
enum Place {
    Nowhere,
    Whole(usize),
    Between(usize, usize),
}

impl Marks {
    /// Finds the managed text.
    ///
    /// # Errors
    /// The marks do not form one block: it is unclear which lines are the user's.
    pub fn find<'a>(&self, file: &'a [u8]) -> Result<ManagedText<'a>, BlockError> {
        Ok(match self.place(file)? {
            Place::Nowhere => ManagedText::Absent,
            Place::Whole(start) => ManagedText::Present(&file[start..]),
            Place::Between(start, end) => ManagedText::Present(&file[start..end]),
        })
    }

    /// The file with the managed text `text` (which ends with a line feed): where the present one is; else
    /// as the whole file if it is absent or empty; else in a block at the end.
    pub fn set(&self, file: Option<&[u8]>, text: &[u8]) -> Result<Vec<u8>, BlockError> {
        self.check(text)?;
        let Some(file) = file.filter(|file| !file.is_empty()) else {
            return Ok(match self.header {
                Some(header) => [header.as_bytes(), b"\n", text].concat(),
                None => self.block(text),
            });
        };
        Ok(match self.place(file)? {
            Place::Whole(start) => [&file[..start], text].concat(),
            Place::Between(start, end) => [&file[..start], text, &file[end..]].concat(),
            Place::Nowhere => {
                let gap: &[u8] = if file.ends_with(b"\n") { b"\n" } else { b"\n\n" };
                [file, gap, &self.block(text)].concat()
            }
        })
    }

    /// Checks that a text can be managed.
    pub fn check(&self, text: &[u8]) -> Result<(), BlockError> {
        if text.trim_ascii().is_empty() {
            return Err(BlockError::Empty);
        }
        if !text.ends_with(b"\n") {
            return Err(BlockError::NoLineFeed);
        }
        let marks = [self.header.unwrap_or(self.begin), self.begin, self.end];
        let is_mark = |line: &[u8]| marks.iter().any(|mark| line == mark.as_bytes());
        if lines(text).any(|(_, line)| is_mark(line)) {
            return Err(BlockError::MarkInText);
        }
        Ok(())
    }

    fn block(&self, text: &[u8]) -> Vec<u8> {
        [self.begin.as_bytes(), b"\n", text, self.end.as_bytes(), b"\n"].concat()
    }

    /// The file without the managed text; the marks stay.
    ///
    /// # Errors
    /// As [`Marks::find`].
    pub fn outside(&self, file: &[u8]) -> Result<Vec<u8>, BlockError> {
        Ok(match self.place(file)? {
            Place::Nowhere => file.to_vec(),
            Place::Whole(start) => file[..start].to_vec(),
            Place::Between(start, end) => [&file[..start], &file[end..]].concat(),
        })
    }

    fn place(&self, file: &[u8]) -> Result<Place, BlockError> {
        let starts_of = |mark: &str| -> Vec<usize> {
            lines(file)
                .filter(|(_, line)| *line == mark.as_bytes())
                .map(|(start, _)| start)
                .collect()
        };
        let after = |start: usize| file.len().min(next_line(file, start));
        let headers = self.header.map(starts_of).unwrap_or_default();
        let (begins, ends) = (starts_of(self.begin), starts_of(self.end));
        match (&headers[..], &begins[..], &ends[..]) {
            ([], [], []) => Ok(Place::Nowhere),
            ([0], [], []) if file.contains(&b'\n') => Ok(Place::Whole(after(0))),
            ([], [begin], [end]) if begin < end => Ok(Place::Between(after(*begin), *end)),
            _ => Err(BlockError::Marks),
        }
    }
}

/// The lines without their ends, each with its offset.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= text.len() {
            return None;
        }
        let (from, next) = (start, next_line(text, start));
        start = next;
        let line = text[from..next].strip_suffix(b"\n").unwrap_or(&text[from..next]);
        Some((from, line.strip_suffix(b"\r").unwrap_or(line)))
    })
}

fn next_line(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| from + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_goes_where_it_was_or_to_the_end_and_invalid_marks_are_left_alone() {
        let whole = format!("{HEADER}\nnew\n");
        let block = format!("{BEGIN}\nnew\n{END}\n");
        for (file, wanted) in [
            (None, Some(whole.clone())),
            (Some(String::new()), Some(whole.clone())),
            (Some(format!("{HEADER}\nold\n")), Some(whole.clone())),
            (Some(HEADER.to_owned()), None), // its only line has no end
            (Some("mine".to_owned()), Some(format!("mine\n\n{block}"))),
            (Some("mine\n".to_owned()), Some(format!("mine\n\n{block}"))),
            (Some(format!("a\n{BEGIN}\nx\ny\n{END}\nb")), Some(format!("a\n{block}b"))),
            (Some(format!("{BEGIN}\n{END}")), Some(format!("{BEGIN}\nnew\n{END}"))),
            (
                Some(format!("{BEGIN}\r\nx\r\n{END}\r\n")),
                Some(format!("{BEGIN}\r\nnew\n{END}\r\n")),
            ),
            (Some(format!("{BEGIN}\nx\n")), None),
            (Some(format!("{END}\n{BEGIN}\n")), None),
            (Some(format!("{BEGIN}\n{BEGIN}\n{END}\n")), None),
            (Some(format!("mine\n{HEADER}\nx\n")), None),
            (Some(format!("{HEADER}\n{BEGIN}\nx\n{END}\n")), None),
        ] {
            let found = MARKDOWN.set(file.as_deref().map(str::as_bytes), b"new\n");
            let found = found.ok().map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(found, wanted, "{file:?}");
        }
        // One without a header never takes a whole file.
        let block =
            "# terminal-lobby: begin, do not edit down to the end\nnew\n# terminal-lobby: end\n";
        for (file, wanted) in [(None, block.to_owned()), (Some("A=1\n"), format!("A=1\n\n{block}"))]
        {
            let found = SHELL.set(file.map(str::as_bytes), b"new\n").unwrap();
            assert_eq!(String::from_utf8(found.clone()).unwrap(), wanted);
            assert_eq!(SHELL.set(Some(&found), b"new\n").unwrap(), found);
            assert!(!SHELL.outside(&found).unwrap().windows(3).any(|bytes| bytes == b"new"));
        }
        for text in ["", " \n", "no end", &format!("x\n{END}\n")] {
            assert!(MARKDOWN.set(None, text.as_bytes()).is_err(), "{text:?}");
        }
    }

    fn files() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(format!("{HEADER}\n").into_bytes()),
            Just(format!("{BEGIN}\n").into_bytes()),
            Just(format!("{END}\n").into_bytes()),
            Just(END.as_bytes().to_vec()),
            proptest::collection::vec(any::<u8>(), 0..12),
            Just(b"\r\n".to_vec()),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_set_is_found_again_and_what_is_around_it_stays(file in files()) {
            let Ok(once) = MARKDOWN.set(Some(&file), b"new\n") else { return Ok(()) };
            prop_assert_eq!(MARKDOWN.find(&once), Ok(ManagedText::Present(b"new\n")));
            prop_assert_eq!(MARKDOWN.set(Some(&once), b"new\n"), Ok(once.clone()));
            if file.is_empty() { return Ok(()) }
            let (before, after) = match MARKDOWN.find(&file) {
                Ok(ManagedText::Present(text)) => {
                    let start = text.as_ptr() as usize - file.as_ptr() as usize;
                    (&file[..start], &file[start + text.len()..])
                }
                _ => (&file[..], &b""[..]),
            };
            prop_assert!(once.starts_with(before) && once.ends_with(after));
        }
    }
}
