//! Text to a roster, or to everything that is wrong with it.

use super::fields::Fields;
use super::row::Roster;
use super::rules;
use crate::yaml::problem::{MOST, Place, Problem, meant, quoted};
use crate::yaml::tree::{self, Node, Value};
use std::collections::BTreeMap;
use std::ops::Range;

/// A roster with the places of its rows.
#[derive(Debug, Default)]
pub struct Document {
    /// What the text says.
    pub roster: Roster,
    pub(super) rows: BTreeMap<String, RowPlace>,
    pub(super) users: Users,
}

/// Where a row stands.
#[derive(Debug)]
pub(super) struct RowPlace {
    /// Of its key.
    pub(super) place: Place,
    /// From its key to the end of its last value.
    pub(super) span: Range<usize>,
}

/// How the table of users is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Users {
    /// There is no key `users`.
    #[default]
    Absent,
    /// The key is there, with nothing or `{}` at these bytes.
    Empty(Range<usize>),
    /// One row below the other.
    Block,
    /// In braces.
    Flow,
}

impl Document {
    /// Where a user's row begins.
    pub fn place(&self, user: &str) -> Option<Place> {
        self.rows.get(user).map(|row| row.place)
    }

    /// Whether the text has a key `users`.
    pub fn has_users(&self) -> bool {
        self.users != Users::Absent
    }
}

/// Reads a roster. All problems are reported at once, in the order of their places.
pub fn parse(bytes: &[u8]) -> Result<Document, Vec<Problem>> {
    let start = Place { line: 1, column: 1 };
    if bytes.len() as u64 > tree::MAX_SIZE {
        let what = format!("the file is larger than {} bytes", tree::MAX_SIZE);
        return Err(vec![Problem::new(start, what, "is it a roster?")]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = good.matches('\n').count() + 1;
        let column = good.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        vec![Problem::new(Place { line, column }, "not UTF-8", "save the file as UTF-8")]
    })?;
    let mut problems = Vec::new();
    let document = match tree::read(text, &mut problems) {
        Ok(Some(root)) => top(&root, &mut problems),
        Ok(None) => Document::default(),
        Err(problem) => {
            problems.push(problem);
            Document::default()
        }
    };
    problems.extend(super::validate::unique(&document));
    problems.sort();
    problems.dedup();
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}

fn top(root: &Node, problems: &mut Vec<Problem>) -> Document {
    let mut document = Document::default();
    if root.is_null() {
        return document;
    }
    let Value::Mapping { entries, .. } = &root.value else {
        let what = format!("expected the table 'users:', found {}", root.kind());
        problems.push(Problem::new(root.place, what, "begin with a line 'users:'"));
        return document;
    };
    for (key, value) in entries {
        let name = word(key);
        if name != "users" {
            let what = format!("unknown field {}", quoted(name));
            problems.push(Problem::new(key.place, what, meant(name, &["users"])));
        } else if value.is_null() {
            document.users = Users::Empty(value.span.clone());
        } else if let Value::Mapping { entries, flow } = &value.value {
            document.users = match (entries.is_empty(), flow) {
                (true, _) => Users::Empty(value.span.clone()),
                (false, true) => Users::Flow,
                (false, false) => Users::Block,
            };
            for (key, value) in entries {
                if problems.len() >= MOST {
                    break;
                }
                add_row(&mut document, key, value, problems);
            }
        } else {
            let what = format!("expected a table of users, found {}", value.kind());
            problems.push(Problem::new(value.place, what, "a row is 'name: {...}'"));
        }
    }
    document
}

/// A key's text: the tree holds only words as keys.
pub(super) fn word(key: &Node) -> &str {
    match &key.value {
        Value::Scalar { text, .. } => text,
        Value::Sequence(_) | Value::Mapping { .. } => "",
    }
}

fn add_row(document: &mut Document, key: &Node, value: &Node, problems: &mut Vec<Problem>) {
    let mut fields = Fields { problems, key, row: value };
    let Some(user) = fields.text(key, "user name") else { return };
    fields.obey(key, rules::user_name(&user));
    let Some(row) = fields.read() else { return };
    let span = key.span.start..value.span.end.max(key.span.end);
    document.rows.entry(user.clone()).or_insert(RowPlace { place: key.place, span });
    document.roster.users.entry(user).or_insert(row);
}
