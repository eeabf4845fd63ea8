//! YAML to a tree whose nodes know where they stand: just the part of YAML that a roster needs.
//!
//! What makes a text mean something else than it shows is refused: anchors and aliases, tags,
//! directives, several documents, keys that are no plain words. Duplicate keys are reported.

use super::problem::{MOST, Place, Problem, quoted};
use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, ScanError, Span, StructureStyle};
use std::collections::HashMap;
use std::ops::Range;

/// Maximum size of a roster, in bytes.
pub const MAX_SIZE: u64 = 1 << 20;
/// A roster nests three deep.
const MAX_DEPTH: usize = 16;

/// A value with its place.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    /// Its bytes; of a block collection from its first to its last child.
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

#[derive(Debug)]
pub(crate) enum Value {
    Scalar { text: String, plain: bool },
    Sequence(Vec<Node>),
    Mapping { entries: Vec<(Node, Node)>, flow: bool },
}

impl Node {
    /// What it is, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar { text, plain } => super::scalar::kind(text, *plain).name(),
            Value::Sequence(_) => "a list",
            Value::Mapping { .. } => "a table",
        }
    }

    /// Whether nothing is written there, or `null`.
    pub(crate) fn is_null(&self) -> bool {
        let Value::Scalar { text, plain } = &self.value else { return false };
        super::scalar::kind(text, *plain) == super::scalar::Kind::Null
    }
}

/// Reads one document; `None` when there is none. Duplicate keys go to `problems`.
pub(crate) fn read(text: &str, problems: &mut Vec<Problem>) -> Result<Option<Node>, Problem> {
    let options: Options = granit_parser::options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        block_nesting_limit: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, problems, path: Vec::new() };
    let mut root = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(root),
            (Event::DocumentStart(..), span) if root.is_some() => {
                let hint = "one roster is one document: remove the '---'";
                return Err(Problem::new(place(span.start), "a second document begins", hint));
            }
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (event, span) => root = Some(reader.node(event, span)?),
        }
    }
}

struct Reader<'a, 'p> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    problems: &'p mut Vec<Problem>,
    /// The keys that lead to where the reader is.
    path: Vec<String>,
}

impl<'a> Reader<'a, '_> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let problem = refusal(&error);
                Err(Problem { what: self.located(problem.what), ..problem })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// A message with the keys that lead there: a journal does not show the file.
    fn located(&self, what: impl Into<String>) -> String {
        let what = what.into();
        if self.path.is_empty() {
            return what;
        }
        format!("{what}, in {}", quoted(&self.path.join(".")))
    }

    /// The node that `event` begins. Recursion ends at [`MAX_DEPTH`], which the parser enforces.
    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, Problem> {
        let at = place(span.start);
        if event.is_alias() || event.anchor_id().is_some() {
            let hint = "write the value out where it is meant";
            let what = self.located("anchors and aliases are not read here");
            return Err(Problem::new(at, what, hint));
        }
        if let Some(tag) = event.tag() {
            let what = format!("tags are not read here: {}", quoted(&tag.original()));
            let what = self.located(what);
            return Err(Problem::new(at, what, "remove the tag"));
        }
        let mut bytes = span.byte_range().unwrap_or_default();
        let value = match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                let text = if plain && bytes.is_empty() { String::new() } else { text.into() };
                Value::Scalar { text, plain }
            }
            Event::SequenceStart(style, ..) => self.sequence(style, &mut bytes)?,
            Event::MappingStart(style, ..) => self.mapping(style, &mut bytes)?,
            other => {
                let what = format!("not what a roster holds: {other:?}");
                return Err(Problem::new(at, what, "see docs/roster.md"));
            }
        };
        Ok(Node { place: at, span: bytes, value })
    }

    fn sequence(
        &mut self,
        style: StructureStyle,
        bytes: &mut Range<usize>,
    ) -> Result<Value, Problem> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                close(bytes, style, &span);
                return Ok(Value::Sequence(items));
            }
            let item = self.node(event, span)?;
            bytes.end = bytes.end.max(item.span.end);
            items.push(item);
        }
    }

    fn mapping(
        &mut self,
        style: StructureStyle,
        bytes: &mut Range<usize>,
    ) -> Result<Value, Problem> {
        let mut entries: Vec<(Node, Node)> = Vec::new();
        let mut first: HashMap<String, Place> = HashMap::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                close(bytes, style, &span);
                let flow = style == StructureStyle::Flow;
                return Ok(Value::Mapping { entries, flow });
            }
            let key = self.node(event, span)?;
            let Value::Scalar { text, .. } = &key.value else {
                let what = self.located(format!("a key is {}", key.kind()));
                return Err(Problem::new(key.place, what, "a key is a word"));
            };
            if let Some(before) = first.insert(text.clone(), key.place)
                && self.problems.len() < MOST
            {
                let what = self.located(format!("duplicate key {}", quoted(text)));
                let hint = format!("it stands in line {}, too: keep one", before.line);
                self.problems.push(Problem::new(key.place, what, hint));
            }
            self.path.push(text.clone());
            let (event, span) = self.next()?;
            let value = self.node(event, span)?;
            self.path.pop();
            bytes.end = bytes.end.max(key.span.end).max(value.span.end);
            entries.push((key, value));
        }
    }
}

/// A flow collection ends with its bracket; of a block collection the parser says where the next
/// thing begins, which is not where it ends.
fn close(bytes: &mut Range<usize>, style: StructureStyle, end: &Span) {
    if style == StructureStyle::Flow {
        bytes.end = end.byte_range().map_or(bytes.end, |range| range.end);
    }
}

fn place(marker: Marker) -> Place {
    Place { line: marker.line().max(1), column: marker.col() + 1 }
}

fn refusal(error: &ScanError) -> Problem {
    use granit_parser::ErrorKind::{
        DirectiveDisallowed, ExpectedBlockMappingKey, MappingValueNotAllowed,
        RecursionLimitExceeded, TabInBlockIndentation, UnclosedFlowCollection, UnexpectedCharacter,
    };
    let (what, hint) = match error.kind() {
        TabInBlockIndentation => ("a tab in the indentation".to_owned(), "indent with spaces"),
        RecursionLimitExceeded => ("nested too deeply".to_owned(), "a roster nests three deep"),
        DirectiveDisallowed => ("directives are not read here".to_owned(), "remove the line"),
        UnclosedFlowCollection { open } => {
            (format!("'{open}' is never closed"), "a row of one line is {key: value, ...}")
        }
        UnexpectedCharacter { character } => {
            let what = format!("unexpected character {}", quoted(&character.to_string()));
            (what, "put the value in quotes")
        }
        ExpectedBlockMappingKey => {
            let what = "expected the next row or field, or the end of the table";
            (what.to_owned(), "is it indented as its neighbours, and is the line before complete?")
        }
        MappingValueNotAllowed => {
            ("a second ': ' in one value".to_owned(), "put the value in quotes")
        }
        _ => (error.info(), "see docs/roster.md for the form of a roster"),
    };
    Problem::new(place(*error.marker()), what, hint)
}
