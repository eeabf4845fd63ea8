//! Waiting for the end of a process that is not a child, and finding out how it ended.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::ioctl::{self, Updater, opcode};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A process, held by a descriptor, so that its number cannot be reused for another one.
#[derive(Debug)]
pub struct Watched {
    fd: OwnedFd,
    pid: i32,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessEnd {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
}

impl ProcessEnd {
    /// Reads a status of wait(2).
    pub fn of_status(status: i32) -> Self {
        match status & 0x7f {
            0 => Self::Exited((status >> 8) & 0xff),
            signal => Self::Signalled(signal),
        }
    }
}

impl Watched {
    /// Opens a process; `None` if it has already ended.
    pub fn new(pid: i32) -> io::Result<Option<Self>> {
        let Some(number) = Pid::from_raw(pid) else { return Ok(None) };
        match pidfd_open(number, PidfdFlags::empty()) {
            Ok(fd) => Ok(Some(Self { fd, pid })),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the process has ended.
    pub fn wait(&self) -> io::Result<()> {
        loop {
            match poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], None) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether the process has ended.
    pub fn has_ended(&self) -> bool {
        let now = Timespec::default();
        poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
    }

    /// How the process ended, as far as the kernel tells one that is not its parent: since Linux 6.15 always;
    /// before, only until its parent has asked.
    pub fn end(&self) -> Option<ProcessEnd> {
        self.reaped().or_else(|| self.zombie()).or_else(|| self.reaped())
    }

    /// Once its parent has asked (`PIDFD_GET_INFO`, `include/uapi/linux/pidfd.h`).
    fn reaped(&self) -> Option<ProcessEnd> {
        const EXIT: u64 = 1 << 3;
        const GET_INFO: ioctl::Opcode = opcode::read_write::<PidfdInfo>(0xff, 11);
        let mut info = PidfdInfo { mask: EXIT, ..PidfdInfo::default() };
        // SAFETY: the kernel writes at most the size that is part of the opcode.
        unsafe {
            let call = Updater::<GET_INFO, PidfdInfo>::new(&mut info);
            ioctl::ioctl(&self.fd, call).ok()?;
        }
        (info.mask & EXIT != 0).then(|| ProcessEnd::of_status(info.exit_code))
    }

    /// Until its parent has asked: the last field of `/proc/<pid>/stat`. The descriptor is held, but a number is
    /// free once the parent has asked, so the state is checked.
    fn zombie(&self) -> Option<ProcessEnd> {
        let text = std::fs::read(format!("/proc/{}/stat", self.pid)).ok()?;
        let after = text.iter().rposition(|&byte| byte == b')')? + 1;
        let text = std::str::from_utf8(&text[after..]).ok()?;
        let mut fields = text.split_ascii_whitespace();
        if fields.next()? != "Z" || !self.has_ended() {
            return None;
        }
        fields.next_back()?.parse().ok().map(ProcessEnd::of_status)
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// `struct pidfd_info`, in its first published size and what followed until Linux 6.16.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    /// Its ids: pid, tgid, ppid, and four pairs of uid and gid.
    ids: [u32; 11],
    exit_code: i32,
    core_dump: [u32; 2],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(script: &str) -> (std::process::Child, Watched) {
        let child = std::process::Command::new("sh").args(["-c", script]).spawn().unwrap();
        let watched = Watched::new(i32::try_from(child.id()).unwrap()).unwrap().unwrap();
        (child, watched)
    }

    #[test]
    fn the_wait_is_over_when_the_process_has_ended() {
        let (mut child, watched) = child("read x");
        child.wait().unwrap();
        watched.wait().unwrap();
        assert!(watched.has_ended());
        assert!(Watched::new(0).unwrap().is_none());
    }

    #[test]
    fn how_it_ended_is_known_before_its_parent_has_asked() {
        for (script, expected) in
            [("exit 7", ProcessEnd::Exited(7)), ("kill -9 $$", ProcessEnd::Signalled(9))]
        {
            let (mut child, watched) = child(script);
            watched.wait().unwrap();
            assert_eq!(watched.end(), Some(expected), "{script}");
            child.wait().unwrap();
            // Since Linux 6.15 afterwards, too.
            assert!(watched.end().is_none_or(|end| end == expected), "{script}");
        }
    }

    #[test]
    fn a_process_that_runs_has_no_end() {
        let (mut child, watched) = child("exec sleep 100");
        assert!(!watched.has_ended());
        assert_eq!(watched.end(), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
