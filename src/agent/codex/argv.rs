//! What the command line of a Codex says (pure).

use crate::agent::conversation::{ConversationId, option};
use crate::agent::program::{CODEX, Program};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The arguments of a Codex, those after its program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a>(&'a [Vec<u8>]);

/// Services. The shared daemon, a child of the program that started it, holds the files of everybody's
/// threads.
const SERVICES: [&[u8]; 4] = [b"app-server", b"exec-server", b"mcp-server", b"remote-control"];
/// Subcommands for one answer.
const ONE_SHOT: [&[u8]; 3] = [b"exec", b"e", b"review"];
/// Subcommands that converse with no person in this pane.
const TOOLS: [&[u8]; 25] = [
    AGENTS,
    b"apply",
    b"a",
    b"archive",
    b"cloud",
    b"cloud-tasks",
    b"completion",
    b"debug",
    b"delete",
    b"doctor",
    b"execpolicy",
    b"features",
    b"generate-ts",
    b"help",
    b"login",
    b"logout",
    b"mcp",
    b"migrate-rollouts",
    b"plugin",
    b"proto",
    b"queue",
    b"responses-api-proxy",
    b"sandbox",
    b"unarchive",
    b"update",
];
const AGENTS: &[u8] = b"agents";
/// Options before a subcommand that take the next word for a value.
const WITH_VALUE: [&[u8]; 21] = [
    b"-c",
    b"--config",
    b"-m",
    b"--model",
    b"-p",
    b"--profile",
    b"-C",
    b"--cd",
    b"-s",
    b"--sandbox",
    b"-a",
    b"--ask-for-approval",
    b"-i",
    b"--image",
    b"--add-dir",
    b"--enable",
    b"--disable",
    b"--remote",
    b"--local-provider",
    b"--color",
    b"--worktree",
];

impl<'a> Arguments<'a> {
    /// Those of a program, if it is Codex.
    pub(super) fn of(program: Program<'a>) -> Option<Self> {
        (program.agent == CODEX).then_some(Self(program.arguments))
    }

    /// Whether it converses, with a person or for one answer.
    pub(super) fn converses(self) -> bool {
        let other = |word: &[u8]| SERVICES.contains(&word) || TOOLS.contains(&word);
        !self.subcommand().is_some_and(|(_, word)| other(word))
    }

    pub(super) fn asks_once(self) -> bool {
        self.subcommand().is_some_and(|(_, word)| ONE_SHOT.contains(&word))
    }

    /// Whether it serves other programs, and holds the files of their threads.
    pub(super) fn is_service(self) -> bool {
        self.subcommand().is_some_and(|(_, word)| SERVICES.contains(&word))
    }

    /// Whether it is the view of all threads.
    pub(super) fn is_view(self) -> bool {
        self.0 == [AGENTS]
    }

    /// The thread of `codex resume <uuid>`, options anywhere between. `codex fork <uuid>` names its
    /// parent only.
    pub(super) fn resumed(self) -> Option<ConversationId> {
        self.id_after(b"resume")
    }

    /// The thread of `codex fork <uuid>`.
    pub(super) fn forked(self) -> Option<ConversationId> {
        self.id_after(b"fork")
    }

    /// Whether it begins a thread of its own: it neither resumes nor copies one.
    pub(super) fn begins_anew(self) -> bool {
        let other: [&[u8]; 2] = [b"resume", b"fork"];
        !self.subcommand().is_some_and(|(_, word)| other.contains(&word))
    }

    /// The directory in which it works, started in `cwd`.
    pub(super) fn directory(self, cwd: &Path) -> PathBuf {
        let named = option(self.0, &["-C", "--cd"]).map(OsStr::from_bytes);
        named.map_or_else(|| cwd.to_owned(), |named| cwd.join(named))
    }

    /// Whether its options turn the shared daemon off.
    pub(super) fn is_alone(self) -> bool {
        self.0.iter().any(|word| word == b"--no-daemon")
    }

    fn id_after(self, subcommand: &[u8]) -> Option<ConversationId> {
        let (at, word) = self.subcommand()?;
        let rest = self.0[at + 1..].iter();
        rest.filter(|_| word == subcommand).find_map(|word| ConversationId::parse(word))
    }

    /// The first word that is no option, and where it is.
    fn subcommand(self) -> Option<(usize, &'a [u8])> {
        let mut words = self.0.iter().map(Vec::as_slice).enumerate();
        while let Some((at, word)) = words.next() {
            if WITH_VALUE.contains(&word) {
                words.next();
            } else if !word.starts_with(b"-") {
                return Some((at, word));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "019aa38a-b2c0-7000-8000-000000000001";

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn a_codex_that_serves_others_is_no_conversation() {
        for line in ["", "-m x", "resume u", "fork u", "-c a=b --yolo", "hello", "--add-dir agents"]
        {
            let words = words(line);
            assert!(Arguments(&words).converses(), "{line}");
            assert!(!Arguments(&words).is_service(), "{line}");
        }
        for line in ["app-server --listen unix://", "mcp-server", "-m x remote-control"] {
            let words = words(line);
            assert!(!Arguments(&words).converses() && Arguments(&words).is_service(), "{line}");
        }
        assert!(Arguments(&words("agents")).is_view());
        assert!(!Arguments(&words("agents")).converses());
        assert!(Arguments(&words("--profile x exec words")).asks_once());
        assert!(!Arguments(&words("--profile exec")).asks_once());
    }

    #[test]
    fn a_resumed_thread_is_named_and_a_fork_names_its_parent_only() {
        let id = ConversationId::parse(ID.as_bytes());
        let resume = words(&format!("--no-daemon resume -C /x {ID}"));
        assert_eq!(Arguments(&resume).resumed(), id);
        assert_eq!(Arguments(&resume).forked(), None);
        let fork = words(&format!("fork {ID}"));
        assert_eq!((Arguments(&fork).resumed(), Arguments(&fork).forked()), (None, id));
        assert_eq!(Arguments(&words("resume --last")).resumed(), None);
        assert!(!Arguments(&words("resume")).begins_anew() && !Arguments(&fork).begins_anew());
        assert!(Arguments(&words("--model resume")).begins_anew());
        assert!(Arguments(&words("say words")).begins_anew());
        assert_eq!(Arguments(&words(&format!("-m resume {ID}"))).resumed(), None);
    }

    #[test]
    fn the_directory_that_an_option_names_is_the_threads() {
        let directory = |line: &str| Arguments(&words(line)).directory(Path::new("/work"));
        assert_eq!(directory("--yolo"), Path::new("/work"));
        assert_eq!(directory("-C ../x --yolo"), Path::new("/work/../x"));
        assert_eq!(directory("--cd=/other"), Path::new("/other"));
    }
}
