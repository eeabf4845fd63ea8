//! The command line of `start-claude`: small, since every pane pays for it.

use shared::conversation_id;
use shared::escape::shown;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Update the clones and start a coding agent in this pane; if it fails, start a login shell

Usage: start-claude [OPTIONS] [-- ARGUMENTS FOR THE AGENT...]

Options:
  --agent NAME       agent to start: claude, codex, another known or a configured one [default: claude]
  --resume UUID      resume this conversation, in its own directory
  --session UUID     id of the new conversation [default: a random one]
  --fork-of UUID     begin the new conversation as a copy of this one
  --name NAME        name of a new conversation [default: name of the tmux session]
  --code-dir DIR     directory of the clones, in which a new conversation starts
  --no-freshen       do not update the clones
  --wait             print what ran here and wait for Enter
  --transcript FILE  with --resume: resume by this transcript, from any directory
  --by-id            with --resume: by the id, even if its directory is gone
  --shell            start only the shell
  --program          run the arguments as a program, then start the shell
  --show FILE        print this file's text and colours first
  --note TEXT        print this line first
  --message TEXT     tell the agent this first
  --at-once N        start only if fewer than N others with the same --restored are starting
  --memory-floor N   wait for Enter if less memory is free, in bytes
  --restored DIR     directory that persist restore made for its panes
  --was-in DIR       with --wait: directory of what ran here [default: this one]
  --instead-of UUID  start a new conversation in place of this one, which has no prompt yet
  --as-started       the arguments are those that the agent had before: they come first, and
                     configured ones that repeat them are left out
  --then-shell       start a shell after the agent, however it ends
  --seen WORD        word of the command line by which the agent was seen; can be repeated
  --state-dir DIR    passed to persist
  --socket NAME      passed to persist
  --config FILE      passed to persist
  -h, --help         print help
  -V, --version      print version

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
    /// Resume by the id even if its directory is gone.
    pub by_id: bool,
    /// The id for a new conversation.
    pub session: Option<OsString>,
    /// The conversation that a new one begins as a copy of.
    pub fork_of: Option<OsString>,
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
    /// A line to print first.
    pub note: Option<OsString>,
    /// What the agent is told first.
    pub message: Option<OsString>,
    /// How many may start at once.
    pub at_once: Option<usize>,
    /// With less memory free than this (bytes), wait for Enter.
    pub memory_floor: Option<u64>,
    /// Where `persist restore` left what the panes it made need to know of each other.
    pub restored: Option<PathBuf>,
    /// The directory of what was here.
    pub was_in: Option<OsString>,
    /// The conversation that a new one takes the place of.
    pub instead_of: Option<OsString>,
    /// The arguments are those that the agent had before.
    pub as_started: bool,
    /// A shell follows the agent, however it ends.
    pub then_shell: bool,
    /// How the agent was seen: see [`crate::agent::program::Seen`].
    pub seen: Vec<OsString>,
    /// Options for `persist`, in pairs of name and value.
    pub persist: Vec<OsString>,
    /// More arguments for the agent.
    pub arguments: Vec<OsString>,
}

/// A parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Invocation {
    Run(Box<Options>),
    Help,
    Version,
}

/// An invalid argument.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    #[error("{0}")]
    Syntax(#[from] lexopt::Error),
    #[error("{option} {}: not the id of a conversation", shown(value))]
    NotAnId { option: &'static str, value: OsString },
    #[error("--program: no program is named")]
    NoProgram,
    #[error("--resume and --session exclude each other")]
    Exclusive,
}

/// Parses the command line.
pub fn parse(parser: lexopt::Parser) -> Result<Invocation, UsageError> {
    let invocation = read(parser)?;
    if let Invocation::Run(options) = &invocation {
        check(options)?;
    }
    Ok(invocation)
}

fn read(mut parser: lexopt::Parser) -> Result<Invocation, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value, ValueExt};
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("agent") => options.agent = Some(parser.value()?),
            Long("resume") => options.resume = Some(parser.value()?),
            Long("transcript") => options.transcript = Some(parser.value()?),
            Long("session") => options.session = Some(parser.value()?),
            Long("fork-of") => options.fork_of = Some(parser.value()?),
            Long("name") => options.name = Some(parser.value()?),
            Long("code-dir") => {
                let dir = PathBuf::from(parser.value()?);
                // It is entered, and its clones are listed after that.
                options.code_dir = Some(std::path::absolute(&dir).unwrap_or(dir));
            }
            Long("no-freshen") => options.no_freshen = true,
            Long("wait") => options.wait = true,
            Long("by-id") => options.by_id = true,
            Long("shell") => options.shell = true,
            Long("program") => options.program = true,
            Long("show") => options.show = Some(PathBuf::from(parser.value()?)),
            Long("note") => options.note = Some(parser.value()?),
            Long("message") => options.message = Some(parser.value()?),
            Long("at-once") => options.at_once = Some(parser.value()?.parse()?),
            Long("memory-floor") => options.memory_floor = Some(parser.value()?.parse()?),
            Long("restored") => options.restored = Some(parser.value()?.into()),
            Long("was-in") => options.was_in = Some(parser.value()?),
            Long("instead-of") => options.instead_of = Some(parser.value()?),
            Long("as-started") => options.as_started = true,
            Long("then-shell") => options.then_shell = true,
            Long("seen") => options.seen.push(parser.value()?),
            Long(name @ ("state-dir" | "socket" | "config")) => {
                let name = format!("--{name}").into();
                options.persist.extend([name, parser.value()?]);
            }
            Long("help") | Short('h') => return Ok(Invocation::Help),
            Long("version") | Short('V') => return Ok(Invocation::Version),
            Value(argument) => options.arguments.push(argument),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Invocation::Run(Box::new(options)))
}

/// Ids become arguments and parts of paths, so each must have one of the known forms.
fn check(options: &Options) -> Result<(), UsageError> {
    let ids = [
        ("--resume", &options.resume),
        ("--session", &options.session),
        ("--fork-of", &options.fork_of),
        ("--instead-of", &options.instead_of),
    ];
    for (option, value) in ids {
        let is_id = |value: &OsString| conversation_id::is_valid(value.as_encoded_bytes());
        if let Some(value) = value.clone().filter(|value| !is_id(value)) {
            return Err(UsageError::NotAnId { option, value });
        }
    }
    if options.program && options.arguments.is_empty() {
        return Err(UsageError::NoProgram);
    }
    if options.resume.is_some() && options.session.is_some() {
        return Err(UsageError::Exclusive);
    }
    Ok(())
}

impl Options {
    /// The conversation that these options are about.
    pub fn conversation(&self) -> Option<&OsStr> {
        let known = self.resume.as_ref().or(self.session.as_ref());
        known.or(self.instead_of.as_ref()).map(OsString::as_os_str)
    }

    /// These options without those that only matter before the start.
    #[must_use]
    pub fn woken(&self) -> Self {
        Self {
            wait: false,
            note: None,
            at_once: None,
            memory_floor: None,
            restored: None,
            was_in: None,
            instead_of: None,
            ..self.clone()
        }
    }

    /// These options with a wait for Enter, after a line with the reason.
    #[must_use]
    pub fn waiting(&self, why: &str) -> Self {
        Self {
            wait: true,
            note: Some(why.into()),
            at_once: None,
            memory_floor: None,
            ..self.clone()
        }
    }

    /// The arguments that mean these options. `--wait` comes first: `persist save` looks for it.
    pub fn arguments(&self) -> Vec<OsString> {
        let text = |number: &dyn std::fmt::Display| OsString::from(number.to_string());
        let path = |path: &PathBuf| path.clone().into_os_string();
        let mut words = Vec::new();
        for (name, set) in [
            ("--wait", self.wait),
            ("--no-freshen", self.no_freshen),
            ("--shell", self.shell),
            ("--program", self.program),
            ("--as-started", self.as_started),
            ("--then-shell", self.then_shell),
            ("--by-id", self.by_id),
        ] {
            words.extend(set.then(|| name.into()));
        }
        for (name, value) in [
            ("--agent", self.agent.clone()),
            ("--name", self.name.clone()),
            ("--resume", self.resume.clone()),
            ("--transcript", self.transcript.clone()),
            ("--session", self.session.clone()),
            ("--fork-of", self.fork_of.clone()),
            ("--code-dir", self.code_dir.as_ref().map(path)),
            ("--show", self.show.as_ref().map(path)),
            ("--note", self.note.clone()),
            ("--message", self.message.clone()),
            ("--at-once", self.at_once.map(|number| text(&number))),
            ("--memory-floor", self.memory_floor.map(|number| text(&number))),
            ("--restored", self.restored.as_ref().map(path)),
            ("--was-in", self.was_in.clone()),
            ("--instead-of", self.instead_of.clone()),
        ] {
            words.extend(value.into_iter().flat_map(|value| [name.into(), value]));
        }
        words.extend(self.seen.iter().flat_map(|word| ["--seen".into(), word.clone()]));
        words.extend(self.persist.iter().cloned());
        words.push("--".into());
        words.extend(self.arguments.iter().cloned());
        words
    }
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
    fn options_are_written_as_arguments_that_mean_the_same() {
        let all = [
            "--wait",
            "--no-freshen",
            "--by-id",
            "--shell",
            "--program",
            "--show",
            "/s",
            "--agent",
            "codex",
            "--name",
            "--wait",
            "--resume",
            ID,
            "--transcript",
            "/t",
            "--code-dir",
            "/c",
            "--note",
            "-x",
            "--at-once",
            "2",
            "--memory-floor",
            "7",
            "--restored",
            "/r",
            "--was-in",
            "/w",
            "--instead-of",
            ID,
            "--as-started",
            "--then-shell",
            "--seen",
            "claude",
            "--seen",
            "--wait",
            "--state-dir",
            "/d",
            "--socket",
            "s",
            "--config",
            "--x",
            "--",
            "--wait",
            "",
        ];
        let parsed = |args: Vec<OsString>| match parse(lexopt::Parser::from_args(args)) {
            Ok(Invocation::Run(options)) => *options,
            other => panic!("{other:?}"),
        };
        for args in [&all[..], &["--session", ID, "--fork-of", ID], &[]] {
            let options = parsed(args.iter().map(OsString::from).collect());
            assert_eq!(parsed(options.arguments()), options);
        }
        let options = parsed(all.iter().map(OsString::from).collect());
        assert_eq!(options.arguments()[0], "--wait");
        let woken = options.woken().arguments();
        let flags = ["--no-freshen", "--shell", "--program", "--as-started", "--then-shell"];
        assert_eq!(woken[..5], flags);
        assert!(!woken.contains(&"--memory-floor".into()) && !woken.contains(&"--restored".into()));
        assert!(options.woken().waiting("why").wait);
    }

    #[test]
    fn invalid_arguments_are_named() {
        let error = |args: &[&str]| parse(lexopt::Parser::from_args(args)).unwrap_err().to_string();
        assert!(error(&["--wat"]).contains("--wat"));
        assert_eq!(error(&["--resume", "../x"]), "--resume ../x: not the id of a conversation");
        assert!(error(&["--resume", ID, "--session", ID]).contains("exclude each other"));
        assert!(error(&["--session"]).contains("--session"));
        assert!(error(&["--at-once", "-1"]).contains("-1"));
    }
}
