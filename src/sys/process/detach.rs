//! For a program that must not delay its caller: a hard deadline, bounded reading, and continuing in
//! the background.

use super::limits;
use crate::sys::clock::remaining;
use nix::libc;
use rustix::event::{PollFd, PollFlags, poll};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

/// Ends this process with exit code 0 after `deadline`, whatever it is doing.
pub fn exit_after(deadline: Duration) {
    extern "C" fn end(_: libc::c_int) {
        // SAFETY: _exit(2) may be called in a signal handler.
        unsafe { libc::_exit(0) };
    }
    let seconds = deadline.as_secs().try_into().unwrap_or(libc::time_t::MAX);
    let value = libc::timeval { tv_sec: seconds, tv_usec: deadline.subsec_micros().into() };
    let timer =
        libc::itimerval { it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 }, it_value: value };
    // SAFETY: the handler only ends the process; setitimer(2) reads a value on our stack.
    unsafe {
        libc::signal(libc::SIGALRM, end as extern "C" fn(libc::c_int) as libc::sighandler_t);
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
    }
}

/// Makes a panic end this process silently with exit code 0.
pub fn exit_quietly_on_panic() {
    // SAFETY: _exit(2) may be called anywhere.
    std::panic::set_hook(Box::new(|_| unsafe { libc::_exit(0) }));
}

/// Reads standard input to its end; `None` if it has more than `limit` bytes or has not ended by `end`.
pub fn read_stdin(limit: usize, end: Instant) -> Option<Vec<u8>> {
    let stdin = io::stdin();
    let mut bytes = Vec::with_capacity(8 << 10);
    let mut buffer = [0_u8; 16 << 10];
    loop {
        let ready = {
            let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut fds, Some(&remaining(end))) {
                Ok(ready) => ready > 0,
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return None,
            }
        };
        // What never stops writing keeps poll(2) from timing out.
        if !ready || Instant::now() >= end {
            return None;
        }
        match rustix::io::read(stdin.as_fd(), &mut buffer) {
            Ok(0) => return Some(bytes),
            Ok(count) if bytes.len() + count > limit => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

/// Continues in a process of its own, which shares only standard input with the caller: own session,
/// output to `/dev/null`, no other open files. Returns whether this is the new process; the old one
/// should end: by then the new one has left its process group. The process must have one thread.
pub fn detach() -> io::Result<bool> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let (left, leaves) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    // SAFETY: with one thread, a fork is a whole copy of the process.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { .. } => {
            drop(leaves);
            let _ = rustix::io::read(&left, &mut [0_u8; 1]); // its end, when the other end is closed
            return Ok(false);
        }
        nix::unistd::ForkResult::Child => {}
    }
    nix::unistd::setsid()?;
    drop((left, leaves));
    for stream in 1..=2 {
        // SAFETY: dup2(2) on the standard streams, which nothing here owns.
        if unsafe { libc::dup2(null.as_raw_fd(), stream) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    drop(null);
    limits::close_descriptors()?;
    Ok(true)
}
