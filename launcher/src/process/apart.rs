//! Programs that outlive the launcher.
#![allow(clippy::disallowed_methods, reason = "persist is started to save what has changed")]

use std::io::{self, PipeReader, PipeWriter};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Runs `work` in a process of its own, which is left behind if it gets stuck, and finishes what it began if
/// this one ends. It gets a pipe, whose other end is returned. This process must have no other threads.
pub(crate) fn fork_apart(work: impl FnOnce(PipeWriter)) -> io::Result<PipeReader> {
    let (reader, writer) = io::pipe()?;
    // SAFETY: without other threads, a child of fork(2) may do whatever its parent may.
    #[allow(unsafe_code, reason = "std starts programs only")]
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => {
            let _ = nix::sys::wait::waitpid(child, None); // it ends at once
            Ok(reader)
        }
        nix::unistd::ForkResult::Child => {
            // SAFETY: as above.
            #[allow(unsafe_code, reason = "not as a child: the shell that this process may become")]
            let forked = unsafe { nix::unistd::fork() };
            if matches!(forked, Ok(nix::unistd::ForkResult::Child)) {
                drop(reader);
                let _ = rustix::process::setsid();
                leave_terminal();
                work(writer);
            }
            // SAFETY: ends this process without running what its parent registered.
            #[allow(unsafe_code, reason = "std's exit would flush the parent's buffers again")]
            unsafe {
                nix::libc::_exit(0)
            }
        }
    }
}

/// Has nothing in place of the standard streams: whoever reads them waits for the end of all their writers.
fn leave_terminal() {
    use rustix::fs::{Mode, OFlags};
    use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    if let Ok(null) = null {
        let _ =
            dup2_stdin(&null).and_then(|()| dup2_stdout(&null)).and_then(|()| dup2_stderr(&null));
    }
}

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
