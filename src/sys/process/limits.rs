//! Limits that a process puts on itself or on a child it is about to start.
//!
//! Every function here may run between fork and exec: system calls only, no allocation.

use std::io;

/// Whether a child may gain privileges by running a set-user-id program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewPrivileges {
    /// For a child whose descendants live on, as a server does whose shells use sudo.
    Allow,
    /// For a child that only reads and reports.
    Deny,
}

/// Prevents writing files, forking (for all users but root), core dumps and filling the memory. Not a
/// boundary: the child is its user, and may do to itself what that user may.
///
/// For clients that only query a server: a hostile tmux server can make its client write files and run
/// commands (`client.c`, `file.c`; measured on 3.3a and 3.7c).
pub(crate) fn limit_to_queries() -> io::Result<()> {
    use nix::sys::resource::{Resource, setrlimit};
    const MEMORY: u64 = 64 << 20; // a client that lists 1,000 panes needs less than 10 MB
    setrlimit(Resource::RLIMIT_DATA, MEMORY, MEMORY)?;
    for resource in [Resource::RLIMIT_FSIZE, Resource::RLIMIT_NPROC, Resource::RLIMIT_CORE] {
        setrlimit(resource, 0, 0)?;
    }
    deny_new_privileges()
}

/// Sets `no_new_privs`, for good.
pub(crate) fn deny_new_privileges() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true).map_err(io::Error::from)
}

/// Lets this process go on when its terminal hangs up. What it executes does not.
pub fn survive_hangup() {
    extern "C" fn nothing(_: nix::libc::c_int) {}
    // SAFETY: the handler does nothing. It is not SIG_IGN, which programs that are executed would inherit.
    unsafe {
        let handler = nothing as extern "C" fn(nix::libc::c_int) as nix::libc::sighandler_t;
        nix::libc::signal(nix::libc::SIGHUP, handler);
    }
}

/// Lets this process open a few thousand files, if it may.
pub fn raise_open_files() {
    const ENOUGH: u64 = 4096;
    let _ = raise_open_files_to(ENOUGH); // then fewer must do
}

/// Lets this process open so many files, or as many as it may; gives how many.
pub fn raise_open_files_to(enough: u64) -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    let wanted = hard.min(enough).max(soft);
    if wanted == soft || setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_err() {
        return soft;
    }
    wanted
}

/// Makes the kernel send this process a signal when the thread that started it ends, so that a killed
/// parent leaves no hung child behind (prctl(2), `PR_SET_PDEATHSIG`).
pub(crate) fn end_with_parent(signal: rustix::process::Signal) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(signal)).map_err(io::Error::from)
}

/// Replaces the inherited session keyring by an empty one: a process that has the keyring of an
/// administrator's login can read its keys (keyrings(7)).
pub(crate) fn leave_keyring() -> io::Result<()> {
    const JOIN_SESSION_KEYRING: nix::libc::c_long = 1;
    let none = std::ptr::null::<nix::libc::c_char>();
    // SAFETY: keyctl(2) reads no memory of ours where the name is null.
    let joined = unsafe { nix::libc::syscall(nix::libc::SYS_keyctl, JOIN_SESSION_KEYRING, none) };
    if joined >= 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // A kernel without keys, or a filter on this call, which holds for the child, too.
        Some(nix::libc::ENOSYS | nix::libc::EPERM) => Ok(()),
        _ => Err(error),
    }
}

/// Marks every descriptor above standard error close-on-exec.
pub(crate) fn close_descriptors_on_exec() -> io::Result<()> {
    const CLOSE_RANGE_CLOEXEC: u32 = 4;
    close_range(CLOSE_RANGE_CLOEXEC)
}

/// Closes every descriptor above standard error. Nothing of this process may own one.
pub(crate) fn close_descriptors() -> io::Result<()> {
    close_range(0)
}

fn close_range(flags: u32) -> io::Result<()> {
    // SAFETY: close_range(2) reads and writes no memory of ours; the callers see to it that no
    // owned descriptor is closed.
    let result = unsafe { nix::libc::syscall(nix::libc::SYS_close_range, 3_u32, u32::MAX, flags) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
