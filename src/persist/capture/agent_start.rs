//! How the agent in a pane was started: with which environment, by which program, and whether a shell
//! waits for its end.

use super::foreground_program::join;
use crate::agent::{self, AgentEnvironment, Sighting, arguments, launcher, start_environment};
use crate::persist::capture_policy::CapturePolicy;
use crate::process::{Process, base_name};
use crate::snapshot::Row;
use crate::sys::mounts;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What is recorded of the environment of an agent, or of its view; nothing for an empty one.
pub(crate) fn environment(
    recorded: &AgentEnvironment,
    environ: &[u8],
    keep: &CapturePolicy,
) -> Option<Vec<u8>> {
    let mut variables = recorded.encode().unwrap_or_default();
    variables.extend(start_environment::further(environ, &keep.agent_environment));
    Some(variables).filter(|variables| !variables.is_empty())
}

/// Enters how an agent was started into the row of its pane. `shell` is the user's.
pub(crate) fn enter(row: &mut Row, sighting: &Sighting, shell: &Path, keep: &CapturePolicy) {
    row.agent_environment = environment(&sighting.environment, &sighting.environ.0, keep);
    let [process, above @ ..] = &sighting.line[..] else { return };
    let shell = base_name(shell.as_os_str().as_bytes());
    row.pane_flags.shell = launcher::starts_a_shell_after(&process.argv)
        || above.iter().any(|process| waits(process, sighting.agent, shell));
    let wrapper = above.first().filter(|parent| wraps(parent, process, sighting.agent));
    row.agent_program =
        program(wrapper.unwrap_or(process), sighting.agent).map(|words| join(&words));
    if let Some(wrapper) = wrapper {
        // What it adds to the agent's options, it adds again.
        row.command = Some(join(&wrapper.argv));
    }
}

/// Whether a process that started an agent is what was called: a script or another program of the agent's
/// name that passes its arguments on.
fn wraps(parent: &Process, process: &Process, agent: &str) -> bool {
    let runs = || agent::by_name(agent.as_bytes())?.runs(parent);
    if launcher::is_launcher(process) || launcher::is_launcher(parent) || runs().is_none() {
        return false;
    }
    let called = parent.argv.first().is_some_and(|word| arguments::is_interpreter(word));
    called || parent.executable() != process.executable() && passes_on(&parent.argv, &process.argv)
}

/// Whether the arguments of one program end, or begin, with all that another was given.
fn passes_on(given: &[Vec<u8>], argv: &[Vec<u8>]) -> bool {
    let arguments =
        |argv: &[Vec<u8>]| argv[arguments::program_words(argv).min(argv.len())..].to_vec();
    let (given, passed) = (arguments(given), arguments(argv));
    passed.ends_with(&given) || passed.starts_with(&given)
}

/// Whether a process above an agent goes on as a shell when the agent has ended.
fn waits(process: &Process, agent: &str, shell: &[u8]) -> bool {
    process.is_interactive_shell(shell)
        || launcher::starts_a_shell_after(&process.argv)
        || process.is_shell() && has_more_after(&process.argv, agent)
}

/// Whether a shell that was given commands has others after the agent: `sh -c 'claude; exec bash'`.
fn has_more_after(argv: &[Vec<u8>], agent: &str) -> bool {
    let Some(text) = argv.iter().skip(1).find(|word| !word.starts_with(b"-")) else { return false };
    let given = argv
        .iter()
        .any(|word| word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'c'));
    let Some(separator) = text.iter().rposition(|byte| b";\n".contains(byte)) else { return false };
    let last = text[separator + 1..].trim_ascii();
    given && !last.is_empty() && memchr::memmem::find(last, agent.as_bytes()).is_none()
}

/// The words that start an agent: see [`Row::agent_program`].
fn program(process: &Process, agent: &str) -> Option<Vec<Vec<u8>>> {
    if launcher::is_launcher(process) {
        return Some(launcher::seen(&process.argv)).filter(|words| !words.is_empty());
    }
    let count = agent::arguments::program_words(&process.argv);
    let words = process.argv.get(..count)?;
    let executable = process.executable()?;
    let [called, rest @ ..] = words else { return None };
    let absolute = |word: &[u8]| -> Option<Vec<u8>> {
        let path = Path::new(OsStr::from_bytes(word));
        let path = if path.is_absolute() {
            path.to_owned()
        } else {
            Path::new(&process.cwd()?).join(path)
        };
        Some(path.into_os_string().into_encoded_bytes())
    };
    let executable = executable.as_bytes().to_vec();
    let Some((script, options)) = rest.split_last() else {
        return match called.first() {
            Some(b'/') => Some(vec![called.clone()]),
            _ if called.contains(&b'/') => Some(vec![executable]),
            _ => Some(vec![called.clone(), executable]),
        };
    };
    let script_path = absolute(script)?;
    // By its own first line the interpreter got no options but that line's, and a path.
    let by_name = options.is_empty()
        && base_name(script) == agent.as_bytes()
        && is_found_by_name(process, agent, &script_path);
    let name = by_name.then(|| agent.as_bytes().to_vec());
    let words = name.into_iter().chain([executable]).chain(options.iter().cloned());
    Some(words.chain([script_path]).collect())
}

/// Whether a script is what its process would find by an agent's name: else a wrapper was called by its
/// path, or comes first for others only.
fn is_found_by_name(process: &Process, agent: &str, script: &[u8]) -> bool {
    let environment = process.environment();
    let mut variables = environment.split(|&byte| byte == 0);
    let Some(path) = variables.find_map(|variable| variable.strip_prefix(b"PATH=")) else {
        return true;
    };
    let candidates = std::env::split_paths(OsStr::from_bytes(path)).map(|dir| dir.join(agent));
    let mut found = candidates.filter(|file| mounts::unanswered(file).is_none() && file.is_file());
    found.next().is_none_or(|file| {
        let script = Path::new(OsStr::from_bytes(script));
        file == script || file.canonicalize().ok() == script.canonicalize().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_has_more_to_do_after_the_agent_goes_on() {
        let more = |line: &[&str]| {
            let argv: Vec<Vec<u8>> = line.iter().map(|word| word.as_bytes().to_vec()).collect();
            has_more_after(&argv, "claude")
        };
        assert!(more(&["sh", "-c", "claude --model x; exec bash"]));
        assert!(more(&["bash", "-lc", "cd x\nclaude\nbash"]));
        for line in [
            &["sh", "-c", "claude --model x"][..],
            &["sh", "-c", "cd x; claude"],
            &["sh", "-c", "claude;"],
            &["sh", "/x/script;sh"],
            &["sh"],
        ] {
            assert!(!more(line), "{line:?}");
        }
    }
}
