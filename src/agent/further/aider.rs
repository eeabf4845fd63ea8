//! aider, measured on 0.86.2: it has no conversations with ids, but one history for each directory. It comes
//! back as a program, with its arguments and the option that reads that history again.

use crate::agent::program::{self, AIDER};
use crate::agent::{Agent, CommandLine, ConversationId, Description, Home};
use crate::agent::{Observation, Resumption, Saved};
use crate::process::Process;
use shared::agent_options;
use std::path::Path;

/// aider.
#[derive(Debug)]
pub struct Aider;

const RESTORE: &[u8] = b"--restore-chat-history";
/// Options with which it answers once, by the first of their names.
const ONE_SHOT: [&str; 14] = [
    "--message",
    "--message-file",
    "--commit",
    "--lint",
    "--test",
    "--exit",
    "--apply",
    "--apply-clipboard-edits",
    "--show-repo-map",
    "--show-prompts",
    "--list-models",
    "--upgrade",
    "--help",
    "--version",
];
/// Options that are not given again: secrets, and those that contradict the history.
const DROPPED: [&str; 6] = [
    "--openai-api-key",
    "--anthropic-api-key",
    "--api-key",
    "--set-env",
    "--restore-chat-history",
    "--no-restore-chat-history",
];

impl Agent for Aider {
    fn name(&self) -> &'static str {
        AIDER
    }

    /// It is a program that is started again, not an agent with a conversation.
    fn command_line(&self, _: &Process) -> Option<CommandLine> {
        None
    }

    fn is_view(&self, argv: &[Vec<u8>]) -> bool {
        let Some(arguments) = arguments(argv) else { return false };
        let is_secret = |name: &&str| agent_options::has(AIDER, arguments, name);
        // What holds a key is not written down.
        !ONE_SHOT.iter().chain(&DROPPED[..4]).any(is_secret)
    }

    fn again(&self, mut argv: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        argv.retain(|word| word != RESTORE && word != b"--no-restore-chat-history");
        let program = argv.len() - arguments(&argv).map_or(0, <[Vec<u8>]>::len);
        argv.insert(program, RESTORE.to_vec());
        argv
    }

    fn observe(&self, _: &Process, _: &[u8], _: &Home) -> Option<Observation> {
        None
    }

    fn is_prompted(&self, _: &ConversationId, _: &Path, _: &Home) -> bool {
        false
    }

    fn describe(&self, _: &ConversationId, _: &Home) -> Option<Description> {
        None
    }

    fn resumption(&self, saved: &Saved<'_>, _: &Home) -> Resumption {
        Resumption::Impossible(format!("aider has no conversation {}", saved.id))
    }
}

fn arguments(argv: &[Vec<u8>]) -> Option<&[Vec<u8>]> {
    Some(program::of(argv, || None).filter(|program| program.agent == AIDER)?.arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn it_comes_back_with_its_arguments_and_its_history() {
        for (line, again) in [
            ("aider", "aider --restore-chat-history"),
            (
                "/v/bin/python /v/bin/aider --model x a.py",
                "/v/bin/python /v/bin/aider --restore-chat-history --model x a.py",
            ),
            ("aider --restore-chat-history", "aider --restore-chat-history"),
            ("aider --no-restore-chat-history x", "aider --restore-chat-history x"),
        ] {
            assert!(Aider.is_view(&words(line)), "{line}");
            assert_eq!(Aider.again(words(line)), words(again), "{line}");
        }
    }

    #[test]
    fn one_that_answers_once_or_was_given_a_key_does_not_come_back() {
        for line in [
            "aider --message x",
            "aider -m x",
            "aider --api-key openai=k",
            "vim aider",
            "aider --lint",
        ] {
            assert!(!Aider.is_view(&words(line)), "{line}");
        }
    }
}
