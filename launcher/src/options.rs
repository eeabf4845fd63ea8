//! The command line of `start-claude`: small, since every pane pays for it.

use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Starts a coding agent in this pane, on clones that are up to date, and a login shell when it fails.

Usage: start-claude [OPTIONS] [-- ARGUMENTS FOR THE AGENT...]

Options:
  --agent NAME       which agent: claude (default), codex, or one of the configuration
  --resume UUID      resume this conversation, in its own directory
  --session UUID     start a new conversation under this id; a new id if neither is given
  --name NAME        what to call the conversation; the tmux session's name if not given
  --code-dir DIR     where the clones are, and where a new conversation starts
  --no-freshen       leave the clones alone
  --wait             say what was here and wait for Enter
  --transcript FILE  with --resume: by its transcript, from any directory
  --shell            start no agent, only the shell
  --program          no agent: run the arguments as a program, then the shell
  --show FILE        print this file's text and colours first
  --note TEXT        print this line first
  -h, --help         print this
  -V, --version      print the version

Configuration: /etc/terminal-lobby/launcher.toml, then ~/.config/terminal-lobby/launcher.toml.
";

/// What to run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Options {
    /// The agent's name.
    pub agent: Option<OsString>,
    /// The conversation to resume.
    pub resume: Option<OsString>,
    /// Its transcript.
    pub transcript: Option<OsString>,
    /// The id for a new conversation.
    pub session: Option<OsString>,
    /// What to call the conversation.
    pub name: Option<OsString>,
    /// Where the clones are.
    pub code_dir: Option<PathBuf>,
    /// Leave the clones alone.
    pub no_freshen: bool,
    /// Wait for Enter first.
    pub wait: bool,
    /// No agent.
    pub shell: bool,
    /// The arguments are a program to run instead of an agent.
    pub program: bool,
    /// A file with what the pane showed.
    pub show: Option<PathBuf>,
    /// A line for the person in the pane.
    pub note: Option<OsString>,
    /// More arguments for the agent.
    pub arguments: Vec<OsString>,
}

/// A command line, understood.
#[derive(Debug, PartialEq, Eq)]
pub enum Invocation {
    /// Run something.
    Run(Box<Options>),
    /// Explain.
    Help,
    /// Say the version.
    Version,
}

/// Reads the command line.
///
/// # Errors
/// A sentence that names the argument.
pub fn parse(parser: lexopt::Parser) -> Result<Invocation, String> {
    let invocation = read(parser).map_err(|error| error.to_string())?;
    if let Invocation::Run(options) = &invocation {
        check(options)?;
    }
    Ok(invocation)
}

fn read(mut parser: lexopt::Parser) -> Result<Invocation, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value};
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("agent") => options.agent = Some(parser.value()?),
            Long("resume") => options.resume = Some(parser.value()?),
            Long("transcript") => options.transcript = Some(parser.value()?),
            Long("session") => options.session = Some(parser.value()?),
            Long("name") => options.name = Some(parser.value()?),
            Long("code-dir") => {
                let dir = PathBuf::from(parser.value()?);
                // It is entered, and then looked at again.
                options.code_dir = Some(std::path::absolute(&dir).unwrap_or(dir));
            }
            Long("no-freshen") => options.no_freshen = true,
            Long("wait") => options.wait = true,
            Long("shell") => options.shell = true,
            Long("program") => options.program = true,
            Long("show") => options.show = Some(PathBuf::from(parser.value()?)),
            Long("note") => options.note = Some(parser.value()?),
            Long("help") | Short('h') => return Ok(Invocation::Help),
            Long("version") | Short('V') => return Ok(Invocation::Version),
            Value(argument) => options.arguments.push(argument),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Invocation::Run(Box::new(options)))
}

/// Ids become arguments and parts of paths: only a uuid is one.
fn check(options: &Options) -> Result<(), String> {
    for (name, value) in [("--resume", &options.resume), ("--session", &options.session)] {
        if let Some(value) = value.as_ref().filter(|value| !is_uuid(value.as_encoded_bytes())) {
            return Err(format!("{name} {}: not a conversation's uuid", value.display()));
        }
    }
    if options.program && options.arguments.is_empty() {
        return Err("--program: no program is named".to_owned());
    }
    if options.resume.is_some() && options.session.is_some() {
        return Err("--resume and --session exclude each other".to_owned());
    }
    Ok(())
}

fn is_uuid(text: &[u8]) -> bool {
    let sound = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.iter().enumerate().all(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0d0a8f5e-0000-4000-8000-000000000001";

    #[test]
    fn arguments_for_the_agent_follow_two_dashes() {
        let args = ["--agent", "codex", "--resume", ID, "--no-freshen", "--", "-x", "--resume"];
        let parsed = parse(lexopt::Parser::from_args(args));
        let expected = Options {
            agent: Some("codex".into()),
            resume: Some(ID.into()),
            no_freshen: true,
            arguments: vec!["-x".into(), "--resume".into()],
            ..Options::default()
        };
        assert_eq!(parsed.unwrap(), Invocation::Run(Box::new(expected)));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let error = |args: &[&str]| parse(lexopt::Parser::from_args(args)).unwrap_err();
        assert!(error(&["--wat"]).contains("--wat"));
        assert_eq!(error(&["--resume", "../x"]), "--resume ../x: not a conversation's uuid");
        assert!(error(&["--resume", ID, "--session", ID]).contains("exclude each other"));
        assert!(error(&["--session"]).contains("--session"));
    }
}
