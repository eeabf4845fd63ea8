//! Parses the text of a roster, or reports all that is wrong with it (pure).

use super::document::{Document, RowPlace, Users};
use super::fields::{Fields, word};
use crate::yaml::hidden::hidden;
use crate::yaml::problem::{MOST, Place, Problem, meant, quoted};
use crate::yaml::tree::{self, Node, Value};

/// Reads a roster. All problems are reported at once, in the order of their places.
pub fn parse(bytes: &[u8]) -> Result<Document, Vec<Problem>> {
    parse_ignoring(bytes, &[])
}

/// As [`parse`]; fields of these names are passed over, each with a warning.
pub fn parse_ignoring(bytes: &[u8], ignored: &[String]) -> Result<Document, Vec<Problem>> {
    let start = Place { line: 1, column: 1 };
    if bytes.len() as u64 > tree::MAX_SIZE {
        let what = format!("the file is larger than {} bytes", tree::MAX_SIZE);
        return Err(vec![Problem::new(start, what, "check that it is a roster")]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = good.matches('\n').count() + 1;
        let column = good.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        vec![Problem::new(Place { line, column }, "not UTF-8", "save the file as UTF-8")]
    })?;
    let mut problems = hidden(text);
    if !problems.is_empty() {
        return Err(problems);
    }
    let document = match tree::read(text, &mut problems) {
        Ok(Some(root)) => top(&root, ignored, &mut problems),
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

fn top(root: &Node, ignored: &[String], problems: &mut Vec<Problem>) -> Document {
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
        if name != "users" && ignored.iter().any(|field| field == name) {
            let what = format!("field {} is passed over", quoted(name));
            document.warnings.push(Problem::new(key.place, what, ""));
        } else if name != "users" {
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
                add_row(&mut document, (key, value), ignored, problems);
            }
        } else {
            let what = format!("expected a table of users, found {}", value.kind());
            problems.push(Problem::new(value.place, what, "a row is 'name: {...}'"));
        }
    }
    document
}

fn add_row(
    document: &mut Document,
    (key, value): (&Node, &Node),
    ignored: &[String],
    problems: &mut Vec<Problem>,
) {
    let warnings = &mut document.warnings;
    let mut fields = Fields { problems, warnings, ignored, key, row: value };
    let Some(user) = fields.text(key, "user name") else { return };
    fields.check_user_name(&user);
    let Some(row) = fields.read() else { return };
    let span = key.span.start..value.span.end.max(key.span.end);
    document.rows.entry(user.clone()).or_insert(RowPlace { place: key.place, span });
    document.roster.users.entry(user).or_insert(row);
}
