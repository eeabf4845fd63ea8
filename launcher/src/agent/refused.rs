//! Options that an older release of an agent refuses: they are left out, so that an agent starts at all.
#![allow(
    clippy::disallowed_methods,
    reason = "the agent is asked about its options, under a deadline"
)]

use super::{Agent, Conversation};
use shared::child::{self, Until};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long the agent may take to refuse an option.
const DEADLINE: Duration = Duration::from_secs(5);
/// An option that no release knows: the agent refuses it, if none before it, and does nothing else.
const UNKNOWN: &str = "--terminal-lobby-asks-for-options";

/// How to ask an agent about its options.
pub(crate) struct Question<'a> {
    /// What is executed; the first of `words` if it is absent.
    pub(crate) file: Option<&'a Path>,
    /// The first words of the argument list: the program, or an interpreter and its script.
    pub(crate) words: &'a [OsString],
    pub(crate) environment: &'a [(OsString, OsString)],
}

impl Question<'_> {
    /// Asks which of the options that `agent` adds to a command line are refused, one after the other, and
    /// gives the agent without them; `None` if none is.
    pub(crate) fn without_refused(
        &self,
        agent: &Agent,
        conversation: &Conversation,
    ) -> Option<(Agent, Vec<String>)> {
        let (mut agent, mut refused) = (agent.clone(), Vec::new());
        while let Some(option) = self.refused(&agent, conversation) {
            let without = agent.without_option(&option);
            if without == agent {
                break;
            }
            agent = without;
            refused.push(option);
        }
        (!refused.is_empty()).then_some((agent, refused))
    }

    /// The first option that is refused.
    fn refused(&self, agent: &Agent, conversation: &Conversation) -> Option<String> {
        // Options alone: what else there is may be a command that does something.
        let ours = agent.argv(conversation, Some(OsStr::new("x")), &[]).ok()?;
        let fixed = agent.command.get(1..).unwrap_or_default().iter().map(OsString::from);
        let added = ours.get(1 + fixed.len()..).unwrap_or_default();
        let added = &added[..added.len().saturating_sub(agent.arguments.len())];
        let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"--");
        let added = added.iter().skip_while(|word| !is_option(word));
        let words: Vec<OsString> = fixed.chain(added.cloned()).collect();
        let options = words.iter().filter(|word| is_option(word));
        let options: Vec<String> = options.filter_map(|word| word.to_str()).map(name).collect();
        let (program, prefix) = self.words.split_first()?;
        let mut command = Command::new(self.file.map_or(program.as_os_str(), Path::as_os_str));
        command.args(prefix).args(words).arg(UNKNOWN);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        let until = Until { end: Instant::now() + DEADLINE, cancel: None };
        let output = child::run(command, until).ok()?;
        let text = [&output.stdout[..], b"\n", &output.stderr[..]].concat();
        refused_in(&String::from_utf8_lossy(&text), &options)
    }
}

/// An option without a value that is attached to it.
fn name(option: &str) -> String {
    option.split('=').next().unwrap_or(option).to_owned()
}

/// The option that a message of an agent refuses.
fn refused_in(text: &str, options: &[String]) -> Option<String> {
    const SIGNS: [&str; 6] = [
        "unknown option",
        "unknown argument",
        "unexpected argument",
        "unrecognized option",
        "unrecognized argument",
        "invalid option",
    ];
    let lines = text.lines().map(str::to_ascii_lowercase);
    lines.filter(|line| SIGNS.iter().any(|sign| line.contains(sign))).find_map(|line| {
        let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let named = words.filter(|word| word.starts_with("--"));
        let mut named = named.filter_map(|word| options.iter().find(|option| *option == word));
        named.next().cloned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::built_in;

    fn options(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_refusal_names_the_option() {
        let known = options(&["--session-id", "--name"]);
        for (text, expected) in [
            ("error: unknown option '--name'\n(Did you mean --verbose?)\n", Some("--name")),
            ("error: unexpected argument '--name' found\n", Some("--name")),
            ("x: unrecognized option `--session-id'\n", Some("--session-id")),
            ("Unknown argument: --name\n", Some("--name")),
            ("error: unknown option '--names'\n", None),
            ("error: unknown option '--terminal-lobby-asks-for-options'\n", None),
            ("error: no network, try --name\n", None),
            ("", None),
        ] {
            assert_eq!(refused_in(text, &known).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_option_is_left_out_with_its_value_wherever_it_is() {
        let claude = &built_in()[0].1;
        let without = claude.without_option("--name");
        assert_eq!((without.name.len(), &without.new), (0, &claude.new));
        let without = claude.without_option("--session-id");
        assert_eq!(without.new, [""; 0]);
        assert_eq!(without.fork, ["--resume", "{parent}", "--fork-session"]);
        assert!(!without.takes_an_id());
        // The copy would be the other conversation itself.
        assert_eq!(claude.without_option("--fork-session").fork, [""; 0]);
        let codex = &built_in()[1].1;
        assert_eq!(codex.without_option("--no-daemon").command, ["codex"]);
        assert_eq!(codex.without_option("--resume"), *codex);
        // What resumes is not left out: another conversation would begin.
        assert_eq!(claude.without_option("--resume").resume, claude.resume);
    }
}
