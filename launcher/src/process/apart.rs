//! Programs that outlive the launcher.
#![allow(clippy::disallowed_methods, reason = "persist is started to save what has changed")]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Starts a program without waiting for it, and not as a child: the shell that this process may become
/// would never collect its exit status.
pub(crate) fn start_apart(mut command: Command) {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec the closure only calls fork(2), _exit(2), setsid(2) and
    // sigprocmask(2).
    #[allow(unsafe_code, reason = "std starts children only")]
    unsafe {
        command.pre_exec(|| match nix::libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                rustix::process::setsid()?;
                super::signals::reset()
            }
            _ => nix::libc::_exit(0),
        });
    }
    if let Ok(mut between) = command.spawn() {
        let _ = between.wait(); // it ended at once
    }
}
