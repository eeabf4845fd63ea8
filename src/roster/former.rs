//! Rows that are commented out: former users, who may come back (pure).

use super::parse::parse_ignoring;
use super::row::Row;

/// Maximum number of lines of a row.
const MAX_LINES: usize = 64;
/// Maximum number of comments that are read as rows.
const MAX_ROWS: usize = 10_000;

/// The rows that are commented out in the text of a roster, in their order. A comment that is no row is
/// passed over.
pub fn former_rows(text: &[u8], ignored: &[String]) -> Vec<(String, Row)> {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<Option<&str>> = text.lines().map(comment).collect();
    let mut rows = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(first) = line.filter(|line| begins_row(line)) else { continue };
        let margin = indent(first);
        let rest = lines[at + 1..].iter().take(MAX_LINES).map_while(|line| *line);
        let rest = rest.take_while(|line| line.trim().is_empty() || indent(line) > margin);
        let mut row = "users:".to_owned();
        for line in std::iter::once(first).chain(rest) {
            row.extend(["\n  ", line.get(margin..).unwrap_or_default()]);
        }
        row.push('\n');
        if let Ok(document) = parse_ignoring(row.as_bytes(), ignored)
            && document.roster.users.len() == 1
        {
            rows.extend(document.roster.users);
        }
        if rows.len() >= MAX_ROWS {
            break;
        }
    }
    rows
}

/// What a line holds after its `#` and one blank; `None` if it is no comment.
fn comment(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('#')?;
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether a line may begin a row: `name:`, with something of a row behind it or below.
fn begins_row(line: &str) -> bool {
    let Some((key, value)) = line.trim_start().split_once(':') else { return false };
    let key = key.trim_matches(['\'', '"']);
    let value = value.trim();
    crate::identity::is_user_name(key) && (value.is_empty() || value.starts_with(['{', '#']))
}

#[cfg(test)]
mod tests {
    use super::super::edit::{Edit, edit};
    use super::super::tests::{EXAMPLE, read};
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_row_that_is_commented_out_is_read_again() {
        let before = read(EXAMPLE).roster;
        let notes = before.users.keys().map(|user| (user.clone(), "left 2026-01-01: x: y".into()));
        let edited =
            edit(EXAMPLE.as_bytes(), &Edit { add: BTreeMap::new(), comment_out: notes.collect() });
        let former = former_rows(&edited.unwrap(), &[]);
        assert_eq!(former.into_iter().collect::<BTreeMap<_, _>>(), before.users);
    }

    #[test]
    fn rows_commented_out_by_hand_count_and_other_comments_do_not() {
        let text = "# users: see the wiki\nusers:\n#  a: {authentik_user: a, k8s_user: a, tier: admin}\n  \
            # note: this is a note\n  # b:\n  #   authentik_user: b\n  #   k8s_user: b\n  #   tier: power-user\n\
            \x20 #c: {authentik_user: c, k8s_user: c, tier: nothing}\n  # d: {}\n";
        let former = former_rows(text.as_bytes(), &[]);
        let names: Vec<&str> = former.iter().map(|(user, _)| user.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
