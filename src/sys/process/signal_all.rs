//! Finds and kills all processes of an account: by process descriptor, so that no reused number is hit,
//! and all at once, so that no process escapes by forking.

use crate::sys::clock::remaining;
use nix::libc;
use nix::sys::wait::{WaitStatus, waitpid};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal};
use std::collections::BTreeSet;
use std::io;
use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long one signal to all processes of a uid may take.
const CHILD_DEADLINE: Duration = Duration::from_secs(2);
/// The real and saved uid of the process that signals: reserved, so that no process has it (systemd's
/// "Users, Groups, UIDs and GIDs on systemd Systems").
const APART: u32 = 65_535;

/// The uids of an account: its own, and the ranges of `/etc/subuid` that only it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountUids {
    pub uid: u32,
    /// Subordinate uids.
    pub ranges: Vec<RangeInclusive<u32>>,
}

impl AccountUids {
    /// Whether a uid counts as the account's.
    pub fn has(&self, uid: u32) -> bool {
        uid == self.uid || self.ranges.iter().any(|range| range.contains(&uid))
    }
}

/// A process of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    /// Its name, at most 15 bytes, chosen by its owner.
    pub name: String,
    /// Whether it has ended, but its parent has not read its status yet.
    pub ended: bool,
    /// Whether one of its uids is not the account's.
    is_mixed: bool,
    /// Those of its uids (real, effective, saved) that are the account's.
    uids: BTreeSet<u32>,
}

/// Finds the processes that have a uid of the account. Those that start or end meanwhile may be missed.
pub fn find(uids: &AccountUids) -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        found.extend(inspect(pid, uids));
    }
    Ok(found)
}

/// Whether this process or an ancestor of it belongs to the account: killing all would kill this one.
pub fn we_descend_from(uids: &AccountUids) -> bool {
    let mut pid = i32::try_from(std::process::id()).unwrap_or(0);
    while pid > 1 {
        if inspect(pid, uids).is_some() {
            return true;
        }
        let status = std::fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
        let parent = field(&String::from_utf8_lossy(&status), "PPid:").and_then(|s| s.parse().ok());
        pid = parent.unwrap_or(0);
    }
    false
}

/// Kills every process of the account: first all processes of each uid at once, then one by one those of
/// which only the effective uid is the account's. Calls `mixed` for each process that has another uid, too,
/// before it is killed. Returns those that still run.
///
/// # Errors
/// A child cannot be started, or could not become the uid.
pub fn kill_all(uids: &AccountUids, mixed: &mut dyn FnMut(&Process)) -> io::Result<Vec<Process>> {
    signal_all(uids, (libc::SIGKILL, Signal::KILL), mixed)?;
    let mut left = find(uids)?;
    left.retain(|process| !process.ended);
    Ok(left)
}

/// Stops every process of the account (SIGSTOP), so that none of them sees or does anything more. Those that
/// also have another uid, as set-user-id programs have, are killed: they may hold locks of the host. `mixed` as
/// in [`kill_all`]. Returns how many there were.
///
/// # Errors
/// As [`kill_all`].
pub fn stop_all(uids: &AccountUids, mixed: &mut dyn FnMut(&Process)) -> io::Result<usize> {
    signal_all(uids, (libc::SIGSTOP, Signal::STOP), mixed)
}

/// The uid itself first: nothing is looked at before its processes have the signal.
fn signal_all(
    uids: &AccountUids,
    (number, signal): (libc::c_int, Signal),
    mixed: &mut dyn FnMut(&Process),
) -> io::Result<usize> {
    child_of_uid(uids.uid, number)?;
    let mut found = find(uids)?;
    found.retain(|process| !process.ended);
    let mut used: BTreeSet<u32> =
        found.iter().flat_map(|process| process.uids.iter().copied()).collect();
    used.remove(&uids.uid);
    found.iter().filter(|process| process.is_mixed).for_each(&mut *mixed);
    for uid in used {
        child_of_uid(uid, number)?;
    }
    for process in &found {
        signal_one(process.pid, uids, if process.is_mixed { Signal::KILL } else { signal });
    }
    Ok(found.len())
}

/// Lets one stopped process of the account go on.
pub fn go_on(pid: i32, uids: &AccountUids) {
    signal_one(pid, uids, Signal::CONT);
}

/// Whether the kernel knows no process that a process of this uid could signal; no fork escapes that.
///
/// # Errors
/// As [`kill_all`].
pub fn none_left(uid: u32) -> io::Result<bool> {
    child_of_uid(uid, 0).map(|some| !some)
}

/// Whether no process has the reserved uid, as it was when this was first asked.
fn is_apart_free() -> bool {
    static FREE: OnceLock<bool> = OnceLock::new();
    let apart = AccountUids { uid: APART, ranges: Vec::new() };
    *FREE.get_or_init(|| find(&apart).is_ok_and(|found| found.is_empty()))
}

/// Forks, takes `uid` as the effective uid in the child and signals all processes that it may; returns whether
/// there were any. `kill(-1)` walks the kernel's list under a lock; a fork that is in progress sees the signal and
/// fails. A process may be signalled by those that have its real or saved uid (kill(2)): the child's are others,
/// so no process of the account can stop or kill it.
fn child_of_uid(uid: u32, signal: libc::c_int) -> io::Result<bool> {
    const SOME: i32 = 10;
    const NONE: i32 = 11;
    if uid == 0 {
        return Err(io::Error::other("not as root"));
    }
    let other = if is_apart_free() { APART } else { uid };
    // SAFETY: the child makes only system calls on values computed before the fork, and ends by
    // _exit(2); so it does not matter what other threads held.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => {
            // Where the other uid cannot be had, a process of the account may stop the child.
            if let Some(number) = Pid::from_raw(child.as_raw()) {
                let fd = rustix::process::pidfd_open(number, PidfdFlags::empty())?;
                let mut fds = [PollFd::new(&fd, PollFlags::IN)];
                let end = Instant::now() + CHILD_DEADLINE;
                while Instant::now() < end
                    && poll(&mut fds, Some(&remaining(end))) == Err(rustix::io::Errno::INTR)
                {
                }
                let _ = rustix::process::pidfd_send_signal(&fd, rustix::process::Signal::KILL);
            }
            match waitpid(child, None)? {
                WaitStatus::Exited(_, NONE) => Ok(false),
                // A killed child was killed by a process of the account, which exists then.
                WaitStatus::Exited(_, SOME) | WaitStatus::Signaled(..) => Ok(true),
                other => Err(io::Error::other(format!("signalling as uid {uid}: {other:?}"))),
            }
        }
        // SAFETY: raw system calls on plain numbers. As root, or with capabilities, the signal would go
        // to all processes of the host: it is checked before that this process has only those uids.
        nix::unistd::ForkResult::Child => unsafe {
            let plain = libc::prctl(libc::PR_GET_SECUREBITS) == 0
                && libc::prctl(libc::PR_GET_KEEPCAPS) == 0
                // A user namespace may lack the other uid.
                && (libc::syscall(libc::SYS_setresuid, other, uid, other) == 0
                    || libc::syscall(libc::SYS_setresuid, uid, uid, uid) == 0);
            let (mut real, mut effective, mut saved) = (0_u32, 0_u32, 0_u32);
            let known = libc::getresuid(&raw mut real, &raw mut effective, &raw mut saved) == 0;
            let dropped =
                effective == uid && [real, saved].iter().all(|&had| had == uid || had == other);
            if !(plain && known && dropped) || libc::syscall(libc::SYS_setresuid, 0, 0, 0) == 0 {
                libc::_exit(1);
            }
            libc::_exit(if libc::kill(-1, signal) == 0 { SOME } else { NONE })
        },
    }
}

/// Signals one process through its descriptor, if it still belongs to the account.
fn signal_one(pid: i32, uids: &AccountUids, signal: Signal) {
    let Some(number) = Pid::from_raw(pid) else { return };
    let Ok(fd) = rustix::process::pidfd_open(number, PidfdFlags::empty()) else { return };
    if inspect(pid, uids).is_none() {
        return;
    }
    // Fails only if it has ended meanwhile.
    let _ = rustix::process::pidfd_send_signal(&fd, signal);
}

fn inspect(pid: i32, account: &AccountUids) -> Option<Process> {
    let status = std::fs::read(format!("/proc/{pid}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    let uids = field(&status, "Uid:")?.split_whitespace().take(3);
    let uids: BTreeSet<u32> = uids.filter_map(|uid| uid.parse().ok()).collect();
    let is_mixed = uids.iter().any(|uid| !account.has(*uid));
    let uids: BTreeSet<u32> = uids.into_iter().filter(|uid| account.has(*uid)).collect();
    if uids.is_empty() {
        return None;
    }
    let name = field(&status, "Name:").unwrap_or_default().to_owned();
    let ended = field(&status, "State:").is_some_and(|state| state.starts_with(['Z', 'X']));
    Some(Process { pid, name, ended, is_mixed, uids })
}

/// A line of a status file; names in it hold no line ends.
fn field<'a>(status: &'a str, key: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_nobody_to_signal() {
        assert!(none_left(0).is_err());
        assert!(kill_all(&AccountUids { uid: 0, ranges: Vec::new() }, &mut |_| ()).is_err());
    }

    #[test]
    fn ranges_and_the_uid_count() {
        let theirs = AccountUids { uid: 7, ranges: vec![100..=199, 300..=300] };
        let has: Vec<u32> = (0..400).filter(|uid| theirs.has(*uid)).collect();
        assert_eq!(has.len(), 102);
        assert!(theirs.has(7) && theirs.has(199) && theirs.has(300) && !theirs.has(200));
    }
}
