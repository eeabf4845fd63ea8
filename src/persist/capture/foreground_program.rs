//! The program in a pane's foreground that is started again after a restore, by the evidence of
//! the pane's processes: never by the name that tmux shows.

use super::extras::CapturePolicy;
use crate::agent::launcher;
use crate::process::{Proc, Process};
use std::ffi::OsString;

/// Longer argument lists are not kept: some versions of tmux take no more words than 1,000.
const MAX_WORDS: usize = 500;
/// In bytes, all words together.
const MAX_BYTES: usize = 64 << 10;

/// A program that is started again.
pub(crate) struct Program {
    /// Its argument list.
    pub(crate) argv: Vec<Vec<u8>>,
    /// Where it works.
    pub(crate) cwd: Option<OsString>,
}

/// Finds the program in the foreground of the pane whose first process is `first`: the process
/// that leads the terminal's foreground group, or what a shell or our launcher runs there. What
/// other programs start is theirs: an editor that git opened is not started again without git.
pub(crate) fn find(first: i32, keep: &CapturePolicy, proc: &Proc) -> Option<Program> {
    if keep.programs.is_empty() {
        return None;
    }
    let foreground = proc.stat(first)?.foreground;
    let mut found = None;
    proc.visit(first, |process| {
        if found.is_some() {
            return false;
        }
        if process.stat.group != foreground {
            return true; // a shell that waits for its job
        }
        if keep.keeps_program(&process.argv) && process.is_own() {
            let (argv, cwd) = (process.argv.clone(), process.cwd());
            found = Some(Program { argv, cwd });
        }
        found.is_none() && is_wrapper(process)
    });
    let bytes = |program: &Program| program.argv.iter().map(|word| word.len() + 1).sum::<usize>();
    found.filter(|program| program.argv.len() <= MAX_WORDS && bytes(program) <= MAX_BYTES)
}

/// Whether it runs another program in its own process group and waits for it.
fn is_wrapper(process: &Process) -> bool {
    process.is_shell() || [b"env", launcher::PROGRAM.as_bytes()].contains(&process.called())
}

/// Words in a snapshot's field, each ended by a NUL byte.
pub(crate) fn join(argv: &[Vec<u8>]) -> Vec<u8> {
    argv.iter().flat_map(|word| word.iter().copied().chain([0])).collect()
}

/// Reads [`join`]'s field; `None` when it is none.
pub(crate) fn split(field: &[u8]) -> Option<Vec<Vec<u8>>> {
    let words = field.strip_suffix(b"\0")?;
    Some(words.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect())
}
