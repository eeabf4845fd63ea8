//! The command line of `start-claude`: small, since every pane pays for it.

use std::ffi::OsString;

/// What `--help` prints.
pub const HELP: &str = "\
Starts a coding agent in this pane, and a login shell when it ends.

Usage: start-claude [OPTIONS] [-- ARGUMENTS FOR THE AGENT...]

Options:
  --agent NAME       which agent: claude (default) or codex
  --resume UUID      resume this conversation
  --transcript FILE  with --resume: by its transcript, from any directory
  --session UUID     start a new conversation under this id
  --shell            start no agent, only the shell
  --note TEXT        print this line first
  -h, --help         print this
";

/// What to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The agent's name.
    pub agent: Option<OsString>,
    /// The conversation to resume.
    pub resume: Option<OsString>,
    /// Its transcript.
    pub transcript: Option<OsString>,
    /// The id for a new conversation.
    pub session: Option<OsString>,
    /// No agent.
    pub shell: bool,
    /// A line for the person in the pane.
    pub note: Option<OsString>,
    /// More arguments for the agent.
    pub arguments: Vec<OsString>,
}

/// A command line, understood.
#[derive(Debug, PartialEq, Eq)]
pub enum Invocation {
    /// Run something.
    Run(Options),
    /// Explain.
    Help,
}

/// Reads the command line.
pub fn parse(mut parser: lexopt::Parser) -> Result<Invocation, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value};
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("agent") => options.agent = Some(parser.value()?),
            Long("resume") => options.resume = Some(parser.value()?),
            Long("transcript") => options.transcript = Some(parser.value()?),
            Long("session") => options.session = Some(parser.value()?),
            Long("shell") => options.shell = true,
            Long("note") => options.note = Some(parser.value()?),
            Long("help") | Short('h') => return Ok(Invocation::Help),
            Value(argument) => options.arguments.push(argument),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Invocation::Run(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_for_the_agent_follow_two_dashes() {
        let parsed =
            parse(lexopt::Parser::from_args(["--agent", "codex", "--resume", "u", "--", "-x"]));
        let expected = Options {
            agent: Some("codex".into()),
            resume: Some("u".into()),
            arguments: vec!["-x".into()],
            ..Options::default()
        };
        assert_eq!(parsed.unwrap(), Invocation::Run(expected));
        assert!(parse(lexopt::Parser::from_args(["--wat"])).is_err());
    }
}
