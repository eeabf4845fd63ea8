//! How the agent in a pane was started: with which environment, by which program, and whether a shell
//! waits for its end.

use super::foreground_program::join;
use crate::agent::{self, Sighting, arguments, launcher, start_environment};
use crate::persist::capture_policy::CapturePolicy;
use crate::process::{Process, base_name};
use crate::snapshot::Row;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Enters how an agent was started into the row of its pane. `shell` is the user's.
pub(crate) fn enter(row: &mut Row, sighting: &Sighting, shell: &Path, keep: &CapturePolicy) {
    let mut variables = sighting.environment.encode().unwrap_or_default();
    variables.extend(start_environment::further(&sighting.environ.0, &keep.agent_environment));
    row.agent_environment = Some(variables).filter(|variables| !variables.is_empty());
    let [process, above @ ..] = &sighting.line[..] else { return };
    let shell = base_name(shell.as_os_str().as_bytes());
    row.pane_flags.shell = launcher::starts_a_shell_after(&process.argv)
        || above.iter().any(|process| waits(process, sighting.agent, shell));
    row.agent_program = program(process, above.first(), sighting.agent).map(|words| join(&words));
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

/// The words that start an agent: see [`Row::agent_program`]. `parent` is the process that started it, if
/// that is in the pane.
fn program(process: &Process, parent: Option<&Process>, agent: &str) -> Option<Vec<Vec<u8>>> {
    if launcher::is_launcher(process) {
        return Some(launcher::seen(&process.argv)).filter(|words| !words.is_empty());
    }
    // A native program that a script of the same agent started: the script is what was called.
    let script = parent.filter(|parent| {
        let runs = || agent::by_name(agent.as_bytes())?.runs(parent);
        let called = parent.argv.first().is_some_and(|word| arguments::is_interpreter(word));
        called && runs().is_some()
    });
    let process = script.unwrap_or(process);
    let count = agent::arguments::program_words(&process.argv);
    let words = process.argv.get(..count)?;
    let executable = process.executable()?;
    let [called, rest @ ..] = words else { return None };
    let absolute = |word: &[u8]| -> Option<Vec<u8>> {
        let path = Path::new(std::ffi::OsStr::from_bytes(word));
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
    let by_name = options.is_empty() && base_name(script) == agent.as_bytes();
    let name = by_name.then(|| agent.as_bytes().to_vec());
    let words = name.into_iter().chain([executable]).chain(options.iter().cloned());
    Some(words.chain([script_path]).collect())
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
