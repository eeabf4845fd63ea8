//! Our own launcher in a pane: its arguments name the conversation that it starts or waits for.
//! It says by them whether it waits: once it is woken it becomes itself anew, without `--wait`.

use super::conversation::ConversationId;
use super::{Observation, Rank, by_name};
use crate::process::{Process, base_name};
use shared::pane_variables;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The launcher's program name.
pub const PROGRAM: &str = "start-claude";

/// Its options that take a value (launcher/src/options.rs): what follows them is no option.
const WITH_VALUE: [&str; 19] = [
    "agent",
    "resume",
    "fork-of",
    "session",
    "name",
    "code-dir",
    "transcript",
    "show",
    "note",
    "message",
    "at-once",
    "memory-floor",
    "restored",
    "was-in",
    "instead-of",
    "seen",
    "state-dir",
    "socket",
    "config",
];

/// What a `start-claude` process says. The agent below it may know better; before that has started, this
/// process stands for it.
pub(super) fn observe(process: &Process) -> Option<(&'static str, Observation)> {
    let runs_no_agent = |(name, _): (&[u8], _)| [&b"shell"[..], b"program"].contains(&name);
    if !is_launcher(process) || options(&process.argv).any(runs_no_agent) {
        return None;
    }
    let value = |name| value(&process.argv, name);
    let agent = by_name(value("agent").unwrap_or(b"claude"))?.name();
    let parent = value("fork-of").and_then(ConversationId::parse);
    let mut seen = Observation { descend: true, parent, ..Observation::default() };
    let mut id = value("resume");
    if waits(process) {
        seen.prompted = Some(id.is_some());
        // Of an agent that takes no id for a new conversation, the old one stands for the new.
        id = id.or_else(|| value("session")).or_else(|| value("instead-of"));
        seen.cwd = value("was-in").map(|cwd| OsString::from_vec(cwd.to_vec()));
    } else {
        id = id.or_else(|| value("session"));
    }
    let id = id.and_then(ConversationId::parse);
    if id.is_none() {
        seen.prompted = Some(false);
    }
    seen.conversation = id.map(|id| (id, Rank::Argv));
    Some((agent, seen))
}

/// Whether a process is the launcher, waiting for Enter: then nothing runs below it.
pub(super) fn waits(process: &Process) -> bool {
    is_told_to_wait(&process.argv) && !process.has_children()
}

/// Whether an argument list is the launcher's, with the order to wait.
pub fn is_told_to_wait(argv: &[Vec<u8>]) -> bool {
    let program = argv.first().is_some_and(|program| base_name(program) == PROGRAM.as_bytes());
    program && options(argv).any(|(name, _)| name == b"wait")
}

/// The arguments that our launcher has for the agent; `None` if it is another program.
pub(super) fn arguments_for_agent(argv: &[Vec<u8>]) -> Option<&[Vec<u8>]> {
    argv.first().filter(|program| base_name(program) == PROGRAM.as_bytes())?;
    let mut words = 1;
    for (at, word) in argv.iter().enumerate().skip(1) {
        if at < words {
            continue; // a value
        }
        let name = word.strip_prefix(b"--").unwrap_or_default();
        let takes_one = WITH_VALUE.iter().any(|known| known.as_bytes() == name);
        words = at + 1 + usize::from(takes_one);
        if word == b"--" {
            return Some(&argv[at + 1..]);
        }
    }
    Some(&[])
}

/// Whether an argument list is the launcher's, with a shell to start after the agent.
pub fn starts_a_shell_after(argv: &[Vec<u8>]) -> bool {
    arguments_for_agent(argv).is_some() && options(argv).any(|(name, _)| name == b"then-shell")
}

/// How the agent of a launcher was seen before: the values of `--seen`.
pub fn seen(argv: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let values = options(argv).filter(|(name, _)| *name == b"seen");
    values.filter_map(|(_, value)| Some(value?.to_vec())).collect()
}

/// The environment of a process; of our launcher, the one that it has for the agent, if any.
pub(super) fn agents_environ(process: &Process) -> Vec<u8> {
    let environ = process.environment();
    if !is_launcher(process) {
        return environ;
    }
    let agents = pane_variables::split(&environ)
        .find(|(name, _)| *name == pane_variables::AGENT.as_bytes())
        .map(|(_, value)| pane_variables::decode(value));
    agents.unwrap_or(environ)
}

/// Whether a process is our launcher.
pub fn is_launcher(process: &Process) -> bool {
    process.called() == PROGRAM.as_bytes()
}

fn value<'a>(argv: &'a [Vec<u8>], name: &str) -> Option<&'a [u8]> {
    options(argv).find_map(|(known, value)| value.filter(|_| known == name.as_bytes()))
}

/// The launcher's options, without their dashes, each with its value.
fn options(argv: &[Vec<u8>]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    let mut words = argv.iter().skip(1).map(Vec::as_slice).take_while(|word| *word != b"--");
    std::iter::from_fn(move || {
        let name = words.find_map(|word| word.strip_prefix(b"--"))?;
        if let Some(equals) = name.iter().position(|&byte| byte == b'=') {
            return Some((&name[..equals], Some(&name[equals + 1..])));
        }
        let takes_one = WITH_VALUE.iter().any(|known| known.as_bytes() == name);
        Some((name, if takes_one { words.next() } else { None }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_told_from_values_that_look_like_them() {
        let argv = |words: &[&str]| -> Vec<Vec<u8>> {
            words.iter().map(|word| word.as_bytes().to_vec()).collect()
        };
        let waits = |words: &[&str]| is_told_to_wait(&argv(words));
        assert!(waits(&["start-claude", "--wait"]));
        assert!(waits(&["start-claude", "--name", "x", "--no-freshen", "--wait", "--resume", "y"]));
        assert!(!waits(&["start-claude", "--name", "--wait"]));
        assert!(!waits(&["start-claude", "--note=--wait"]));
        assert!(!waits(&["start-claude", "--", "--wait"]));
        assert!(!waits(&["--wait"]));
        let words = argv(&["start-claude", "--name", "--resume", "--resume=u", "--session"]);
        assert_eq!(value(&words, "resume"), Some(&b"u"[..]));
        assert_eq!(value(&words, "name"), Some(&b"--resume"[..]));
        assert_eq!(value(&words, "session"), None);
    }

    #[test]
    fn every_option_of_the_launcher_that_takes_a_value_is_known_here() {
        for line in launcher::options::HELP.lines().filter(|line| line.starts_with("  --")) {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap().trim_start_matches('-');
            let takes_one = words.next().is_some_and(|word| word.chars().all(char::is_uppercase));
            assert_eq!(WITH_VALUE.contains(&name), takes_one, "{line}");
        }
    }
}
