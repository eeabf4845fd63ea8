//! An agent's argument list: which words are its program, and which of the others come back with a
//! resumed conversation (pure).

use super::launcher;
use crate::process::base_name;

/// Programs that run the script which their first argument names, and options of theirs that have a value.
const INTERPRETERS: [&[u8]; 9] =
    [b"node", b"nodejs", b"bun", b"deno", b"sh", b"bash", b"dash", b"ash", b"zsh"];
const WITH_VALUE: [&[u8]; 11] = [
    b"-r",
    b"--require",
    b"--import",
    b"--loader",
    b"--experimental-loader",
    b"-C",
    b"--conditions",
    b"--preload",
    b"-o",
    b"-O",
    b"--rcfile",
];

/// How many words of an argument list are the program: one, or an interpreter with its options and the
/// script.
pub fn program_words(argv: &[Vec<u8>]) -> usize {
    let Some(program) = argv.first() else { return 0 };
    if !is_interpreter(program) {
        return 1;
    }
    let mut at = 1;
    while let Some(word) = argv.get(at) {
        if WITH_VALUE.contains(&word.as_slice()) {
            at += 2;
        } else if word.starts_with(b"-") || at == 1 && word == b"run" {
            at += 1;
        } else {
            return at + 1;
        }
    }
    1
}

pub fn is_interpreter(program: &[u8]) -> bool {
    INTERPRETERS.contains(&base_name(program))
}

/// The options that an agent gets again, from the argument list that it was seen with: its own, or that of
/// our launcher. With `is_new` its conversation starts anew.
pub fn kept(agent: &str, argv: &[Vec<u8>], is_new: bool) -> Vec<Vec<u8>> {
    let own = launcher::arguments_for_agent(argv).unwrap_or_else(|| &argv[program_words(argv)..]);
    shared::agent_options::kept(agent, own, is_new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn the_program_ends_with_the_script() {
        for (line, count) in [
            ("claude --model x", 1),
            ("/x/codex-x86_64-unknown-linux-musl resume", 1),
            ("node /x/cli.js --model x", 2),
            ("/usr/bin/node --max-old-space-size=9 -r ./a.js --no-warnings /x/claude -c", 6),
            ("bun run /x/cli.js", 3),
            ("sh -e /x/claude", 3),
            ("node --inspect", 1),
        ] {
            assert_eq!(program_words(&words(line)), count, "{line}");
        }
        assert_eq!(program_words(&[]), 0);
    }

    #[test]
    fn options_come_from_the_agent_or_from_the_launcher_that_waits_for_it() {
        let kept = |line: &str| {
            let words = kept("claude", &words(line), false);
            String::from_utf8(words.join(&b' ')).unwrap()
        };
        assert_eq!(kept("node --no-warnings /x/cli.js --ide -c"), "--ide");
        assert_eq!(kept("/x/start-claude --wait --name -- --ide -- --resume u"), "");
        assert_eq!(kept("/x/start-claude --wait --name x -- --ide --model x"), "--ide --model x");
        assert_eq!(kept("start-claude --agent claude"), "");
    }
}
