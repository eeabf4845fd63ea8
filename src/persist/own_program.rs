//! The running program, for command lines that tmux and agents run later.

use crate::text::shell_quote::quoted;
pub(super) use crate::text::shell_quote::{QUIETLY, shell_line};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Path of the running program; `None` if the file was replaced since it started.
pub(super) fn program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.is_file().then_some(program)
}

/// `NAME='value' `, to be put before a command line.
pub(super) fn assignment(name: &str, value: &Path) -> Vec<u8> {
    [name.as_bytes(), b"=", &quoted(value.as_os_str().as_bytes()), b" "].concat()
}
