//! Options that are asked for in passing, with the one question of a save (pure): whether those of some sessions, windows
//! and panes are what they were.
//!
//! A mark between two answers costs as much as an answer. So marks are only around what is known to have options; of all others the answer
//! is expected to be empty. An answer that is not as expected says no more than that: the options are asked for by
//! [`super::question_of`] then.

use super::question::{Key, MAX_KEYS, letter_and_number, option, parse_key, show};
use super::{MAX_OPTIONS, UserOption};
use crate::tmux::dialect::Dialect;
use crate::tmux::hooks::unhooked;

/// What is between two groups in a record.
const SEPARATOR: &str = "|";
/// Behind the nonce, before the answers.
const BEGIN: &str = "options";

/// Keys in the order in which they are asked for, in groups; each group has one answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups(Vec<Vec<Key>>);

/// The options of each group.
pub type GroupAnswers = Vec<Vec<UserOption>>;

impl Groups {
    /// Groups keys; each is given with whether it has options.
    pub fn of(keys: impl Iterator<Item = (Key, bool)>) -> Self {
        let mut groups: Vec<Vec<Key>> = Vec::new();
        let mut is_last_alone = true;
        for (key, has_options) in keys {
            match groups.last_mut().filter(|_| !is_last_alone && !has_options) {
                Some(group) => group.push(key),
                None => groups.push(vec![key]),
            }
            is_last_alone = has_options;
        }
        Self(groups)
    }

    /// Reads a record; `None` if it is invalid.
    pub fn parse(record: &str) -> Option<Self> {
        let mut groups = vec![Vec::new()];
        for word in record.split_ascii_whitespace() {
            if word == SEPARATOR {
                groups.push(Vec::new());
            } else {
                groups.last_mut()?.push(parse_key(word.as_bytes())?);
            }
        }
        let count: usize = groups.iter().map(Vec::len).sum();
        let is_valid = count <= MAX_KEYS && groups.iter().all(|group| !group.is_empty());
        is_valid.then_some(Self(groups))
    }

    /// Writes a record: `p1 w1 | s2 | p3`.
    pub fn encode(&self) -> String {
        let group = |group: &Vec<Key>| {
            group.iter().map(|key| letter_and_number(*key)).collect::<Vec<_>>().join(" ")
        };
        let groups = self.0.iter().map(group);
        groups.collect::<Vec<_>>().join(&format!(" {SEPARATOR} "))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The groups.
    pub fn iter(&self) -> impl Iterator<Item = &[Key]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// The words of commands that make a server print the options of all keys.
    pub(in crate::tmux) fn words(&self, nonce: &str) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        let mark = format!("list-command -F {nonce} display-message\n");
        let group =
            |group: &Vec<Key>| group.iter().map(|key| show(*key)).collect::<Vec<_>>().concat();
        let commands = self.0.iter().map(group).collect::<Vec<_>>().join(&mark);
        let begin = unhooked::print(&format!("{nonce}{BEGIN}")).map(str::to_owned);
        let run = unhooked::run(&commands, &["after-show-options"]);
        begin.into_iter().chain([";".to_owned()]).chain(run).collect()
    }

    /// Reads what a server printed for [`Groups::words`], without the first line; `None` if it is no complete answer.
    pub(in crate::tmux) fn answers(
        &self,
        text: &[u8],
        nonce: &str,
        dialect: Dialect,
        names: &[String],
    ) -> Option<GroupAnswers> {
        let mut answers = vec![Vec::new()];
        for line in text.split(|&byte| byte == b'\n') {
            if line == nonce.as_bytes() {
                answers.push(Vec::new());
            } else if let Some(option) = option(line, dialect, names) {
                answers.last_mut()?.push(option);
            }
        }
        for options in &mut answers {
            options.truncate(MAX_OPTIONS);
        }
        (answers.len() == self.0.len()).then_some(answers)
    }
}

/// Splits a server's whole answer where that about groups begins, which is behind the line that says so.
pub(in crate::tmux) fn split<'a>(answer: &'a [u8], nonce: &str) -> (&'a [u8], Option<&'a [u8]>) {
    let begin = format!("{nonce}{BEGIN}\n");
    match memchr::memmem::rfind(answer, begin.as_bytes()) {
        Some(at) => (&answer[..at], Some(&answer[at + begin.len()..])),
        None => (answer, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Owner;
    use super::*;

    fn groups() -> Groups {
        let keys = [
            ((Owner::Session, 1), false),
            ((Owner::Window, 2), false),
            ((Owner::Pane, 3), true),
            ((Owner::Pane, 4), true),
            ((Owner::Pane, 5), false),
            ((Owner::Pane, 6), false),
        ];
        Groups::of(keys.into_iter())
    }

    #[test]
    fn what_has_options_is_alone_and_a_record_is_read_as_it_was_written() {
        assert_eq!(groups().encode(), "s1 w2 | p3 | p4 | p5 p6");
        assert_eq!(Groups::parse("s1 w2 | p3 | p4 | p5 p6"), Some(groups()));
        for invalid in ["", "| p1", "p1 |", "p1 | | p2", "x1", "p", "p-1", "%1", "p1|p2"] {
            assert_eq!(Groups::parse(invalid), None, "{invalid:?}");
        }
        assert_eq!(Groups::parse(&"p1 ".repeat(MAX_KEYS + 1)), None);
    }

    #[test]
    fn each_group_has_the_options_between_its_marks() {
        let answers =
            |text: &str| groups().answers(text.as_bytes(), "N", Dialect::Raw, &["*".to_owned()]);
        let option = |name: &str, value: &str| (name.into(), value.into());
        let expected =
            vec![vec![], vec![option("@role", "a")], vec![option("@role", "b c")], vec![]];
        let text = "mode-keys vi\nN\n@role a\nN\n@role \"b c\"\n@persist-restored x\nN\n";
        assert_eq!(answers(text), Some(expected));
        assert_eq!(answers("N\n@role a\nN\n"), None);
        assert_eq!(answers("N\nN\nN\nN\n"), None);
        assert_eq!(answers(""), None);
    }

    #[test]
    fn the_answer_is_split_off_at_its_first_line() {
        assert_eq!(split(b"x\nNoptions\na\n", "N"), (&b"x\n"[..], Some(&b"a\n"[..])));
        assert_eq!(split(b"x\nNend\n", "N"), (&b"x\nNend\n"[..], None));
        assert!(Groups::default().words("N").is_empty());
    }
}
