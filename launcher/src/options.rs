//! The command line of `start-claude`: small, since every pane pays for it.

use std::ffi::{OsStr, OsString};
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
  --at-once N        start only when fewer than N others do that were given the same --restored
  --memory-floor N   wait for Enter when less memory than this is free (bytes)
  --restored DIR     what persist restore left for the panes it made
  --was-in DIR       with --wait: the directory of what was here, when it is not this one
  --instead-of UUID  start a new conversation in place of this one, which was never prompted
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
// A String: the pane shows the sentence and gets a login shell, whatever the mistake is.
pub fn parse(parser: lexopt::Parser) -> Result<Invocation, String> {
    let invocation = read(parser).map_err(|error| error.to_string())?;
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
            Long("at-once") => options.at_once = Some(parser.value()?.parse()?),
            Long("memory-floor") => options.memory_floor = Some(parser.value()?.parse()?),
            Long("restored") => options.restored = Some(parser.value()?.into()),
            Long("was-in") => options.was_in = Some(parser.value()?),
            Long("instead-of") => options.instead_of = Some(parser.value()?),
            Long("help") | Short('h') => return Ok(Invocation::Help),
            Long("version") | Short('V') => return Ok(Invocation::Version),
            Value(argument) => options.arguments.push(argument),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Invocation::Run(Box::new(options)))
}

/// Ids become arguments and parts of paths: only a uuid is one.
// A String: as for `parse`.
fn check(options: &Options) -> Result<(), String> {
    let ids = [
        ("--resume", &options.resume),
        ("--session", &options.session),
        ("--instead-of", &options.instead_of),
    ];
    for (name, value) in ids {
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

impl Options {
    /// The conversation that these options are about.
    pub fn conversation(&self) -> Option<&OsStr> {
        let known = self.resume.as_ref().or(self.session.as_ref());
        known.or(self.instead_of.as_ref()).map(OsString::as_os_str)
    }

    /// The same without what was only for the time before the start.
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

    /// The same, waiting for Enter, after a line that says why.
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
        ] {
            words.extend(set.then(|| name.into()));
        }
        for (name, value) in [
            ("--agent", self.agent.clone()),
            ("--name", self.name.clone()),
            ("--resume", self.resume.clone()),
            ("--transcript", self.transcript.clone()),
            ("--session", self.session.clone()),
            ("--code-dir", self.code_dir.as_ref().map(path)),
            ("--show", self.show.as_ref().map(path)),
            ("--note", self.note.clone()),
            ("--at-once", self.at_once.map(|number| text(&number))),
            ("--memory-floor", self.memory_floor.map(|number| text(&number))),
            ("--restored", self.restored.as_ref().map(path)),
            ("--was-in", self.was_in.clone()),
            ("--instead-of", self.instead_of.clone()),
        ] {
            words.extend(value.into_iter().flat_map(|value| [name.into(), value]));
        }
        words.push("--".into());
        words.extend(self.arguments.iter().cloned());
        words
    }
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
    fn options_are_written_as_arguments_that_mean_the_same() {
        let all = [
            "--wait",
            "--no-freshen",
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
            "--",
            "--wait",
            "",
        ];
        let parsed = |args: Vec<OsString>| match parse(lexopt::Parser::from_args(args)) {
            Ok(Invocation::Run(options)) => *options,
            other => panic!("{other:?}"),
        };
        for args in [&all[..], &["--session", ID], &[]] {
            let options = parsed(args.iter().map(OsString::from).collect());
            assert_eq!(parsed(options.arguments()), options);
        }
        let options = parsed(all.iter().map(OsString::from).collect());
        assert_eq!(options.arguments()[0], "--wait");
        let woken = options.woken().arguments();
        assert_eq!(woken[..4], ["--no-freshen", "--shell", "--program", "--agent"]);
        assert!(!woken.contains(&"--memory-floor".into()) && !woken.contains(&"--restored".into()));
        assert!(options.woken().waiting("why").wait);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let error = |args: &[&str]| parse(lexopt::Parser::from_args(args)).unwrap_err();
        assert!(error(&["--wat"]).contains("--wat"));
        assert_eq!(error(&["--resume", "../x"]), "--resume ../x: not a conversation's uuid");
        assert!(error(&["--resume", ID, "--session", ID]).contains("exclude each other"));
        assert!(error(&["--session"]).contains("--session"));
        assert!(error(&["--at-once", "-1"]).contains("-1"));
    }
}
