//! What the command line of a Claude Code says (pure).

use crate::agent::conversation::{ConversationId, option};
use crate::agent::program::{CLAUDE, Program};
use crate::process::base_name;

/// The arguments of a Claude Code, those after its program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a>(&'a [Vec<u8>]);

/// Options that may stand before a subcommand and take no value.
const BEFORE_SUBCOMMAND: [&[u8]; 5] =
    [b"--debug", b"-d", b"--verbose", b"--bare", b"--dangerously-skip-permissions"];

/// First arguments with which it is no conversation of this pane's: a view of others, a service, a
/// tool. What such a process shows, and what it wrote, names no conversation to come back to.
const SUBCOMMANDS: [&[u8]; 25] = [
    AGENTS,
    ATTACH,
    b"auth",
    b"auto-mode",
    BG_PTY_HOST,
    BG_SPARE,
    b"config",
    DAEMON,
    b"doctor",
    b"gateway",
    b"import",
    b"install",
    b"logs",
    b"mcp",
    b"migrate-installer",
    b"plugin",
    b"plugins",
    b"purge",
    b"remote-control",
    b"respawn",
    b"rm",
    b"setup-token",
    b"stop",
    b"update",
    b"upgrade",
];
const AGENTS: &[u8] = b"agents";
const ATTACH: &[u8] = b"attach";
const BG_PTY_HOST: &[u8] = b"bg-pty-host";
const BG_SPARE: &[u8] = b"bg-spare";
const DAEMON: &[u8] = b"daemon";

impl<'a> Arguments<'a> {
    /// Those of a program, if it is Claude Code.
    pub(super) fn of(program: Program<'a>) -> Option<Self> {
        (program.agent == CLAUDE).then_some(Self(program.arguments))
    }

    /// Whether it converses, with a person or for one answer.
    pub(super) fn converses(self) -> bool {
        self.subcommand().is_none() && !self.has(&["--help", "-h", "--version", "-v"])
    }

    /// Whether it answers once: `claude -p` has no conversation to come back to.
    pub(super) fn asks_once(self) -> bool {
        self.has(&["-p", "--print"])
    }

    /// Whether it serves conversations in the background, those of other panes, too.
    pub(super) fn is_service(self) -> bool {
        let serves = |word| [BG_PTY_HOST, BG_SPARE, DAEMON].contains(&word);
        self.subcommand().is_some_and(serves)
    }

    /// Whether it is a view that can be started again as it is: of all conversations, or attached to
    /// one in the background.
    pub(super) fn is_view(self) -> bool {
        let option = |word: &Vec<u8>| word.starts_with(b"-");
        match self.0 {
            [word, rest @ ..] if word == AGENTS => !rest.iter().any(option),
            [word, id] if word == ATTACH => !option(id),
            _ => false,
        }
    }

    /// Whether it began as a copy of another conversation.
    pub(super) fn forks(self) -> bool {
        self.has(&["--fork-session"])
    }

    /// The conversation that it was started on: that of `--session-id`, else the resumed one. The id of
    /// a fork is not that of its parent.
    pub(super) fn conversation(self) -> Option<ConversationId> {
        let own = option(self.0, &["--session-id"]).and_then(ConversationId::parse);
        own.or_else(|| self.resumed().filter(|_| !self.forks()))
    }

    /// Whether it begins a conversation: it resumes none, and none is picked.
    pub(super) fn begins_anew(self) -> bool {
        const OTHERS: [&str; 6] = ["--resume", "-r", "--continue", "-c", "--from-pr", "--teleport"];
        !self.has(&OTHERS) && option(self.0, &OTHERS).is_none()
    }

    /// The conversation that it resumes or forks: an id, or the path of a transcript.
    pub(super) fn resumed(self) -> Option<ConversationId> {
        let value = option(self.0, &["--resume", "-r"])?;
        let name = base_name(value);
        ConversationId::parse(name.strip_suffix(b".jsonl").unwrap_or(name))
    }

    /// The conversation that `id` was forked from.
    pub(super) fn parent_of(self, id: &ConversationId) -> Option<ConversationId> {
        let own = option(self.0, &["--session-id"]).and_then(ConversationId::parse);
        let is_it = self.forks() && own.is_none_or(|own| own == *id);
        self.resumed().filter(|parent| is_it && parent != id)
    }

    fn subcommand(self) -> Option<&'a [u8]> {
        let mut words = self.0.iter().map(Vec::as_slice);
        let first = words.find(|word| !BEFORE_SUBCOMMAND.contains(word))?;
        SUBCOMMANDS.contains(&first).then_some(first)
    }

    fn has(self, names: &[&str]) -> bool {
        self.0
            .iter()
            .take_while(|word| *word != b"--")
            .any(|word| names.iter().any(|name| name.as_bytes() == word))
    }
}
