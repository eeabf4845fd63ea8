//! Edits the text of a roster and keeps every other byte: adds rows, or comments them out (pure).
//!
//! The result is parsed again and compared with the intended roster; if they differ, there is no edit. So
//! a form of YAML that is not supported here is left to a person, never damaged.

use super::document::{Document, Users};
use super::parse::parse_ignoring;
use super::row::{Layout, Row};
use crate::yaml::problem::{Problem, quoted};
use crate::yaml::scalar::write;
use std::collections::BTreeMap;
use std::ops::Range;

/// The rows to change.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Rows to add, by user.
    pub add: BTreeMap<String, Row>,
    /// Users whose rows to comment out, each with the note above the row.
    pub comment_out: BTreeMap<String, String>,
}

/// Why there is no edit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("the roster is invalid")]
    Invalid(Vec<Problem>),
    /// The edit cannot be done line by line.
    #[error("line {line}: {why}")]
    Form { line: usize, why: String },
    /// The result differs from the intended roster.
    #[error("the edited roster would differ from the intended one")]
    Differs,
}

impl EditError {
    /// What the caller can do instead.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Invalid(_) => None,
            Self::Form { .. } | Self::Differs => Some("edit the roster by hand"),
        }
    }
}

/// Edits the text of a roster.
pub fn edit(text: &[u8], edit: &Edit) -> Result<Vec<u8>, EditError> {
    edit_ignoring(text, edit, &[])
}

/// As [`edit`], of a roster with fields that are passed over.
pub fn edit_ignoring(text: &[u8], edit: &Edit, ignored: &[String]) -> Result<Vec<u8>, EditError> {
    let document = parse_ignoring(text, ignored).map_err(EditError::Invalid)?;
    let mut intended = document.roster.clone();
    for user in edit.comment_out.keys() {
        if intended.users.remove(user).is_none() {
            let why = format!("no row of {}", quoted(user));
            return Err(EditError::Form { line: 1, why });
        }
    }
    for (user, row) in &edit.add {
        if intended.users.insert(user.clone(), row.clone()).is_some() {
            let why = format!("a row of {} exists already", quoted(user));
            return Err(EditError::Form { line: 1, why });
        }
    }
    let mut patches = Patches { text, patches: Vec::new() };
    if document.users == Users::Flow {
        let line = document.rows.values().map(|row| row.place.line).min().unwrap_or(1);
        let why = "the users are in braces, not one below the other".to_owned();
        return Err(EditError::Form { line, why });
    }
    for (user, note) in &edit.comment_out {
        patches.comment_out(&document, user, note)?;
    }
    if !edit.add.is_empty() {
        patches.add(&document, &edit.add);
    }
    let edited = patches.apply();
    match parse_ignoring(&edited, ignored) {
        Ok(read) if read.roster == intended => Ok(edited),
        _ => Err(EditError::Differs),
    }
}

/// Replacements of ranges of a text, most of them empty ranges.
struct Patches<'a> {
    text: &'a [u8],
    patches: Vec<(Range<usize>, String)>,
}

impl Patches<'_> {
    fn comment_out(
        &mut self,
        document: &Document,
        user: &str,
        note: &str,
    ) -> Result<(), EditError> {
        let Some(row) = document.rows.get(user) else { return Ok(()) };
        let refuse = |why: &str| EditError::Form { line: row.place.line, why: why.to_owned() };
        if !note.chars().all(|c| c.escape_debug().len() == 1 || "'\"\\".contains(c)) {
            return Err(refuse("the note contains control characters"));
        }
        let first = self.line_start(row.span.start);
        let indent = row.span.start - first;
        if self.text[first..row.span.start].iter().any(|byte| *byte != b' ') {
            return Err(refuse("there is text before the row"));
        }
        let margin = " ".repeat(indent);
        self.insert(first, format!("{margin}# {note}{}", self.line_end()));
        let written = self.text[row.span.clone()].trim_ascii_end().len();
        let end = row.span.start + written;
        let mut line = first;
        while line < end {
            let rest = &self.text[line..];
            let length =
                rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
            let spaces = rest[..length].iter().take(indent).take_while(|byte| **byte == b' ');
            let at = line + spaces.count();
            let blank = self.text[line..line + length].trim_ascii().is_empty();
            self.insert(at, if blank { "#" } else { "# " }.to_owned());
            line += length;
        }
        Ok(())
    }

    fn add(&mut self, document: &Document, rows: &BTreeMap<String, Row>) {
        let line_end = self.line_end();
        let last = document.rows.values().max_by_key(|row| row.span.end);
        let (after, margin, header) = match (&document.users, last) {
            (_, Some(row)) => {
                let written = self.text[row.span.clone()].trim_ascii_end().len();
                let indent = row.span.start - self.line_start(row.span.start);
                (row.span.start + written, " ".repeat(indent), String::new())
            }
            (Users::Empty(nothing), None) => {
                self.remove_nothing(nothing.clone());
                (nothing.end, "  ".to_owned(), String::new())
            }
            _ => (self.text.len(), "  ".to_owned(), format!("users:{line_end}")),
        };
        let rest = &self.text[after..];
        let line = rest.iter().position(|byte| *byte == b'\n').map(|at| after + at + 1);
        let at = line.unwrap_or(self.text.len());
        let begun = at > 0 && self.text[at - 1] != b'\n';
        let mut text = if begun { line_end.to_owned() } else { String::new() };
        text.push_str(&header);
        for (user, row) in rows {
            text.extend([&margin, &write(user), ": ", &one_line(row), line_end]);
        }
        self.insert(at, text);
    }

    /// Removes the `{}` or `null` that stands for no users, with the spaces before it.
    fn remove_nothing(&mut self, nothing: Range<usize>) {
        // A comment between the braces is kept: then the result does not parse, and the edit is refused.
        if nothing.is_empty() || self.text[nothing.clone()].contains(&b'#') {
            return;
        }
        let ends_line = self.text.get(nothing.end).is_none_or(|byte| b"\r\n".contains(byte));
        let before = &self.text[..nothing.start];
        let spaces = before.iter().rev().take_while(|byte| **byte == b' ').count();
        let start = nothing.start - if ends_line { spaces } else { 0 };
        self.patches.push((start..nothing.end, String::new()));
    }

    fn insert(&mut self, at: usize, text: String) {
        self.patches.push((at..at, text));
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
    }

    /// The line ending of the first line.
    fn line_end(&self) -> &'static str {
        let first = self.text.iter().position(|byte| *byte == b'\n');
        let carriage = first.is_some_and(|at| at > 0 && self.text[at - 1] == b'\r');
        if carriage { "\r\n" } else { "\n" }
    }

    fn apply(mut self) -> Vec<u8> {
        // Stable: insertions at one place keep their order.
        self.patches.sort_by_key(|(range, _)| range.start);
        let (mut edited, mut at) = (Vec::with_capacity(self.text.len() + 256), 0);
        for (range, text) in &self.patches {
            edited.extend(&self.text[at..range.start.max(at)]);
            edited.extend(text.as_bytes());
            at = range.end.max(at);
        }
        edited.extend(&self.text[at..]);
        edited
    }
}

/// A row in braces, without default values.
fn one_line(row: &Row) -> String {
    let list = |names: &[String]| {
        format!("[{}]", names.iter().map(|name| write(name)).collect::<Vec<_>>().join(", "))
    };
    let mut fields = vec![
        format!("authentik_user: {}", write(&row.authentik_user)),
        format!("k8s_user: {}", write(&row.k8s_user)),
        format!("tier: {}", row.tier.name()),
    ];
    if !row.namespaces.is_empty() {
        fields.push(format!("namespaces: {}", list(&row.namespaces)));
    }
    if row.code_layout != Layout::default() {
        fields.push(format!("code_layout: {}", row.code_layout.name()));
    }
    if !row.repos.is_empty() {
        fields.push(format!("repos: {}", list(&row.repos)));
    }
    if row.parked {
        fields.push("parked: true".to_owned());
    }
    format!("{{{}}}", fields.join(", "))
}
