//! The command line by which each agent runs a conversation. The built-in ones were measured and are tested
//! against the real programs in `tests/agents/`; the configuration can change them and add others.

pub(crate) mod background;
mod built_in;
pub mod environment;
pub(crate) mod first_run;
pub mod program;
pub mod recorded;
pub(crate) mod refused;
pub(crate) mod turn;

pub use built_in::built_in;

use shared::agent_options;
use shared::random::random_number;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// An agent's command line. `{id}`, `{transcript}` and `{name}` in its words stand for values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agent {
    /// Program and fixed arguments.
    pub command: Vec<String>,
    /// Arguments that set the id of a new conversation; empty if the agent takes none.
    pub new: Vec<String>,
    /// Arguments that resume a conversation by its id; empty if the agent cannot.
    pub resume: Vec<String>,
    /// Arguments that resume a conversation by its transcript; empty if the agent cannot.
    pub resume_transcript: Vec<String>,
    /// Arguments that begin a conversation as a copy: `{parent}` is the other one.
    pub fork: Vec<String>,
    /// Arguments that name a conversation; empty if the agent cannot.
    pub name: Vec<String>,
    /// Further arguments.
    pub arguments: Vec<String>,
    /// The command that installs the agent.
    pub install: Vec<String>,
    /// Whether to run it if the agent is missing; otherwise it is only printed.
    pub install_missing: bool,
    /// A file that exists once the agent accepts input: `~/` is the home, `{pid}` its process.
    pub ready: String,
}

/// Why an agent cannot run a conversation.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("the agent has no command")]
    NoCommand,
    #[error("{0} cannot resume a conversation")]
    NoResume(String),
    #[error("{0} cannot resume a conversation by its transcript")]
    NoResumeByTranscript(String),
}

/// A conversation, and whether it is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// Start one with this id.
    New(OsString),
    /// Resume by the id.
    Resume(OsString),
    /// Resume by the transcript; the id comes first.
    ResumeTranscript(OsString, OsString),
    /// Begin as a copy of another one; its own id comes first.
    Fork(OsString, OsString),
}

impl Conversation {
    pub fn id(&self) -> &OsStr {
        match self {
            Self::New(id)
            | Self::Resume(id)
            | Self::ResumeTranscript(id, _)
            | Self::Fork(id, _) => id,
        }
    }
}

impl Agent {
    /// The argument list that runs `conversation`. A new one gets `name`; a resumed one has a name, which
    /// its user may have changed. The words of `more` are at the end.
    pub fn argv(
        &self,
        conversation: &Conversation,
        name: Option<&OsStr>,
        more: &[OsString],
    ) -> Result<Vec<OsString>, CommandError> {
        let mut argv: Vec<OsString> = self.command.iter().map(OsString::from).collect();
        argv.extend(self.words_for(conversation)?);
        // A name that begins with a dash would be taken for an option; it is only informative.
        let name = name.filter(|name| !name.as_encoded_bytes().starts_with(b"-"));
        if let Some(name) = name.filter(|_| matches!(conversation, Conversation::New(_))) {
            argv.extend(self.name.iter().map(|word| fill(word, &[("{name}", name)])));
        }
        argv.extend(self.arguments.iter().map(OsString::from));
        argv.extend(more.iter().cloned());
        Ok(argv)
    }

    /// As [`Agent::argv`], for the agent `agent` that had the options `had` before. They come first;
    /// configured ones that they set already are left out.
    pub fn argv_as_started(
        &self,
        agent: &str,
        conversation: &Conversation,
        had: &[OsString],
    ) -> Result<Vec<OsString>, CommandError> {
        let bytes = |words: &[OsString]| -> Vec<Vec<u8>> {
            words.iter().map(|word| word.as_bytes().to_vec()).collect()
        };
        let configured = |words: &[String]| -> Vec<Vec<u8>> {
            words.iter().map(|word| word.clone().into_bytes()).collect()
        };
        let fixed = configured(self.command.get(1..).unwrap_or_default());
        let had = agent_options::without_repeats(agent, &fixed, &bytes(had));
        let more = configured(&self.arguments);
        let more = agent_options::without_repeats(agent, &[fixed, had.clone()].concat(), &more);
        let mut argv: Vec<OsString> = self.command.iter().map(OsString::from).collect();
        argv.extend(had.into_iter().map(OsString::from_vec));
        argv.extend(self.words_for(conversation)?);
        argv.extend(more.into_iter().map(OsString::from_vec));
        Ok(argv)
    }

    /// The words that start or resume a conversation.
    fn words_for(&self, conversation: &Conversation) -> Result<Vec<OsString>, CommandError> {
        let program = self.command.first().ok_or(CommandError::NoCommand)?;
        let template = match conversation {
            Conversation::New(_) => &self.new,
            Conversation::Resume(_) if self.resume.is_empty() => {
                return Err(CommandError::NoResume(program.clone()));
            }
            Conversation::Resume(_) => &self.resume,
            Conversation::ResumeTranscript(..) if self.resume_transcript.is_empty() => {
                return Err(CommandError::NoResumeByTranscript(program.clone()));
            }
            Conversation::ResumeTranscript(..) => &self.resume_transcript,
            // Without a way to fork, the new conversation begins empty.
            Conversation::Fork(..) if self.fork.is_empty() => &self.new,
            Conversation::Fork(..) => &self.fork,
        };
        let transcript = match conversation {
            Conversation::ResumeTranscript(_, transcript) => transcript.as_os_str(),
            _ => OsStr::new(""),
        };
        let parent = match conversation {
            Conversation::Fork(_, parent) => parent.as_os_str(),
            _ => OsStr::new(""),
        };
        let values =
            [("{id}", conversation.id()), ("{transcript}", transcript), ("{parent}", parent)];
        Ok(template.iter().map(|word| fill(word, &values)).collect())
    }

    /// The same agent without an option and its values, in what starts and names a conversation. What
    /// resumes one stays as it is, since another conversation would begin without it.
    fn without_option(&self, option: &str) -> Self {
        let without = |words: &[String]| -> Vec<String> {
            let mut is_left_out = false;
            let keeps = |word: &&String| {
                if word.starts_with('-') {
                    is_left_out = word.split('=').next() == Some(option);
                }
                !is_left_out
            };
            words.iter().filter(keeps).cloned().collect()
        };
        // Of a fork, only the new id can be left out.
        let fork = without(&self.fork);
        let shorter = fork.len() < self.fork.len();
        let same_id = fork.iter().any(|word| word.contains("{id}"));
        let fork = if shorter && same_id { Vec::new() } else { fork };
        Self {
            command: without(&self.command),
            new: without(&self.new),
            fork,
            name: without(&self.name),
            ..self.clone()
        }
    }

    /// The file that shows that the agent with this process accepts input.
    pub fn ready_file(&self, home: &Path, pid: i32) -> Option<PathBuf> {
        let file = fill(&self.ready, &[("{pid}", OsStr::new(&pid.to_string()))]);
        (!file.is_empty()).then(|| crate::files::below_home(home, Path::new(&file)))
    }

    /// Whether the agent starts a conversation with a given id.
    pub fn takes_an_id(&self) -> bool {
        self.new.iter().any(|word| word.contains("{id}"))
    }
}

/// Fills values into a word; marks inside a value stay.
fn fill(word: &str, values: &[(&str, &OsStr)]) -> OsString {
    let found = values.iter().filter_map(|(mark, value)| Some((word.find(mark)?, mark, value)));
    let Some((at, mark, value)) = found.min_by_key(|(at, ..)| *at) else { return word.into() };
    let mut filled = OsString::from(&word[..at]);
    filled.push(value);
    filled.push(fill(&word[at + mark.len()..], values));
    filled
}

/// A random UUID, version 4 (RFC 9562).
pub fn new_id() -> OsString {
    let marked = random_number() & !(0xf000_u128 << 64) & !(0xc000_u128 << 48)
        | 0x4000_u128 << 64
        | 0x8000_u128 << 48;
    let hex = format!("{marked:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(agent: &str, conversation: &Conversation) -> Result<String, CommandError> {
        let agents = built_in();
        let agent = &agents.iter().find(|(name, _)| name == agent).unwrap().1;
        let argv = agent.argv(conversation, Some(OsStr::new("{id} n")), &["-x".into()])?;
        Ok(argv.join(OsStr::new("|")).into_string().unwrap())
    }

    #[test]
    fn each_agent_gets_its_own_arguments() {
        let (new, resume) = (Conversation::New("u".into()), Conversation::Resume("u".into()));
        let transcript = Conversation::ResumeTranscript("u".into(), "/p/{name}".into());
        assert_eq!(argv("claude", &new).unwrap(), "claude|--session-id|u|--name|{id} n|-x");
        assert_eq!(argv("claude", &resume).unwrap(), "claude|--resume|u|-x");
        assert_eq!(argv("claude", &transcript).unwrap(), "claude|--resume|/p/{name}|-x");
        let fork = Conversation::Fork("u".into(), "p".into());
        assert_eq!(
            argv("claude", &fork).unwrap(),
            "claude|--resume|p|--fork-session|--session-id|u|-x"
        );
        assert_eq!(argv("codex", &fork).unwrap(), "codex|--no-daemon|-x");
        assert_eq!(argv("codex", &new).unwrap(), "codex|--no-daemon|-x");
        assert_eq!(argv("codex", &resume).unwrap(), "codex|--no-daemon|resume|u|-x");
        let claude = &built_in()[0].1;
        for (agent, started, resumed) in [
            ("copilot", "copilot|--session-id|u|-x", "copilot|--session-id|u|-x"),
            ("gemini", "gemini|--session-id|u|-x", "gemini|--resume|u|-x"),
            ("opencode", "opencode|-x", "opencode|--session|u|-x"),
            ("pi", "pi|-x", "pi|--session|u|-x"),
            ("qwen", "qwen|--session-id|u|-x", "qwen|--resume|u|-x"),
        ] {
            assert_eq!(argv(agent, &new).unwrap(), started);
            assert_eq!(argv(agent, &resume).unwrap(), resumed);
        }
        let dashed = claude.argv(&new, Some(OsStr::new("-x")), &[]).unwrap();
        assert_eq!(dashed, ["claude", "--session-id", "u"]);
        let error = argv("codex", &transcript).unwrap_err();
        assert_eq!(error.to_string(), "codex cannot resume a conversation by its transcript");
    }

    #[test]
    fn an_agent_gets_its_own_options_again_and_no_configured_one_twice() {
        let mut agents = built_in();
        let line = |agent: &Agent, name: &str, conversation: &Conversation, had: &[&str]| {
            let had: Vec<OsString> = had.iter().map(OsString::from).collect();
            let argv = agent.argv_as_started(name, conversation, &had).unwrap();
            argv.join(OsStr::new(" ")).into_string().unwrap()
        };
        let (new, resume) = (Conversation::New("u".into()), Conversation::Resume("u".into()));
        let claude = &mut agents[0].1;
        claude.arguments = ["--model", "sonnet", "--verbose"].map(str::to_owned).to_vec();
        let had = ["--model", "opus", "--add-dir", "a"];
        let expected = "claude --model opus --add-dir a --resume u --verbose";
        assert_eq!(line(claude, "claude", &resume, &had), expected);
        let expected = "claude --session-id u --model sonnet --verbose";
        assert_eq!(line(claude, "claude", &new, &[]), expected);
        let had = ["--no-daemon", "--yolo", "-p", "work"];
        let expected = "codex --no-daemon --yolo -p work resume u";
        assert_eq!(line(&agents[1].1, "codex", &resume, &had), expected);
    }

    #[test]
    fn new_ids_are_random_uuids_of_version_4() {
        let (one, two) = (new_id().into_string().unwrap(), new_id());
        assert_ne!(one, two.into_string().unwrap());
        assert_eq!((one.len(), &one[14..15]), (36, "4"));
        assert!("89ab".contains(&one[19..20]), "{one}");
    }
}
