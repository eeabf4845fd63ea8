//! The running program as a command line for a shell, for what others are told to run.

use crate::text::shell_quote::quoted;
pub(super) use crate::text::shell_quote::{QUIETLY, shell_line};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where the running program is; none when it has been replaced since.
pub(super) fn program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.is_file().then_some(program)
}

/// `NAME='value' `, to go before a command line.
pub(super) fn assignment(name: &str, value: &Path) -> Vec<u8> {
    [name.as_bytes(), b"=", &quoted(value.as_os_str().as_bytes()), b" "].concat()
}
