//! Locks that the kernel releases when their holder ends (flock(2)), with a deadline.

use super::clock;
use super::fs::{Dir, FileError};
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant, SystemTime};

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub struct Lock {
    fd: OwnedFd,
}

impl Lock {
    /// Releases it early.
    pub fn release(&self) {
        let _ = rustix::fs::flock(&self.fd, FlockOperation::Unlock); // fails on no lock of ours
    }

    /// Time since it was last marked; zero if the clock went back.
    pub fn age(&self) -> Duration {
        let marked = rustix::fs::fstat(&self.fd).ok().and_then(|stat| {
            let since =
                Duration::new(stat.st_mtime.try_into().ok()?, stat.st_mtime_nsec.try_into().ok()?);
            SystemTime::UNIX_EPOCH.checked_add(since)
        });
        marked.and_then(|marked| marked.elapsed().ok()).unwrap_or_default()
    }

    /// Marks it with the present time.
    pub fn mark(&self) {
        let now = || rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        let times = rustix::fs::Timestamps { last_access: now(), last_modification: now() };
        let _ = rustix::fs::futimens(&self.fd, &times); // only for pacing
    }
}

/// Takes the exclusive lock `name` in `dir`; a missing file is made. The descriptor is close-on-exec, so
/// that no child keeps the lock. On a read-only file system an existing file is locked all the same.
pub fn exclusive(dir: &Dir, name: &str, wait: Duration) -> Result<Lock, FileError> {
    let path = dir.path().join(name);
    let failed = |source: io::Error| FileError { doing: "locking", path: path.clone(), source };
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |how| rustix::fs::openat(dir.fd(), name, flags | how, Mode::RUSR | Mode::WUSR);
    let fd = match open(OFlags::RDWR | OFlags::CREATE) {
        // The file may be missing: then the first error says more.
        Err(Errno::ROFS) => open(OFlags::RDONLY).map_err(|_| Errno::ROFS),
        opened => opened,
    };
    let fd = fd.map_err(|source| failed(source.into()))?;
    let stat = rustix::fs::fstat(&fd).map_err(|source| failed(source.into()))?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(failed(io::Error::other("not a regular file")));
    }
    let end = Instant::now() + wait;
    loop {
        match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock { fd }),
            Err(Errno::WOULDBLOCK) if Instant::now() < end => {
                clock::pause(Duration::from_millis(5));
            }
            Err(Errno::WOULDBLOCK) => {
                let held = Held { holder: holder_of(&stat), wait };
                return Err(failed(io::Error::new(io::ErrorKind::TimedOut, held)));
            }
            Err(Errno::INTR) => {}
            Err(source) => return Err(failed(source.into())),
        }
    }
}

/// A lock that another process held for too long.
#[derive(Debug, thiserror::Error)]
#[error("held by {} for more than {} s", holder.as_ref().map_or("another process", |(_, name)| name), wait.as_secs_f32())]
struct Held {
    /// The process, with its id and name for a message.
    holder: Option<(u32, String)>,
    wait: Duration,
}

/// The id of the process that held the lock for too long, if the error is that and the id is known.
pub fn holder(error: &FileError) -> Option<u32> {
    let held = error.source.get_ref()?.downcast_ref::<Held>()?;
    held.holder.as_ref().map(|(pid, _)| *pid)
}

/// The holder of the lock on a file, if the kernel's table names it: not across pid namespaces, nor on
/// file systems whose files have other device numbers.
fn holder_of(stat: &rustix::fs::Stat) -> Option<(u32, String)> {
    let table = std::fs::read_to_string("/proc/locks").ok()?;
    let (major, minor) = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    let pid = find_holder(&table, &format!("{major:02x}:{minor:02x}:{}", stat.st_ino))?;
    let comm = std::fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    let printable = |byte: &u8| byte.is_ascii_graphic();
    let comm: String = comm.iter().filter(|byte| printable(byte)).map(|b| char::from(*b)).collect();
    Some((pid, format!("process {pid} ({comm})")))
}

/// The process that holds `file` (device and inode, as the table writes them). Lines with an
/// arrow are of processes that wait.
fn find_holder(table: &str, file: &str) -> Option<u32> {
    table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_flock = fields.next() == Some("FLOCK");
        let pid = fields.nth(2)?.parse().ok().filter(|pid| *pid != 0)?;
        (is_flock && fields.next() == Some(file)).then_some(pid)
    })
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
        assert!(refused.is_timeout());
        let ourselves = format!("held by process {} (", std::process::id());
        assert!(refused.to_string().contains(&ourselves), "{refused}");
        assert_eq!(holder(&refused), Some(std::process::id()));
        drop(held);
        exclusive(&dir, "lock", Duration::ZERO).unwrap();
    }

    #[test]
    fn the_holder_is_told_from_those_who_wait_and_from_other_locks() {
        let table = "1: POSIX  ADVISORY  WRITE 11 fd:01:7 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 22 fd:01:8 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 33 fd:01:7 0 EOF\n\
                     3: -> FLOCK  ADVISORY  WRITE 44 fd:01:7 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 0 fd:01:9 0 EOF\nx\n";
        assert_eq!(find_holder(table, "fd:01:7"), Some(33));
        assert_eq!(find_holder(table, "fd:01:9"), None);
        assert_eq!(find_holder("3: -> FLOCK  ADVISORY  WRITE 44 fd:01:7 0 EOF", "fd:01:7"), None);
    }
}
