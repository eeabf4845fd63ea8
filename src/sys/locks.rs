//! A lock that its holder's death releases (flock(2)), waited for no longer than a deadline.

use super::clock;
use super::files::{Dir, FileError};
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant, SystemTime};

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub struct Lock {
    fd: OwnedFd,
}

impl Lock {
    /// Lets others have it from now on.
    pub fn release(&self) {
        let _ = rustix::fs::flock(&self.fd, FlockOperation::Unlock); // fails on no lock of ours
    }

    /// How long ago it was marked last: no time at all when the clock went back since.
    pub fn age(&self) -> Duration {
        let marked = rustix::fs::fstat(&self.fd).ok().and_then(|stat| {
            let since =
                Duration::new(stat.st_mtime.try_into().ok()?, stat.st_mtime_nsec.try_into().ok()?);
            SystemTime::UNIX_EPOCH.checked_add(since)
        });
        marked.and_then(|marked| marked.elapsed().ok()).unwrap_or_default()
    }

    /// Marks it with the present.
    pub fn mark(&self) {
        let now = || rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        let times = rustix::fs::Timestamps { last_access: now(), last_modification: now() };
        let _ = rustix::fs::futimens(&self.fd, &times); // only for pacing
    }
}

/// Takes the exclusive lock `name` in `dir`, making the file when it is absent.
///
/// The descriptor is close-on-exec, so no child (a tmux server above all) keeps the lock.
pub fn exclusive(dir: &Dir, name: &str, wait: Duration) -> Result<Lock, FileError> {
    let path = dir.path().join(name);
    let failed = |source: io::Error| FileError { doing: "locking", path: path.clone(), source };
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir.fd(), name, flags, Mode::RUSR | Mode::WUSR)
        .map_err(|source| failed(source.into()))?;
    let stat = rustix::fs::fstat(&fd).map_err(|source| failed(source.into()))?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(failed(io::Error::other("not a regular file")));
    }
    let end = Instant::now() + wait;
    loop {
        match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock { fd }),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < end => {
                clock::pause(Duration::from_millis(5));
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let why = format!("held by another for more than {} s", wait.as_secs_f32());
                return Err(failed(io::Error::new(io::ErrorKind::TimedOut, why)));
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(source) => return Err(failed(source.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_waits_no_longer_than_the_deadline_and_a_drop_releases() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        let held = exclusive(&dir, "lock", Duration::ZERO).unwrap();
        let refused = exclusive(&dir, "lock", Duration::from_millis(20)).unwrap_err();
        assert_eq!(refused.source.kind(), io::ErrorKind::TimedOut);
        drop(held);
        exclusive(&dir, "lock", Duration::ZERO).unwrap();
    }
}
