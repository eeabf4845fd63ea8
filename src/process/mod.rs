//! The processes of one pane, read from `/proc` below its first process only: never a scan of
//! the host's process table, which made the predecessor slow with every process of others
//! (lesson 15).

pub mod shell;
pub mod stat;

pub use stat::Stat;

use crate::sys::mounts;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Maximum number of processes of one pane that are inspected; it runs a handful.
const MAX_PROCESSES: usize = 256;
/// An argument list longer than this is cut (bytes).
const MAX_ARGV: u64 = 256 << 10;
/// Of a longer environment, the beginning is read (bytes).
const MAX_ENVIRONMENT: u64 = 256 << 10;
/// What is read first of a file in `/proc` (bytes).
const FIRST_READ: usize = 2048;
/// Maximum number of open files that are inspected.
const MAX_FDS: usize = 1024;

/// A `/proc` file system, mounted anywhere.
#[derive(Debug)]
pub struct Proc {
    root: PathBuf,
    /// By id, the processes that were inspected, where one look counts for all.
    known: Option<Mutex<HashMap<i32, Process>>>,
}

/// A process that existed when it was inspected. If it has ended since, later calls give an absent
/// value, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: i32,
    /// Steps below the pane's first process, which has 0.
    pub depth: usize,
    /// Its state from `/proc/<pid>/stat`.
    pub stat: Stat,
    /// Arguments as they were given; empty for a zombie.
    pub argv: Vec<Vec<u8>>,
    dir: PathBuf,
    /// What it executes, once that was asked for.
    executable: OnceLock<Option<OsString>>,
}

impl Default for Proc {
    fn default() -> Self {
        Self::new("/proc")
    }
}

impl Proc {
    /// The file system mounted at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), known: None }
    }

    /// The same, in which each process is inspected once at most: for one pass over the panes. What
    /// [`Proc::stat`] and [`Proc::cwd`] give is always new.
    #[must_use]
    pub fn for_one_pass(&self) -> Self {
        Self { root: self.root.clone(), known: Some(Mutex::default()) }
    }

    /// Visits `first` and the processes below it, nearest first. `descend` decides for each whether its
    /// children are visited, too.
    pub fn visit(&self, first: i32, mut descend: impl FnMut(&Process) -> bool) {
        let mut queue = vec![(first, 0)];
        let mut next = 0;
        while let Some(&(pid, depth)) = queue.get(next) {
            next += 1;
            let Some(process) = self.process(pid, depth) else { continue };
            if descend(&process) && queue.len() < MAX_PROCESSES {
                let room = MAX_PROCESSES - queue.len();
                let children = process.children();
                queue.extend(children.into_iter().take(room).map(|child| (child, depth + 1)));
            }
        }
    }

    /// What one process's `stat` says, if it is there.
    pub fn stat(&self, pid: i32) -> Option<Stat> {
        Stat::parse(&read_bounded(&self.root.join(pid.to_string()).join("stat"), 4096)?)
    }

    /// The proportional share of memory of a process and those below it, in bytes.
    pub fn memory_of_tree(&self, first: i32) -> Option<u64> {
        let mut sum = None;
        self.visit(first, |process| {
            sum = process.memory().map_or(sum, |bytes| Some(sum.unwrap_or(0) + bytes));
            true
        });
        sum
    }

    /// A process's working directory as the kernel gives it. A directory that has been removed
    /// is given by its last name, without the kernel's ` (deleted)`.
    pub fn cwd(&self, pid: i32) -> Option<OsString> {
        cwd_in(&self.root.join(pid.to_string()))
    }

    /// A start time of [`Stat`] in seconds since the epoch.
    pub fn time_of(&self, start: u64) -> Option<u64> {
        const TICKS_PER_SECOND: u64 = 100; // USER_HZ, fixed in the kernel's interface
        let text = read_bounded(&self.root.join("stat"), 1 << 20)?;
        let text = String::from_utf8_lossy(&text);
        let boot: u64 = text.lines().find_map(|line| line.strip_prefix("btime "))?.parse().ok()?;
        Some(boot + start / TICKS_PER_SECOND)
    }

    /// One process, if it is there.
    pub fn process(&self, pid: i32, depth: usize) -> Option<Process> {
        let mut known =
            self.known.as_ref().map(|known| known.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(process) = known.as_ref().and_then(|known| known.get(&pid)) {
            return Some(Process { depth, ..process.clone() });
        }
        let dir = self.root.join(pid.to_string());
        let stat = self.stat(pid)?;
        let argv = split_argv(&read_bounded(&dir.join("cmdline"), MAX_ARGV)?);
        let process = Process { pid, depth, stat, argv, dir, executable: OnceLock::new() };
        if let Some(known) = &mut known {
            known.insert(pid, process.clone());
        }
        Some(process)
    }
}

impl Process {
    /// Its working directory, as [`Proc::cwd`] gives it.
    pub fn cwd(&self) -> Option<OsString> {
        cwd_in(&self.dir)
    }

    /// Whether it is a process of the user's own, who may then see what it does.
    pub fn is_own(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let own = std::fs::metadata(self.dir.join("task").join(self.pid.to_string()));
        own.is_ok_and(|meta| meta.uid() == nix::unistd::geteuid().as_raw())
    }

    /// The program that it executes, by the path that the file had then, without the kernel's ` (deleted)`.
    pub fn executable(&self) -> Option<OsString> {
        let read = || {
            let target = std::fs::read_link(self.dir.join("exe")).ok()?.into_os_string().into_vec();
            let path = target.strip_suffix(b" (deleted)").unwrap_or(&target);
            Some(OsString::from_vec(path.to_vec()))
        };
        self.executable.get_or_init(read).clone()
    }

    /// The name of the file that it executes; `None` if that cannot be read.
    pub fn executable_name(&self) -> Option<Vec<u8>> {
        Some(base_name(self.executable()?.as_bytes()).to_vec())
    }

    /// The namespace of its process id, as `pid:[4026531836]`; `None` if that cannot be read.
    pub fn pid_namespace(&self) -> Option<OsString> {
        Some(std::fs::read_link(self.dir.join("ns/pid")).ok()?.into_os_string())
    }

    /// Its environment as it was started: `NAME=value`, each ended by a NUL byte; empty if it cannot
    /// be read, or not to its end.
    pub fn environment(&self) -> Vec<u8> {
        let read = read_bounded(&self.dir.join("environ"), MAX_ENVIRONMENT).unwrap_or_default();
        let whole = read.iter().rposition(|&byte| byte == 0).map_or(0, |end| end + 1);
        read[..whole].to_vec()
    }

    /// When it started, in seconds since the epoch, to the second.
    pub fn started(&self) -> Option<u64> {
        Proc::new(self.dir.parent()?).time_of(self.stat.start)
    }

    /// Where the open descriptors point: paths, or `socket:[...]` and the like.
    pub fn open_files(&self) -> Vec<PathBuf> {
        let Ok(fds) = std::fs::read_dir(self.dir.join("fd")) else { return Vec::new() };
        let links = fds.filter_map(Result::ok).take(MAX_FDS);
        links.filter_map(|fd| std::fs::read_link(fd.path()).ok()).collect()
    }

    /// Whether it talks to another program by its standard input and output: both are pipes or sockets.
    pub fn is_piped(&self) -> bool {
        let is_pipe = |number: u32| {
            let link = std::fs::read_link(self.dir.join("fd").join(number.to_string()));
            link.is_ok_and(|to| {
                let to = to.as_os_str().as_bytes();
                to.starts_with(b"pipe:") || to.starts_with(b"socket:")
            })
        };
        is_pipe(0) && is_pipe(1)
    }

    /// Its proportional share of memory in bytes (`smaps_rollup`, proc(5)).
    fn memory(&self) -> Option<u64> {
        let text = read_bounded(&self.dir.join("smaps_rollup"), 4096)?;
        kib_after(&text, "Pss:")
    }

    /// The memory that it shares with no file, in bytes (`status`, proc(5)): cheap, unlike a proportional share.
    pub fn own_memory(&self) -> Option<u64> {
        let text = read_bounded(&self.dir.join("status"), 16 << 10)?;
        kib_after(&text, "RssAnon:")
    }

    /// The last part of the first argument: what the program was called as.
    pub fn called(&self) -> &[u8] {
        let word = self.argv.first().map_or(&b""[..], Vec::as_slice);
        base_name(word)
    }

    /// Whether processes run below it. Those that have ended do not count: a shell that took the
    /// place of our launcher collects what that left behind only with its own next command.
    pub fn has_children(&self) -> bool {
        let runs = |pid: &i32| {
            let stat = self.dir.with_file_name(pid.to_string()).join("stat");
            read_bounded(&stat, 4096).is_some_and(|stat| Stat::parse(&stat).is_some())
        };
        self.children().iter().any(runs)
    }

    /// The processes directly below it that run; those that have ended do not count.
    pub fn running_children(&self) -> Vec<Process> {
        let Some(root) = self.dir.parent() else { return Vec::new() };
        let proc = Proc::new(root);
        let children = self.children().into_iter();
        children.filter_map(|pid| proc.process(pid, self.depth + 1)).collect()
    }

    /// Children of every thread (`/proc/<pid>/task/*/children`, proc(5)).
    fn children(&self) -> Vec<i32> {
        let tasks = self.dir.join("task");
        if self.stat.threads == 1 {
            return children_of_task(&tasks.join(self.pid.to_string())); // shells: most processes
        }
        let Ok(tasks) = std::fs::read_dir(tasks) else { return Vec::new() };
        tasks.filter_map(Result::ok).flat_map(|task| children_of_task(&task.path())).collect()
    }
}

/// The working directory, or its nearest ancestor that a path can name, of the process that has the directory `dir` in `/proc`.
fn cwd_in(dir: &Path) -> Option<OsString> {
    const DELETED: &[u8] = b" (deleted)";
    let link = dir.join("cwd");
    let target = match std::fs::read_link(&link) {
        Ok(target) => target.into_os_string(),
        // Deeper than any path can name.
        Err(error) if error.raw_os_error() == Some(Errno::NAMETOOLONG.raw_os_error()) => {
            return nearest_ancestor(&link);
        }
        Err(_) => return None,
    };
    let marked = target.as_bytes().strip_suffix(DELETED);
    // A directory may really be called that: only one without a name left has no links.
    let answers = |name: &[u8]| mounts::unanswered(Path::new(OsStr::from_bytes(name))).is_none();
    let gone = || {
        marked.is_some_and(answers)
            && link.metadata().is_ok_and(|meta| std::os::unix::fs::MetadataExt::nlink(&meta) == 0)
    };
    match marked {
        Some(name) if gone() => Some(OsString::from_vec(name.to_vec())),
        _ => Some(target),
    }
}

/// The nearest ancestor of a directory that a path can name. Not where a mount could hang: which one the
/// directory is on cannot be known without its path.
fn nearest_ancestor(link: &Path) -> Option<OsString> {
    const MAX_STEPS: usize = 10_000;
    if mounts::has_remote() {
        return None;
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut dir = rustix::fs::open(link, flags, Mode::empty()).ok()?;
    for _ in 0..MAX_STEPS {
        dir = rustix::fs::openat(&dir, "..", flags, Mode::empty()).ok()?;
        let own = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&dir));
        match std::fs::read_link(own) {
            Ok(path) => return Some(path.into_os_string()),
            Err(error) if error.raw_os_error() == Some(Errno::NAMETOOLONG.raw_os_error()) => {}
            Err(_) => return None,
        }
    }
    None
}

/// Of the line that begins with a word, the number of bytes that it gives in KiB.
fn kib_after(text: &[u8], word: &str) -> Option<u64> {
    let text = String::from_utf8_lossy(text);
    let kib = text.lines().find_map(|line| line.strip_prefix(word))?.trim();
    kib.strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn children_of_task(task: &Path) -> Vec<i32> {
    let list = read_bounded(&task.join("children"), 64 << 10).unwrap_or_default();
    let list = String::from_utf8_lossy(&list);
    list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The part of a path after its last slash.
pub fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

fn split_argv(cmdline: &[u8]) -> Vec<Vec<u8>> {
    let text = cmdline.strip_suffix(b"\0").unwrap_or(cmdline);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
}

fn read_bounded(path: &Path, limit: u64) -> Option<Vec<u8>> {
    // Room for most of these files at once: read_to_end would begin with 32 bytes, and the kernel
    // makes such a file anew, or walks it, for each read.
    let mut bytes =
        Vec::with_capacity(FIRST_READ.min(usize::try_from(limit).unwrap_or(FIRST_READ)));
    std::fs::File::open(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_visited_nearest_first_and_a_vanished_process_is_no_error() {
        let root = tempfile::tempdir().unwrap();
        let add = |pid: i32, children: &str, argv: &[u8]| {
            let dir = root.path().join(pid.to_string());
            let task = dir.join("task").join(pid.to_string());
            std::fs::create_dir_all(&task).unwrap();
            std::fs::write(task.join("children"), children).unwrap();
            std::fs::write(dir.join("cmdline"), argv).unwrap();
            let stat = format!(
                "{pid} (a) b) S 1 {pid} {pid} 34816 {pid} 0 0 0 0 0 0 0 0 0 20 0 1 0 555 0"
            );
            std::fs::write(dir.join("stat"), stat).unwrap();
        };
        add(1, "2 99 3 ", b"sh\0");
        add(2, "4 ", b"a\0b c\0\0\xff\0");
        add(3, "", b"");
        add(4, "5 ", b"deep\0");
        add(5, "", b"deeper\0");
        let mut seen = Vec::new();
        Proc::new(root.path()).visit(1, |process| {
            seen.push((process.pid, process.depth, process.argv.clone()));
            process.pid != 4
        });
        let words = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect::<Vec<_>>();
        let expected = [
            (1, 0, words(&[b"sh"])),
            (2, 1, words(&[b"a", b"b c", b"", b"\xff"])),
            (3, 1, vec![]),
            (4, 2, words(&[b"deep"])),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_removed_directory_is_told_from_one_called_deleted() {
        let root = tempfile::tempdir().unwrap();
        let cwd_in = |name: &str, remove: bool| {
            let dir = root.path().join(name);
            std::fs::create_dir(&dir).unwrap();
            let mut child =
                std::process::Command::new("sleep").arg("60").current_dir(&dir).spawn().unwrap();
            if remove {
                std::fs::remove_dir(&dir).unwrap();
            }
            let pid = i32::try_from(child.id()).unwrap();
            let cwd = Proc::default().process(pid, 0).unwrap().cwd();
            child.kill().unwrap();
            child.wait().unwrap();
            (cwd.unwrap(), dir.into_os_string())
        };
        for (name, remove) in [("gone", true), ("here (deleted)", false), ("both (deleted)", true)]
        {
            let (cwd, dir) = cwd_in(name, remove);
            assert_eq!(cwd, dir);
        }
    }
}
