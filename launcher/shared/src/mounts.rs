//! Mounts that may hang: network and FUSE file systems whose server may be gone. A process that touches a
//! path there may wait for ever, and cannot be killed meanwhile.
//!
//! Which mounts those are is in `/proc/self/mountinfo`, so local paths cost no more than that. Whether
//! one answers is asked once for all paths on it, by a child that is not waited for: a thread that hangs
//! in the kernel would keep this process from ending.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Types of file systems whose server is another host or process, besides every type that begins with
/// `fuse`.
const REMOTE: [&str; 22] = [
    "9p",
    "afs",
    "autofs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "gfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "pvfs2",
    "smb3",
    "smbfs",
    "virtiofs",
];
/// How long one mount may take to answer.
const DEADLINE: Duration = Duration::from_millis(1500);
/// How long this process waits in all for mounts that do not answer; after that, each gets
/// [`SHORT_DEADLINE`].
const PATIENCE: Duration = Duration::from_secs(3);
const SHORT_DEADLINE: Duration = Duration::from_millis(200);
/// A mount that is alive answers within this.
const AT_ONCE: Duration = Duration::from_millis(50);
/// For how long an answer counts, and the lack of one.
const VALID: Duration = Duration::from_secs(5);
/// Links that the kernel follows in one path (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// The mount that does not answer among those on the way to a path; `None` if the path may be
/// touched. Links on the way are followed. Waits for at most 1.5 s for each mount.
pub fn unanswered(path: &Path) -> Option<PathBuf> {
    unanswered_unless(path, None)
}

/// As [`unanswered`]; once `cancel` is readable, a mount that has not answered soon is as good as dead.
pub fn unanswered_unless(path: &Path, cancel: Option<BorrowedFd<'_>>) -> Option<PathBuf> {
    let mut known = known();
    let remote = known.remote();
    if remote.is_empty() {
        return None;
    }
    walk(path, &remote, &mut |mount, path| known.answers(mount, path, cancel))
}

/// Whether any mount may hang.
pub fn has_remote() -> bool {
    !known().remote().is_empty()
}

fn known() -> MutexGuard<'static, Known> {
    static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
    KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// What this process knows of the mounts.
#[derive(Default)]
struct Known {
    /// The mount points of remote file systems, and when they were read.
    remote: Option<(Instant, Arc<BTreeSet<PathBuf>>)>,
    answers: HashMap<PathBuf, (Instant, bool)>,
    /// How long it has waited for mounts that did not answer.
    waited: Duration,
    /// Children that were not seen to end.
    left: Vec<nix::unistd::Pid>,
}

impl Known {
    fn remote(&mut self) -> Arc<BTreeSet<PathBuf>> {
        if let Some((read, remote)) = &self.remote
            && read.elapsed() < VALID
        {
            return Arc::clone(remote);
        }
        // Without the list, paths are touched as they are.
        let text = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
        let remote = Arc::new(remote_mounts(&text));
        self.remote = Some((Instant::now(), Arc::clone(&remote)));
        remote
    }

    fn answers(&mut self, mount: &Path, path: &Path, cancel: Option<BorrowedFd<'_>>) -> bool {
        if let Some((asked, answers)) = self.answers.get(mount)
            && asked.elapsed() < VALID
        {
            return *answers;
        }
        let deadline = if self.waited < PATIENCE { DEADLINE } else { SHORT_DEADLINE };
        let begin = Instant::now();
        // If no child can be started, the mount is as good as gone: it must not be touched.
        let answers = self.ask(mount, path, deadline, cancel).unwrap_or(false);
        if !answers {
            self.waited += begin.elapsed();
        }
        self.answers.insert(mount.to_owned(), (Instant::now(), answers));
        answers
    }

    /// Whether a child that asks about a mount, and about a path on it, ends within the deadline.
    fn ask(
        &mut self,
        mount: &Path,
        path: &Path,
        deadline: Duration,
        cancel: Option<BorrowedFd<'_>>,
    ) -> io::Result<bool> {
        use nix::sys::wait::{WaitPidFlag, waitpid};
        self.left.retain(|pid| {
            waitpid(*pid, Some(WaitPidFlag::WNOHANG)) == Ok(nix::sys::wait::WaitStatus::StillAlive)
        });
        let (child, answer) = start(&c_path(mount)?, &c_path(path)?)?;
        // A key that was pressed earlier does not make a mount dead that answers.
        let mut answers = wait_for(&answer, None, deadline.min(AT_ONCE))?;
        if !answers {
            answers = wait_for(&answer, cancel, deadline.saturating_sub(AT_ONCE))?;
        }
        if answers {
            let _ = waitpid(child, None); // it has nothing left to do
        } else {
            let _ = nix::sys::signal::kill(child, nix::sys::signal::Signal::SIGKILL);
            self.left.push(child);
        }
        Ok(answers)
    }
}

/// Waits until `answer` is readable, `cancel` is, or the time is over; whether the first is.
fn wait_for(answer: &OwnedFd, cancel: Option<BorrowedFd<'_>>, most: Duration) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, poll};
    let end = Instant::now() + most;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let left = rustix::time::Timespec::try_from(left).map_err(io::Error::other)?;
        let mut polled = vec![PollFd::new(answer, PollFlags::IN)];
        polled.extend(cancel.map(|cancel| PollFd::from_borrowed_fd(cancel, PollFlags::IN)));
        match poll(&mut polled, Some(&left)) {
            Err(rustix::io::Errno::INTR) => {}
            ready => {
                ready?;
                return Ok(!polled[0].revents().is_empty());
            }
        }
    }
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

/// Starts a child that asks the file system of `mount` and then that of `path`. The descriptor ends when
/// the child does.
fn start(mount: &CString, path: &CString) -> io::Result<(nix::unistd::Pid, OwnedFd)> {
    use nix::libc;
    let (answer, ends) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let keep = ends.as_fd().as_raw_fd();
    // SAFETY: the child makes system calls alone, which are safe after a fork with other threads, on
    // memory that it has a copy of; it ends by `_exit`.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => Ok((child, answer)),
        // SAFETY: as above.
        nix::unistd::ForkResult::Child => unsafe {
            // It may outlive this process: no pipe, terminal or lock of ours may stay open in it.
            if libc::dup2(keep, 0) == 0 {
                libc::syscall(libc::SYS_close_range, 1_u32, u32::MAX, 0_u32);
                let mut known = std::mem::MaybeUninit::<libc::statfs>::uninit();
                libc::statfs(mount.as_ptr(), known.as_mut_ptr());
                libc::statfs(path.as_ptr(), known.as_mut_ptr());
            }
            libc::_exit(0)
        },
    }
}

/// Walks along a path as the kernel does, and asks `answers` at each of the `remote` mount points on the
/// way, with the path that leads on from there. Gives the first that does not answer.
fn walk(
    path: &Path,
    remote: &BTreeSet<PathBuf>,
    answers: &mut impl FnMut(&Path, &Path) -> bool,
) -> Option<PathBuf> {
    let mut rest: Vec<OsString> = parts(path);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if part == ".." {
            at.pop();
            continue;
        }
        at.push(&part);
        if let Some(mount) = remote.get(&at) {
            let whole = rest.iter().rev().fold(at.clone(), |whole, part| whole.join(part));
            if !answers(mount, &whole) {
                return Some(mount.clone());
            }
        }
        if let Ok(target) = std::fs::read_link(&at) {
            links += 1;
            if links > MAX_LINKS {
                return None; // the kernel refuses it, too
            }
            if target.is_absolute() {
                at = PathBuf::from("/");
            } else {
                at.pop();
            }
            rest.extend(parts(&target));
        }
    }
    None
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    parts.collect()
}

/// The mount points of remote file systems in the text of `mountinfo` (proc(5)). The root is none:
/// without it nothing works.
fn remote_mounts(mountinfo: &[u8]) -> BTreeSet<PathBuf> {
    let mount = |line: &[u8]| {
        let fields: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
        let separator = fields.iter().position(|field| *field == b"-")?;
        let kind = std::str::from_utf8(fields.get(separator + 1)?).ok()?;
        let is_remote = REMOTE.contains(&kind) || kind.starts_with("fuse") && kind != "fusectl";
        let point = fields.get(4).filter(|_| is_remote).map(|point| unescape(point))?;
        Some(PathBuf::from(OsString::from_vec(point))).filter(|point| point != Path::new("/"))
    };
    mountinfo.split(|&byte| byte == b'\n').filter_map(mount).collect()
}

/// Undoes the kernel's escapes: a backslash and three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        if let (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) =
            (byte, rest)
        {
            plain.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
            rest = after;
        } else {
            plain.push(*byte);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_file_systems_are_found_by_their_type() {
        let text = b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            30 22 0:40 / /mnt/a\\040b rw shared:1 master:2 - nfs4 host:/x rw\n\
            31 22 0:41 / /home/u/m rw - fuse.sshfs u@h: rw\n\
            32 22 0:42 / /sys/fs/fuse/connections rw - fusectl fusectl rw\n\
            33 22 0:43 / /data rw - xfs /dev/sdb rw\nbroken\n";
        let found: Vec<_> = remote_mounts(text).into_iter().collect();
        assert_eq!(found, [Path::new("/home/u/m"), Path::new("/mnt/a b")]);
    }

    #[test]
    fn mounts_on_the_way_are_asked_through_links_and_others_are_not() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let mount = root.join("mnt");
        std::fs::create_dir_all(mount.join("proj")).unwrap();
        std::os::unix::fs::symlink("mnt/proj", root.join("link")).unwrap();
        std::os::unix::fs::symlink("loop", root.join("loop")).unwrap();
        let remote = BTreeSet::from([mount.clone()]);
        for (path, on_it) in [
            ("mnt/proj/deep", true),
            ("mnt", true),
            ("link/deep", true),
            ("other/../mnt/x", true),
            ("link/../x", true),
            ("mntx", false),
            ("loop/x", false),
            ("absent/x", false),
        ] {
            let asked = walk(&root.join(path), &remote, &mut |_, _| false);
            assert_eq!(asked, on_it.then(|| mount.clone()), "{path}");
            assert_eq!(walk(&root.join(path), &remote, &mut |_, _| true), None, "{path}");
        }
    }

    #[test]
    fn a_mount_that_answers_is_asked_by_a_child_that_ends() {
        let mut known = Known::default();
        assert!(known.answers(Path::new("/proc"), Path::new("/proc/absent"), None));
        assert!(known.left.is_empty() && known.waited.is_zero());
    }
}
