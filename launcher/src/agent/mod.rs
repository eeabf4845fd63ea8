//! How each agent is told which conversation to run. The built-in ones were measured (Claude Code
//! 2.1.332, codex-cli 0.171.0) and are tested against the real programs in `tests/agents/`;
//! the configuration can change them and add others.

pub mod environment;
pub(crate) mod first_run;
pub(crate) mod turn;

use shared::random::random_number;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// An agent's command line. In its words `{id}`, `{transcript}` and `{name}` stand for values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agent {
    /// Program and fixed arguments.
    pub command: Vec<String>,
    /// How a new conversation gets its id; empty when the agent takes none.
    pub new: Vec<String>,
    /// How a conversation is resumed by its id; empty when it cannot be.
    pub resume: Vec<String>,
    /// How a conversation is resumed by its transcript; empty when it cannot be.
    pub resume_transcript: Vec<String>,
    /// How a conversation is named; empty when it cannot be.
    pub name: Vec<String>,
    /// More arguments, after these.
    pub arguments: Vec<String>,
    /// The command that installs the agent.
    pub install: Vec<String>,
    /// Whether to run it when the agent is missing; otherwise it is only said.
    pub install_missing: bool,
    /// A file that is there once the agent can be typed to: `~/` is the home, `{pid}` its process.
    pub ready: String,
}

/// What to do with which conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// Begin one under this id.
    New(OsString),
    /// Resume this one.
    Resume(OsString),
    /// Resume this one by its transcript.
    ResumeTranscript(OsString, OsString),
}

impl Conversation {
    /// Its id.
    pub fn id(&self) -> &OsStr {
        match self {
            Self::New(id) | Self::Resume(id) | Self::ResumeTranscript(id, _) => id,
        }
    }
}

/// The built-in agents.
pub fn built_in() -> Vec<(String, Agent)> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let claude = Agent {
        command: words(&["claude"]),
        new: words(&["--session-id", "{id}"]),
        resume: words(&["--resume", "{id}"]),
        resume_transcript: words(&["--resume", "{transcript}"]),
        name: words(&["--name", "{name}"]),
        install: words(&["npm", "install", "-g", "@anthropic-ai/claude-code"]),
        // Its live record, written at the first draw.
        ready: "~/.claude/sessions/{pid}.json".to_owned(),
        ..Agent::default()
    };
    // Without --no-daemon a shared daemon starts that outlives the tmux server, copies 400 MB and
    // hides which pane runs which thread. Codex names its conversations itself.
    let codex = Agent {
        command: words(&["codex", "--no-daemon"]),
        resume: words(&["resume", "{id}"]),
        install: words(&["npm", "install", "-g", "@openai/codex"]),
        ..Agent::default()
    };
    vec![("claude".to_owned(), claude), ("codex".to_owned(), codex)]
}

impl Agent {
    /// The argument list that runs `conversation`, called `name`, with `more` at the end.
    ///
    /// # Errors
    /// A sentence, when the agent cannot do that.
    // A String: the sentence that the pane shows before its login shell.
    pub fn argv(
        &self,
        conversation: &Conversation,
        name: Option<&OsStr>,
        more: &[OsString],
    ) -> Result<Vec<OsString>, String> {
        let (template, what) = match conversation {
            Conversation::New(_) => (&self.new, None),
            Conversation::Resume(_) => (&self.resume, Some("resumes no conversations")),
            Conversation::ResumeTranscript(..) => {
                (&self.resume_transcript, Some("resumes no conversation by its transcript"))
            }
        };
        let program = self.command.first().ok_or("the agent has no command")?;
        if let Some(what) = what.filter(|_| template.is_empty()) {
            return Err(format!("{program} {what}"));
        }
        let transcript = match conversation {
            Conversation::ResumeTranscript(_, transcript) => transcript.as_os_str(),
            Conversation::New(_) | Conversation::Resume(_) => OsStr::new(""),
        };
        let values = [("{id}", conversation.id()), ("{transcript}", transcript)];
        let mut argv: Vec<OsString> = self.command.iter().map(OsString::from).collect();
        argv.extend(template.iter().map(|word| fill(word, &values)));
        // One that begins with a dash would be taken for an option; a name is only for show.
        if let Some(name) = name.filter(|name| !name.as_encoded_bytes().starts_with(b"-")) {
            argv.extend(self.name.iter().map(|word| fill(word, &[("{name}", name)])));
        }
        argv.extend(self.arguments.iter().map(OsString::from));
        argv.extend(more.iter().cloned());
        Ok(argv)
    }

    /// The file that says that the agent with this process can be typed to, if there is one.
    pub fn ready_file(&self, home: &Path, pid: i32) -> Option<PathBuf> {
        let file = fill(&self.ready, &[("{pid}", OsStr::new(&pid.to_string()))]);
        (!file.is_empty()).then(|| crate::files::below_home(home, Path::new(&file)))
    }

    /// Whether the agent begins a conversation under an id of ours.
    pub fn takes_an_id(&self) -> bool {
        self.new.iter().any(|word| word.contains("{id}"))
    }
}

/// Puts values into a word; a value is never looked into again.
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

    fn argv(agent: &str, conversation: &Conversation) -> Result<String, String> {
        let agents = built_in();
        let agent = &agents.iter().find(|(name, _)| name == agent).unwrap().1;
        let argv = agent.argv(conversation, Some(OsStr::new("{id} n")), &["-x".into()])?;
        Ok(argv.join(OsStr::new("|")).into_string().unwrap())
    }

    #[test]
    fn each_agent_is_told_in_its_own_words() {
        let (new, resume) = (Conversation::New("u".into()), Conversation::Resume("u".into()));
        let transcript = Conversation::ResumeTranscript("u".into(), "/p/{name}".into());
        assert_eq!(argv("claude", &new).unwrap(), "claude|--session-id|u|--name|{id} n|-x");
        assert_eq!(argv("claude", &resume).unwrap(), "claude|--resume|u|--name|{id} n|-x");
        assert_eq!(
            argv("claude", &transcript).unwrap(),
            "claude|--resume|/p/{name}|--name|{id} n|-x"
        );
        assert_eq!(argv("codex", &new).unwrap(), "codex|--no-daemon|-x");
        assert_eq!(argv("codex", &resume).unwrap(), "codex|--no-daemon|resume|u|-x");
        let claude = &built_in()[0].1;
        let dashed = claude.argv(&new, Some(OsStr::new("-x")), &[]).unwrap();
        assert_eq!(dashed, ["claude", "--session-id", "u"]);
        assert!(argv("codex", &transcript).unwrap_err().starts_with("codex resumes no"));
    }

    #[test]
    fn new_ids_are_random_uuids_of_version_4() {
        let (one, two) = (new_id().into_string().unwrap(), new_id());
        assert_ne!(one, two.into_string().unwrap());
        assert_eq!((one.len(), &one[14..15]), (36, "4"));
        assert!("89ab".contains(&one[19..20]), "{one}");
    }
}
