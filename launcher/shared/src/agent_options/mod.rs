//! The options of an agent's command line (pure): which take values, and which an agent gets again when
//! its conversation is resumed. What names a conversation or is a prompt does not come back.
//!
//! Claude Code reads its arguments as commander.js does, Codex as clap does. The rules for values:
//!
//! | an option that takes | and the words after it |
//! |---|---|
//! | nothing | are not its values |
//! | one value | the next word, whatever it is |
//! | perhaps one | the next word, unless that begins with a dash |
//! | several | the next word, and all up to one that begins with a dash |
//! | unknown: of a newer version | the next word, unless that begins with a dash; if it could be a prompt (it has white space) or an id of a conversation, the option is dropped with it |
//!
//! `--option=value` and `-ovalue` are complete by themselves. Other words, and all after `--`, are
//! prompts, subcommands or ids.

mod agents;
mod further;
mod table;

use std::ops::Range;
use table::{Purpose, Spec, Takes};

/// One option with its values, as words of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    /// Its first name in the table, else the one that was given.
    name: Vec<u8>,
    words: Vec<Vec<u8>>,
    purpose: Purpose,
}

/// The words of the options among `words` (the arguments, without the program) that a resumed `agent`
/// gets again, in their order. With `is_new` the conversation starts anew, so that its name is kept.
///
/// One that is there several times with the same values comes back once: a wrapper that becomes the agent
/// adds its own each time.
///
/// Nothing for an agent whose options are unknown.
pub fn kept(agent: &str, words: &[Vec<u8>], is_new: bool) -> Vec<Vec<u8>> {
    let is_kept = |given: &Given| match given.purpose {
        Purpose::Setting | Purpose::Repeatable => true,
        Purpose::Name => is_new,
        Purpose::Once => false,
    };
    let all: Vec<Given> = given(agent, words).into_iter().filter(is_kept).collect();
    // Of several, the last counts.
    let is_last = |(at, one): &(usize, &Given)| !all[at + 1..].contains(one);
    let last = all.iter().enumerate().filter(is_last);
    last.flat_map(|(_, given)| given.words.clone()).collect()
}

/// The words of the options among `more` that `words` does not set already. Words that are no options
/// stay.
pub fn without_repeats(agent: &str, words: &[Vec<u8>], more: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let Some(specs) = agents::of(agent) else { return more.to_vec() };
    let set = given(agent, words);
    let repeats = |given: &Given| {
        let same = |other: &&Given| other.name == given.name;
        let mut others = set.iter().filter(same);
        match given.purpose {
            Purpose::Repeatable => others.any(|other| other.words == given.words),
            _ => others.next().is_some(),
        }
    };
    let mut left = Vec::new();
    let mut at = 0;
    while at < more.len() {
        let (options, used) = option_at(specs, more, at);
        if options.is_empty() {
            left.extend_from_slice(&more[used.clone()]);
        }
        for option in options.iter().filter(|option| !repeats(option)) {
            left.extend(option.words.iter().cloned());
        }
        at = used.end;
    }
    left
}

/// The words of a command line that are no options of the agent and no values of theirs, in their order:
/// subcommands, prompts.
pub fn operands<'a>(agent: &str, words: &'a [Vec<u8>]) -> Vec<&'a [u8]> {
    let specs = agents::of(agent).unwrap_or_default();
    let mut operands = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if words[at] == b"--" {
            operands.extend(words[at + 1..].iter().map(Vec::as_slice));
            break;
        }
        let (options, used) = option_at(specs, words, at);
        if options.is_empty() {
            operands.push(words[at].as_slice());
        }
        at = used.end;
    }
    operands
}

/// Whether a command line has an option, by the first of its names in the table.
pub fn has(agent: &str, words: &[Vec<u8>], name: &str) -> bool {
    given(agent, words).iter().any(|given| given.name == name.as_bytes())
}

/// The value of an option, by the first of its names in the table: `--name VALUE` or `--name=VALUE`.
pub fn value(agent: &str, words: &[Vec<u8>], name: &str) -> Option<Vec<u8>> {
    let given = given(agent, words).into_iter().find(|given| given.name == name.as_bytes())?;
    match given.words.as_slice() {
        [word] => {
            let equals = word.iter().position(|&byte| byte == b'=')?;
            Some(word[equals + 1..].to_vec())
        }
        words => words.get(1).cloned(),
    }
}

/// Which values an option of an agent takes, as its help shows them: nothing, `<>` for one, `[]` for
/// perhaps one, `...` for several; `None` if the option is unknown.
pub fn values_of(agent: &str, option: &str) -> Option<&'static str> {
    agents::shown(agent, option)
}

/// All options of a command line.
fn given(agent: &str, words: &[Vec<u8>]) -> Vec<Given> {
    let Some(specs) = agents::of(agent) else { return Vec::new() };
    let mut all = Vec::new();
    let mut at = 0;
    while at < words.len() && words[at] != b"--" {
        let (options, used) = option_at(specs, words, at);
        all.extend(options);
        at = used.end;
    }
    all
}

/// The options that the word at an index gives, with the words that they use.
fn option_at(specs: &[Spec], words: &[Vec<u8>], at: usize) -> (Vec<Given>, Range<usize>) {
    let word = words[at].as_slice();
    if let Some(long) = word.strip_prefix(b"--").filter(|long| !long.is_empty()) {
        let equals = long.iter().position(|&byte| byte == b'=');
        let name = equals.map_or(word, |equals| &word[..equals + 2]);
        if equals.is_some() {
            return (vec![Given::of(specs, name, vec![word.to_vec()])], at..at + 1);
        }
        let used = at..at + 1 + values(specs, name, &words[at + 1..]);
        let option = Given::of(specs, name, words[used.clone()].to_vec());
        return (vec![option], used);
    }
    match word {
        [b'-', short @ ..] if !short.is_empty() => short_options(specs, words, at),
        _ => (Vec::new(), at..at + 1),
    }
}

/// A word such as `-c`, `-mMODEL`, or `-cd` for `-c -d`.
fn short_options(specs: &[Spec], words: &[Vec<u8>], at: usize) -> (Vec<Given>, Range<usize>) {
    let letters = &words[at][1..];
    let mut options = Vec::new();
    for (place, &letter) in letters.iter().enumerate() {
        let name = [b'-', letter];
        let rest = &letters[place + 1..];
        let takes = table::find(specs, &name).map(|spec| spec.takes);
        if takes == Some(Takes::Nothing) && !rest.is_empty() {
            options.push(Given::of(specs, &name, vec![name.to_vec()]));
            continue;
        }
        if !rest.is_empty() {
            let word = [&name[..], rest].concat();
            options.push(Given::of(specs, &name, vec![word]));
            return (options, at..at + 1);
        }
        let end = at + 1 + values(specs, &name, &words[at + 1..]);
        let all = std::iter::once(name.to_vec()).chain(words[at + 1..end].iter().cloned());
        options.push(Given::of(specs, &name, all.collect()));
        return (options, at..end);
    }
    (options, at..at + 1)
}

/// How many of the words after an option are its values.
fn values(specs: &[Spec], name: &[u8], after: &[Vec<u8>]) -> usize {
    let is_option = |word: &Vec<u8>| word.len() > 1 && word.starts_with(b"-");
    let Some(first) = after.first() else { return 0 };
    match table::find(specs, name).map(|spec| spec.takes) {
        Some(Takes::Nothing) => 0,
        Some(Takes::One) => 1,
        Some(Takes::Many) => 1 + after.iter().skip(1).take_while(|&word| !is_option(word)).count(),
        Some(Takes::PerhapsOne) => usize::from(!is_option(first)),
        None => usize::from(!is_option(first) && !is_subcommand(first)),
    }
}

impl Given {
    fn of(specs: &[Spec], name: &[u8], words: Vec<Vec<u8>>) -> Self {
        let spec = table::find(specs, name);
        let purpose = spec.map_or_else(|| purpose_of_unknown(&words), |spec| spec.purpose);
        let name = spec.map_or(name, |spec| spec.names[0].as_bytes()).to_vec();
        Self { name, words, purpose }
    }
}

/// An option of a newer version.
fn purpose_of_unknown(words: &[Vec<u8>]) -> Purpose {
    let ambiguous = |value: &Vec<u8>| value.iter().any(u8::is_ascii_whitespace) || is_id(value);
    if words.get(1).is_some_and(ambiguous) { Purpose::Once } else { Purpose::Repeatable }
}

fn is_subcommand(word: &[u8]) -> bool {
    [&b"resume"[..], b"fork"].contains(&word)
}

/// Whether it is a UUID.
fn is_id(word: &[u8]) -> bool {
    let dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let fits = |(at, byte): (usize, &u8)| {
        if dash(at) { *byte == b'-' } else { byte.is_ascii_hexdigit() }
    };
    word.len() == 36 && word.iter().enumerate().all(fits)
}

#[cfg(test)]
mod tests;
