//! What the command line of a Claude Code says (pure).

use crate::agent::conversation::{ConversationId, option};
use crate::process::base_name;

/// Whether it is an interactive Claude Code: a one-shot `claude -p` has no conversation to come back to.
pub(super) fn is_interactive(argv: &[Vec<u8>]) -> bool {
    is_claude(argv) && !asks_once(argv)
}

pub(super) fn asks_once(argv: &[Vec<u8>]) -> bool {
    argv.iter().any(|word| word == b"-p" || word == b"--print")
}

/// One native program, or node with the package's script; argv stays as typed.
pub(super) fn is_claude(argv: &[Vec<u8>]) -> bool {
    let called = |word: &Vec<u8>| base_name(word) == b"claude";
    let script =
        |word: &Vec<u8>| called(word) || memchr::memmem::find(word, b"/claude-code/").is_some();
    let rest = match argv {
        [program, script_path, rest @ ..] if matches!(base_name(program), b"node" | b"bun") => {
            if !script(script_path) {
                return false;
            }
            rest
        }
        // An interpreter line: `sh /path/claude`.
        [_, script_path, rest @ ..] if called(script_path) => rest,
        [program, rest @ ..] if called(program) => rest,
        _ => return false,
    };
    !rest.first().is_some_and(|word| SUBCOMMANDS.contains(&word.as_slice()))
}

/// First arguments with which it is no conversation of this pane's: a view of others, a service, a
/// tool. What such a process shows, and what it wrote, names no conversation to come back to.
const SUBCOMMANDS: [&[u8]; 18] = [
    b"agents",
    b"attach",
    b"auth",
    b"bg-pty-host",
    b"bg-spare",
    b"daemon",
    b"doctor",
    b"gateway",
    b"import",
    b"install",
    b"logs",
    b"mcp",
    b"plugin",
    b"purge",
    b"respawn",
    b"rm",
    b"stop",
    b"update",
];

/// The conversation that the arguments name: an id, or the path of a transcript.
pub(super) fn named_in_argv(argv: &[Vec<u8>]) -> Option<ConversationId> {
    let value = option(argv, &["--session-id", "--resume", "-r"])?;
    let name = base_name(value);
    ConversationId::parse(name.strip_suffix(b".jsonl").unwrap_or(name))
}
