//! Which agent a command line runs (pure). An agent is known by the name of its program: the first
//! word, or the script of an interpreter; what other programs do with a file of that name does not
//! count (`vim claude`).

use super::Agent;
use crate::process::{Process, base_name};

/// The name of Claude Code in snapshots and on command lines.
pub(super) const CLAUDE: &str = "claude";
/// The name of Codex.
pub(super) const CODEX: &str = "codex";
pub(super) const AIDER: &str = "aider";
pub(super) const COPILOT: &str = "copilot";
pub(super) const GEMINI: &str = "gemini";
pub(super) const OPENCODE: &str = "opencode";
pub(super) const PI: &str = "pi";
pub(super) const QWEN: &str = "qwen";

/// The agents that are known without any configuration.
pub(super) const KNOWN: [&str; 8] = [AIDER, CLAUDE, CODEX, COPILOT, GEMINI, OPENCODE, PI, QWEN];

/// The other agents: each by the name of its program, which is that of its script too, or by a part of
/// the path of its script.
const OTHERS: [(&str, &[u8]); 6] = [
    (AIDER, b"/aider/__main__.py"),
    (COPILOT, b"/@github/copilot/"),
    (GEMINI, b"/@google/gemini-cli/"),
    (OPENCODE, b"/opencode-ai/"),
    (PI, b"/pi-coding-agent/"),
    (QWEN, b"/@qwen-code/qwen-code/"),
];

/// Shells: their first argument that is no option is the script that they run.
const SHELLS: [&[u8]; 8] = [b"ash", b"bash", b"dash", b"fish", b"ksh", b"mksh", b"sh", b"zsh"];
/// Other interpreters, for which the same holds.
const INTERPRETERS: [&[u8]; 7] = [b"bun", b"deno", b"node", b"nodejs", b"perl", b"ruby", b"tsx"];
/// Options of either that take the next word for a value.
const WITH_VALUE: [&[u8]; 13] = [
    b"+O",
    b"+o",
    b"--conditions",
    b"--import",
    b"--init-file",
    b"--loader",
    b"--rcfile",
    b"--require",
    b"-O",
    b"-W",
    b"-X",
    b"-o",
    b"-r",
];
/// Options of interpreters after which no script follows.
const WITHOUT_SCRIPT: [&[u8]; 6] = [b"--eval", b"--print", b"-c", b"-e", b"-m", b"-p"];
/// What Claude Code runs as from its own binary: tools of other names.
const TOOLS_INSIDE: [&[u8]; 4] = [b"rg", b"ugrep", b"bfs", b"find"];

/// An agent's command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Program<'a> {
    /// The agent's name.
    pub(super) agent: &'static str,
    /// The words after the program, or after the script.
    pub(super) arguments: &'a [Vec<u8>],
}

/// The agent that an argument list runs; `executable` is the name of the file that the process
/// executes, which counts if the program goes by another name.
pub(super) fn of(
    argv: &[Vec<u8>],
    executable: impl FnOnce() -> Option<Vec<u8>>,
) -> Option<Program<'_>> {
    let (first, rest) = argv.split_first()?;
    if let Some(agent) = agent_called(first) {
        // A program of that name is not rare: pi is what an interpreter runs.
        if agent == PI && !executable().is_some_and(|file| is_interpreter(&file)) {
            return None;
        }
        return Some(Program { agent, arguments: rest });
    }
    let name = base_name(first);
    if is_interpreter(name) {
        let at = script(name, rest)?;
        let agent = agent_called(&rest[at])?;
        return Some(Program { agent, arguments: &rest[at + 1..] });
    }
    // A shell at its prompt is called `-bash`: most processes, which need no more calls.
    if name.starts_with(b"-") || TOOLS_INSIDE.contains(&name) {
        return None;
    }
    let agent = agent_called(&executable()?)?;
    Some(Program { agent, arguments: rest })
}

/// Whether a program of that name runs a script.
pub(super) fn is_interpreter(name: &[u8]) -> bool {
    let is_loader = name.starts_with(b"ld-linux") || name.starts_with(b"ld-musl");
    is_shell(name) || INTERPRETERS.contains(&name) || name.starts_with(b"python") || is_loader
}

fn is_shell(name: &[u8]) -> bool {
    SHELLS.contains(&name)
}

/// Where the script is among the arguments of an interpreter.
fn script(interpreter: &[u8], arguments: &[Vec<u8>]) -> Option<usize> {
    let mut words = arguments.iter().map(Vec::as_slice).enumerate();
    while let Some((at, word)) = words.next() {
        let is_short = word.starts_with(b"-") && !word.starts_with(b"--");
        let has_no_script = if is_shell(interpreter) {
            is_short && word.contains(&b'c') || word.starts_with(b"--command")
        } else {
            WITHOUT_SCRIPT.contains(&word)
        };
        if has_no_script {
            return None;
        }
        if word == b"--" {
            return words.next().map(|(at, _)| at);
        }
        if WITH_VALUE.contains(&word) {
            words.next();
        } else if !word.starts_with(b"-") && !word.starts_with(b"+") && word != b"run" {
            return Some(at);
        }
    }
    None
}

/// The agent whose program, or whose script, this path is.
fn agent_called(path: &[u8]) -> Option<&'static str> {
    let name = base_name(path);
    // Wrappers of some package managers keep the program itself as `.NAME-wrapped`.
    let wrapped = name.strip_prefix(b".").and_then(|name| name.strip_suffix(b"-wrapped"));
    let name = wrapped.unwrap_or(name);
    let name = name.strip_suffix(b".exe").unwrap_or(name);
    if name == CLAUDE.as_bytes() || is_script_of_claude(path) {
        return Some(CLAUDE);
    }
    if name == CODEX.as_bytes() || name == b"codex.js" || is_codex_of_a_platform(name) {
        return Some(CODEX);
    }
    let script = [&b".js"[..], b".mjs", b".cjs", b".py"].iter().find_map(|s| name.strip_suffix(*s));
    let is_it = |agent: &str, part: &[u8]| {
        name == agent.as_bytes()
            || script == Some(agent.as_bytes())
            || script.is_some() && memchr::memmem::find(path, part).is_some()
    };
    let known = OTHERS.iter().find(|(agent, part)| is_it(agent, part)).map(|(agent, _)| *agent);
    known.or_else(|| super::described::of_program(name))
}

/// The agent that a process runs.
pub(super) fn agent_of(process: &Process) -> Option<&'static dyn Agent> {
    let program = of(&process.argv, || process.executable_name())?;
    super::by_name(program.agent.as_bytes())
}

fn is_script_of_claude(path: &[u8]) -> bool {
    let is_script = [&b".js"[..], b".mjs", b".cjs"].iter().any(|suffix| path.ends_with(suffix));
    is_script && memchr::memmem::find(path, b"/claude-code/").is_some()
}

/// The release binaries are called `codex-<processor>-<vendor>-<system>`, or a part of that.
fn is_codex_of_a_platform(name: &[u8]) -> bool {
    const WORDS: [&[u8]; 15] = [
        b"x86_64",
        b"aarch64",
        b"arm64",
        b"x64",
        b"i686",
        b"riscv64gc",
        b"pc",
        b"unknown",
        b"apple",
        b"linux",
        b"darwin",
        b"windows",
        b"musl",
        b"gnu",
        b"msvc",
    ];
    let platform = name.strip_prefix(b"codex-");
    platform
        .is_some_and(|platform| platform.split(|&byte| byte == b'-').all(|w| WORDS.contains(&w)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(line: &str) -> Option<(&'static str, String)> {
        let argv: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let program = of(&argv, || None)?;
        let arguments = program.arguments.join(&b' ');
        Some((program.agent, String::from_utf8(arguments).unwrap()))
    }

    #[test]
    fn an_agent_is_known_by_its_program_or_by_an_interpreters_script() {
        for (line, name, arguments) in [
            ("claude", CLAUDE, ""),
            ("/x/bin/claude --resume u", CLAUDE, "--resume u"),
            ("/x/.claude-wrapped -c", CLAUDE, "-c"),
            ("/x/bin/claude.exe daemon run", CLAUDE, "daemon run"),
            ("node /x/@anthropic-ai/claude-code/cli.js mcp", CLAUDE, "mcp"),
            ("node --max-old-space-size=8192 /x/claude-code/cli.js -p x", CLAUDE, "-p x"),
            ("node -r /x/hook.js /x/bin/claude", CLAUDE, ""),
            ("/bin/sh /x/claude", CLAUDE, ""),
            ("bash -e -o pipefail /x/claude a", CLAUDE, "a"),
            ("bash -- /x/claude", CLAUDE, ""),
            ("python3.11 -u /x/claude", CLAUDE, ""),
            ("codex resume u", CODEX, "resume u"),
            ("node --flag /path/codex", CODEX, ""),
            ("node /x/codex.js app-server", CODEX, "app-server"),
            ("./codex-x86_64-unknown-linux-musl", CODEX, ""),
            ("/x/codex-aarch64-apple-darwin exec", CODEX, "exec"),
            ("codex-linux-x64", CODEX, ""),
            ("node /x/bin/copilot --resume=u", COPILOT, "--resume=u"),
            ("/x/copilot-linux-x64/copilot --banner", COPILOT, "--banner"),
            ("node /x/@github/copilot/npm-loader.js", COPILOT, ""),
            ("node --max-old-space-size=9 /x/.bin/gemini -m a", GEMINI, "-m a"),
            ("node /x/@google/gemini-cli/bundle/gemini.js", GEMINI, ""),
            ("opencode -s x", OPENCODE, "-s x"),
            ("node /x/@qwen-code/qwen-code/cli.js -c", QWEN, "-c"),
            ("node /usr/local/bin/qwen", QWEN, ""),
            ("node /x/bin/pi --session u", PI, "--session u"),
            ("/v/bin/python /v/bin/aider --model x", AIDER, "--model x"),
        ] {
            assert_eq!(agent(line), Some((name, arguments.to_owned())), "{line}");
        }
    }

    #[test]
    fn what_another_program_is_given_is_no_agent() {
        for line in [
            "less claude",
            "vim claude",
            "ssh claude",
            "tail -f codex",
            "man codex",
            "node x.js",
            "bash -c claude",
            "bash -lc claude",
            "sh -c exec claude",
            "python3 -m claude",
            "node -e claude",
            "-bash",
            "codex-notes",
            "codex-linux-notes.txt",
            "codex-",
            "claude-monitor",
            "vim claude.rs",
            "docker run claude",
            "vim /x/claude-code/cli.js",
            "cat /x/claude-code/README.md",
            "vim gemini.md",
            "node /x/@google/gemini-cli/README.md",
            "pi",
            "/usr/bin/pi 1000",
            "qwen2.5-server",
            "copilot-notes",
            "man opencode",
        ] {
            assert_eq!(agent(line), None, "{line}");
        }
        assert_eq!(of(&[], || None), None);
    }

    #[test]
    fn a_program_of_another_name_is_known_by_its_file_but_for_the_tools_inside_it() {
        let argv = |word: &str| vec![word.as_bytes().to_vec(), b"x".to_vec()];
        let file = || Some(b"claude".to_vec());
        assert_eq!(of(&argv("assistant"), file).unwrap().agent, CLAUDE);
        assert_eq!(of(&argv("pi"), || Some(b"node".to_vec())).unwrap().agent, PI);
        assert_eq!(of(&argv("pi"), || Some(b"pi".to_vec())), None);
        assert_eq!(of(&argv("rg"), file), None);
        assert_eq!(of(&argv("-bash"), || unreachable!()), None);
    }
}
