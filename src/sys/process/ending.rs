//! Asking a process that is not a child to end, and waiting for that.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// A process, held by a descriptor, so that its number cannot be reused for another one.
#[derive(Debug)]
pub struct Ending(OwnedFd);

impl Ending {
    /// Opens a process; `None` if it has already ended.
    pub fn of(pid: i32) -> io::Result<Option<Self>> {
        let Some(pid) = Pid::from_raw(pid) else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => Ok(Some(Self(fd))),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the process has ended before `patience` is over.
    pub fn within(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        loop {
            let left = crate::sys::clock::remaining(end);
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&left)) {
                Ok(0) | Err(rustix::io::Errno::INTR) if Instant::now() < end => {}
                Ok(ready) => return ready > 0,
                Err(_) => return false,
            }
        }
    }

    /// Waits for its end; then asks it to end (SIGTERM), and then kills it, each time after `patience`.
    /// Returns whether it has ended.
    pub fn insist(&self, patience: Duration) -> bool {
        [Signal::TERM, Signal::KILL].into_iter().any(|signal| {
            let ended = self.within(patience);
            if !ended {
                let _ = pidfd_send_signal(&self.0, signal); // it has just ended
            }
            ended
        }) || self.within(patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_ignores_every_request_is_killed() {
        let script = "trap '' HUP TERM; echo ready; while :; do sleep 0.05; done";
        let mut child = std::process::Command::new("sh")
            .args(["-c", script])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        let ending = Ending::of(i32::try_from(child.id()).unwrap()).unwrap().unwrap();
        assert!(!ending.within(Duration::from_millis(20)));
        assert!(ending.insist(Duration::from_millis(50)));
        let status = child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    }
}
