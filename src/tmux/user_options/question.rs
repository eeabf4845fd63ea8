//! Asking a server for the options of sessions, windows and panes, and reading what it printed (pure).
//!
//! No format lists options, so each is asked for those of one, and a mark is printed behind the answer. A client in
//! control mode would be said where each answer ends, for less than half of that; but if a client in control mode is
//! killed while it connects, tmux 3.3a and 3.5a crash (measured), with every session of the user. A client of a save may
//! be killed at any moment. The server's own loops write the commands.

use super::{MAX_OPTIONS, Owner, UserOption, is_kept};
use crate::tmux::dialect::{Dialect, PROBE};
use crate::tmux::escape::unvis;
use crate::tmux::hooks::unhooked;
use std::collections::BTreeMap;

/// Whose options are asked for: the number of a session's id, or of a pane's id; a window is named by one of its
/// panes.
pub type Key = (Owner, u32);

/// Most keys that are asked for by themselves; of more, all are asked for.
pub const MAX_KEYS: usize = 150;
/// Most keys that fit into the words of a client, which say them twice.
pub(in crate::tmux) const AT_ONCE: usize = 50;

/// The words of the commands that make a server print the options of all sessions, windows and panes; a window is
/// named by its active pane. `nonce` is 32 random hexadecimal digits.
pub(in crate::tmux) fn question(nonce: &str) -> Vec<String> {
    // Ids alone are expanded, which hold nothing of the user's.
    let write = |owner: Owner, id: &str| {
        let key = format!("{}#{{s/^.//:{id}}}", owner.letter_char());
        show_and_mark(owner, &format!("#{{{id}}}"), nonce, &key)
    };
    let pane = write(Owner::Pane, "pane_id");
    let window = write(Owner::Window, "pane_id");
    let session = write(Owner::Session, "session_id");
    words(nonce, &format!("#{{S:#{{W:#{{P:{pane}}}{window}}}{session}}}"))
}

/// As [`question`], for at most [`AT_ONCE`] of them. What is no longer there is not answered.
pub(in crate::tmux) fn question_of(nonce: &str, keys: &[Key]) -> Vec<String> {
    let asked = |&key: &Key| show_and_mark(key.0, &id(key), nonce, &letter_and_number(key));
    words(nonce, &keys.iter().map(asked).collect::<String>())
}

/// `s1`, `w2`, `p2`
pub(super) fn letter_and_number((owner, number): Key) -> String {
    format!("{}{number}", owner.letter_char())
}

fn words(nonce: &str, asked: &str) -> Vec<String> {
    let print = |text: &str| format!("list-command -F \"{nonce} {text}\" display-message\n");
    let commands = [&print("begin"), asked, &print("end")].concat();
    // What hooks of the user's print would be taken for options, and no format tells of all hooks.
    let run = unhooked::run_format_as_hook(&commands);
    let probe = unhooked::print(PROBE).map(str::to_owned);
    probe.into_iter().chain([";".to_owned()]).chain(run).collect()
}

/// `$1` of a session, `%2` of a pane and of the window of a pane.
fn id((owner, number): Key) -> String {
    let mark = if owner == Owner::Session { '$' } else { '%' };
    format!("{mark}{number}")
}

/// The command that prints the options of one.
pub(super) fn show(key: Key) -> String {
    show_id(key.0, &id(key)) + "\n"
}

/// That, and then its key behind the nonce; if it is gone, neither. A line of its own, since the others of a line do not
/// run if one fails. Not the id itself: tmux would take the `%` of a pane's for a format of the time.
fn show_and_mark(owner: Owner, id: &str, nonce: &str, key: &str) -> String {
    let show = show_id(owner, id);
    format!("{show} ; list-command -F \"{nonce} {key}\" display-message\n")
}

fn show_id(owner: Owner, id: &str) -> String {
    let flag = owner.flag().trim_start_matches('-');
    let end = if owner == Owner::Session { ":" } else { "" };
    format!("show-option -q{flag} -t {id}{end}")
}

/// What a server printed for a question: of all that it found, also if that has no options.
pub type Answer = BTreeMap<Key, Vec<UserOption>>;

/// Reads what a server printed; `names` are the patterns of the options that are kept. `None` if it is no complete
/// answer.
pub(in crate::tmux) fn parse(text: &[u8], nonce: &str, names: &[String]) -> Option<Answer> {
    let mut lines = text.split(|&byte| byte == b'\n');
    let dialect = lines.next().and_then(Dialect::of)?;
    let mut answer = Answer::new();
    let mut options = Vec::new();
    let begin = [nonce.as_bytes(), b" begin"].concat();
    for line in lines.skip_while(|line| *line != begin).skip(1) {
        let mark = line.strip_prefix(nonce.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
        match mark {
            Some(b"end") => return Some(answer),
            Some(key) => {
                options.truncate(MAX_OPTIONS);
                answer.insert(parse_key(key)?, std::mem::take(&mut options));
            }
            None => options.extend(option(line, dialect, names)),
        }
    }
    None
}

/// Reads [`letter_and_number`].
pub(super) fn parse_key(key: &[u8]) -> Option<Key> {
    let (letter, number) = key.split_first()?;
    Some((Owner::parse(*letter)?, std::str::from_utf8(number).ok()?.parse().ok()?))
}

/// An option that is kept, of a line of `show-options`.
pub(super) fn option(line: &[u8], dialect: Dialect, names: &[String]) -> Option<UserOption> {
    let space = line.iter().position(|&byte| byte == b' ')?;
    let (name, value) = (&line[..space], argument(&line[space + 1..], dialect));
    is_kept(name, &value, names).then(|| (name.to_vec(), value))
}

/// A value as `show-options` prints it, which could be read as an argument in a configuration: bare,
/// quoted or with a backslash before special characters.
fn argument(printed: &[u8], dialect: Dialect) -> Vec<u8> {
    let printed = dialect.without_dollars(printed);
    let inside = match &printed[..] {
        [b'"', inside @ .., b'"'] | [b'\'', inside @ .., b'\''] => inside,
        bare => bare,
    };
    unvis(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        b"\x1f$A\n@of_a_hook x\nN begin\n@role builder\n@persist-restored x\nN p3\n\
        pane-border-format \"#P #T\"\n@note \"a \\\"b\\\" \\$HOME \\\\ c\\n\"\nN w3\n\
        status-style bg=red\nstatus-left \"#(x)\"\n@q ''\nN s1\nN p5\nN end\n";

    fn all() -> Vec<String> {
        vec!["*".to_owned()]
    }

    #[test]
    fn what_a_server_prints_is_read_by_owner() {
        let option = |name: &str, value: &str| (name.into(), value.into());
        let expected = Answer::from([
            ((Owner::Pane, 3), vec![option("@role", "builder")]),
            (
                (Owner::Window, 3),
                vec![
                    option("pane-border-format", "#P #T"),
                    option("@note", "a \"b\" $HOME \\ c\n"),
                ],
            ),
            ((Owner::Session, 1), vec![option("status-style", "bg=red"), option("@q", "")]),
            ((Owner::Pane, 5), vec![]),
        ]);
        assert_eq!(parse(TEXT, "N", &all()), Some(expected));
    }

    #[test]
    fn an_answer_that_is_cut_short_is_none() {
        for length in 0..TEXT.len() - 1 {
            assert_eq!(parse(&TEXT[..length], "N", &all()), None, "{length}");
        }
    }

    #[test]
    fn the_longest_question_fits_into_the_words_of_a_client() {
        let keys = vec![(Owner::Window, 4_000_000); AT_ONCE];
        let words = question_of(&"0".repeat(32), &keys);
        assert!(words.iter().map(|word| word.len() + 1).sum::<usize>() < 15_500);
    }
}
