//! The program in a pane's foreground that a restore starts again. Determined from the pane's
//! processes, never from the name that tmux shows.

use crate::agent::{is_view, launcher};
use crate::persist::capture_policy::CapturePolicy;
use crate::process::shell::is_shell_name;
use crate::process::{Proc, Process, base_name};
use crate::sys::mounts;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Longer argument lists are not recorded: some versions of tmux take at most 1,000 words.
const MAX_WORDS: usize = 500;
/// Maximum size of an argument list, in bytes, with a NUL byte for each word.
const MAX_BYTES: usize = 64 << 10;

/// A program that a restore starts again.
pub(crate) struct Program {
    pub(crate) argv: Vec<Vec<u8>>,
    pub(crate) cwd: Option<OsString>,
    /// Its environment, if it is an agent's view: that says whose conversations it shows.
    pub(crate) environ: Vec<u8>,
}

/// Finds the program in the foreground of the pane whose first process is `first`: the leader of the
/// terminal's foreground group, or what a shell or our launcher runs there. Not what other programs
/// started: an editor that git opened is of no use without git. But an agent's view is found below any program
/// (`timeout`), also on a terminal of its own (`script`), as agents are.
pub(crate) fn find(first: i32, keep: &CapturePolicy, proc: &Proc) -> Option<Program> {
    let first_process = proc.process(first, 0)?;
    let foreground = first_process.stat.foreground;
    // Not one that was given a command: what it runs is in its own group.
    let is_idle = first_process.stat.group == foreground && first_process.is_interactive_shell(b"");
    if keep.programs.is_empty() && is_idle {
        return None; // most panes
    }
    let mut found = None;
    // The directories of what waits for other programs: it was there when it started them.
    let mut starters: HashMap<i32, Option<OsString>> = HashMap::new();
    let mut below_others: HashSet<i32> = HashSet::new();
    proc.visit(first, |process| {
        if found.is_some() {
            return false;
        }
        if below_others.contains(&process.stat.parent) {
            below_others.insert(process.pid);
            let is_in_front = process.stat.group == process.stat.foreground;
            if is_in_front && is_view(&process.argv) && process.is_own() {
                let (argv, environ) = (process.argv.clone(), process.environment());
                found = Some(Program { argv, cwd: process.cwd(), environ });
            }
            return found.is_none();
        }
        if process.stat.group != foreground {
            if is_wrapper(process) {
                starters.insert(process.pid, process.cwd());
            }
            return true; // a shell that waits for its job
        }
        if is_kept(&process.argv, keep) && process.is_own() {
            let starter = starters.get(&process.stat.parent).cloned().flatten();
            let argv = process.argv.clone();
            let cwd = if has_operand(&argv) {
                starter.or_else(|| started_in(process)).or_else(|| process.cwd())
            } else {
                process.cwd()
            };
            let environ = if is_view(&argv) { process.environment() } else { Vec::new() };
            found = Some(Program { argv, cwd, environ });
        }
        if is_wrapper(process) {
            starters.insert(process.pid, process.cwd());
        } else {
            below_others.insert(process.pid);
        }
        found.is_none()
    });
    let bytes = |program: &Program| program.argv.iter().map(|word| word.len() + 1).sum::<usize>();
    found.filter(|program| program.argv.len() <= MAX_WORDS && bytes(program) <= MAX_BYTES)
}

/// Whether a program is started again: one that the configuration lists, or an agent's view of other
/// conversations.
pub(crate) fn is_kept(argv: &[Vec<u8>], keep: &CapturePolicy) -> bool {
    keep.keeps_program(argv) || is_view(argv)
}

/// The command line of a program that is not started again, without what may be a secret or a text of the
/// user's: of a shell its options; of others nothing but the name. `...` stands for the rest.
pub(crate) fn without_values(mut argv: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    const LONG: [&[u8]; 2] = [b"--interactive", b"--login"];
    let name = argv.first().map(|word| base_name(word.strip_prefix(b"-").unwrap_or(word)));
    let is_shell = name.is_some_and(is_shell_name);
    let is_option = |word: &Vec<u8>| {
        LONG.contains(&word.as_slice()) || word.starts_with(b"-") && (2..=4).contains(&word.len())
    };
    let shown = argv.iter().skip(1).take_while(|word| is_shell && is_option(word)).count();
    if argv.len() > shown + 1 {
        argv.truncate(shown + 1);
        argv.push(b"...".to_vec());
    }
    argv
}

/// Whether an argument list names something, perhaps a file relative to where the program was started. A
/// program that then changes its directory (`vim` with `autochdir` or `:cd`) still needs to be started
/// there. Without one, where it went is better: a file manager, a monitor.
fn has_operand(argv: &[Vec<u8>]) -> bool {
    argv.iter().skip(1).any(|word| !word.starts_with(b"-") && !word.starts_with(b"+"))
}

/// Where a process was started, as far as its parent said so: `PWD` in its environment. Not if
/// that is no path to a directory.
fn started_in(process: &Process) -> Option<OsString> {
    let environment = process.environment();
    let mut variables = environment.split(|&byte| byte == 0);
    let value = variables.find_map(|variable| variable.strip_prefix(b"PWD="))?;
    let path = Path::new(OsStr::from_bytes(value));
    let is_there = path.is_absolute() && mounts::unanswered(path).is_none() && path.is_dir();
    is_there.then(|| path.as_os_str().to_owned())
}

/// Whether it runs another program in its own process group and waits for it.
fn is_wrapper(process: &Process) -> bool {
    process.is_shell() || [b"env", launcher::PROGRAM.as_bytes()].contains(&process.called())
}

/// Joins words to one field of a snapshot, each ended by a NUL byte.
pub(crate) fn join(argv: &[Vec<u8>]) -> Vec<u8> {
    argv.iter().flat_map(|word| word.iter().copied().chain([0])).collect()
}

/// Splits a field that [`join`] made; `None` if it is invalid.
pub(crate) fn split(field: &[u8]) -> Option<Vec<Vec<u8>>> {
    let words = field.strip_suffix(b"\0")?;
    Some(words.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_shells_options_are_shown_of_a_program_that_is_not_started_again() {
        let shown = |line: &str| {
            let argv = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
            String::from_utf8(without_values(argv).join(&b' ')).unwrap()
        };
        for (line, expected) in [
            ("-bash", "-bash"),
            ("bash --login -i", "bash --login -i"),
            ("zsh -f", "zsh -f"),
            ("bash -c mysql\u{a0}-psecret", "bash -c ..."),
            ("bash --rcfile /x", "bash ..."),
            ("sh script --token=x", "sh ..."),
            ("mysql -psecret", "mysql ..."),
            ("psql postgres://u:p@h/db", "psql ..."),
            ("htop", "htop"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }
}
