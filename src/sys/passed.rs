//! Descriptors that the service manager passed to this process (`sd_listen_fds(3)`).

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The first of them.
const FIRST: RawFd = 3;
/// Most that are taken.
const MOST: RawFd = 4096;

/// A descriptor with its name (`FileDescriptorName=`, or `FDNAME=` of one that was stored).
#[derive(Debug)]
pub struct Passed {
    pub name: String,
    pub descriptor: OwnedFd,
}

/// Takes all of them; none if they are for another process. Programs that are started later get none. Must be
/// called once, before any thread is started and any file is opened.
pub fn take() -> Vec<Passed> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let is_ours = variable("LISTEN_PID").parse() == Ok(std::process::id());
    let count = variable("LISTEN_FDS").parse().unwrap_or(0).clamp(0, MOST);
    let names = variable("LISTEN_FDNAMES");
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
        // SAFETY: the environment is changed while this thread is the only one.
        unsafe { std::env::remove_var(name) };
    }
    if !is_ours {
        return Vec::new();
    }
    let names = names.split(':').chain(std::iter::repeat("unknown"));
    (FIRST..FIRST + count).zip(names).filter_map(|(number, name)| passed(number, name)).collect()
}

/// `None` if it is not open.
fn passed(number: RawFd, name: &str) -> Option<Passed> {
    // SAFETY: it is only asked for its flags, which fails if it is not open.
    let flags = fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) }).ok()?;
    // SAFETY: it is open, was passed to this process by its manager, and is taken once: the variables that name it
    // are removed.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl_setfd(&descriptor, flags | FdFlags::CLOEXEC).ok()?;
    Some(Passed { name: name.to_owned(), descriptor })
}
