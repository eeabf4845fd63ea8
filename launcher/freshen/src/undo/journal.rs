//! What is noted of an update before it begins, in a file that survives this process.

use super::{Directories, directories, gone};
use crate::changes::Change;
use crate::layout::{GitDirs, bounded_file, small_file};
use crate::orig_head::OrigHead;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The file, and the temporary name that it has until it is complete.
const JOURNAL: [&str; 2] = ["journal", "journal.new"];
/// The file that names the process that updates the tree.
const PROCESS: &str = "process";
/// Maximum size of a journal, in bytes.
const MAX_JOURNAL: u64 = 256 << 20;

/// The state before an update.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Journal {
    /// The commit that is checked out.
    pub(super) old: String,
    /// Its branch's ref.
    branch: PathBuf,
    pub(super) orig_head: Option<OrigHead>,
    /// The lengths of the logs of `HEAD` and the branch; `None` for one that does not exist.
    logs: [Option<u64>; 2],
    /// The changes whose path is no file now, by number.
    pub(super) absent: BTreeSet<usize>,
    /// Directories of the tree, with their modes.
    pub(super) directories: Vec<(PathBuf, u32)>,
    /// Directories that the update makes.
    pub(super) missing_directories: BTreeSet<PathBuf>,
}

impl Journal {
    pub(super) fn of(
        clone: &Path,
        dirs: &GitDirs,
        old: &str,
        branch: &str,
        changes: &[Change],
        orig_head: Option<OrigHead>,
    ) -> Self {
        let branch = Path::new("refs/heads").join(branch);
        let logs = logs(dirs, &branch).map(|log| log.metadata().ok().map(|meta| meta.len()));
        let is_absent = |change: &Change| clone.join(&change.path).symlink_metadata().is_err();
        let absent = changes.iter().enumerate().filter(|(_, change)| is_absent(change));
        let absent = absent.map(|(number, _)| number).collect();
        let (directories, missing_directories): Directories = directories(clone, changes);
        let old = old.to_owned();
        Self { old, branch, orig_head, logs, absent, directories, missing_directories }
    }

    /// Writes it; `raw`, git's list of changes, comes last. The name shows that it is complete. Nothing
    /// waits for the disk: after a power loss the file may be empty, and counts as none then.
    pub(super) fn write(&self, dir: &Path, raw: &[u8]) -> Result<(), Errno> {
        let [name, temporary] = JOURNAL.map(|name| dir.join(name));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::open(&temporary, flags, Mode::RUSR | Mode::WUSR)?;
        let mut text = Vec::with_capacity(raw.len() + 1024);
        let mut field = |key: &str, value: &[u8]| {
            text.extend_from_slice(key.as_bytes());
            text.push(b' ');
            text.extend_from_slice(value);
            text.push(0);
        };
        field("old", self.old.as_bytes());
        field("branch", self.branch.as_os_str().as_bytes());
        match &self.orig_head {
            Some(OrigHead::File(bytes)) => field("orig-head", bytes),
            Some(OrigHead::Ref(id)) => field("orig-head-ref", id.as_bytes()),
            None => {}
        }
        for (key, length) in ["log-head", "log-branch"].into_iter().zip(self.logs) {
            if let Some(length) = length {
                field(key, length.to_string().as_bytes());
            }
        }
        for number in &self.absent {
            field("absent", number.to_string().as_bytes());
        }
        for (path, mode) in &self.directories {
            let value = [format!("{mode:o} ").as_bytes(), path.as_os_str().as_bytes()].concat();
            field("directory", &value);
        }
        for path in &self.missing_directories {
            field("missing", path.as_os_str().as_bytes());
        }
        field("changes", raw.len().to_string().as_bytes());
        text.extend_from_slice(raw);
        let written = std::fs::File::from(file).write_all(&text);
        written.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        rustix::fs::rename(&temporary, &name)
    }

    /// Reads it, with git's list of changes; `None` if it is missing or incomplete.
    pub(super) fn read(dir: &Path) -> Option<(Self, Vec<u8>)> {
        parse(&bounded_file(&dir.join(JOURNAL[0]), MAX_JOURNAL).ok()?)
    }

    /// Locks of refs that a killed git leaves.
    pub(super) fn ref_locks(&self, dirs: &GitDirs) -> [PathBuf; 3] {
        let own = ["HEAD", "ORIG_HEAD"].map(|name| dirs.own.join(name));
        let [head, orig_head] = own;
        [head, orig_head, dirs.common.join(&self.branch)].map(|mut path| {
            path.as_mut_os_string().push(".lock");
            path
        })
    }

    /// Takes the lines of an update that was not finished out of the logs.
    pub(super) fn restore_logs(&self, dirs: &GitDirs) {
        for (log, length) in logs(dirs, &self.branch).into_iter().zip(self.logs) {
            let Some(now) = log.metadata().ok().filter(std::fs::Metadata::is_file) else {
                continue;
            };
            match length {
                None => {
                    let _ = gone(rustix::fs::unlink(&log));
                }
                Some(length) if now.len() > length => {
                    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
                    if let Ok(file) = rustix::fs::open(&log, flags, Mode::empty()) {
                        let _ = rustix::fs::ftruncate(&file, length);
                    }
                }
                Some(_) => {}
            }
        }
    }
}

fn logs(dirs: &GitDirs, branch: &Path) -> [PathBuf; 2] {
    [dirs.own.join("logs/HEAD"), dirs.common.join("logs").join(branch)]
}

fn parse(text: &[u8]) -> Option<(Journal, Vec<u8>)> {
    let mut journal = Journal {
        old: String::new(),
        branch: PathBuf::new(),
        orig_head: None,
        logs: [None; 2],
        absent: BTreeSet::new(),
        directories: Vec::new(),
        missing_directories: BTreeSet::new(),
    };
    let mut rest = text;
    loop {
        let field = &rest[..rest.iter().position(|byte| *byte == 0)?];
        rest = &rest[field.len() + 1..];
        let space = field.iter().position(|byte| *byte == b' ')?;
        let (key, value) = (&field[..space], &field[space + 1..]);
        let path = || PathBuf::from(OsStr::from_bytes(value));
        let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
        match key {
            b"old" => journal.old = String::from_utf8(value.to_vec()).ok()?,
            b"branch" => journal.branch = path(),
            b"orig-head" => journal.orig_head = Some(OrigHead::File(value.to_vec())),
            b"orig-head-ref" => {
                let id = String::from_utf8(value.to_vec()).ok()?;
                journal.orig_head = Some(OrigHead::Ref(id));
            }
            b"log-head" => journal.logs[0] = Some(number()?),
            b"log-branch" => journal.logs[1] = Some(number()?),
            b"absent" => {
                journal.absent.insert(usize::try_from(number()?).ok()?);
            }
            b"directory" => {
                let space = value.iter().position(|byte| *byte == b' ')?;
                let mode = std::str::from_utf8(&value[..space]).ok()?;
                let path = PathBuf::from(OsStr::from_bytes(&value[space + 1..]));
                journal.directories.push((path, u32::from_str_radix(mode, 8).ok()?));
            }
            b"missing" => {
                journal.missing_directories.insert(path());
            }
            b"changes" => {
                let complete = usize::try_from(number()?).ok()? == rest.len();
                return complete.then(|| (journal, rest.to_vec()));
            }
            _ => return None,
        }
    }
}

/// Removes the files of this module from the directory.
pub(super) fn remove(dir: &Path) {
    for name in JOURNAL.into_iter().chain([PROCESS]) {
        let _ = rustix::fs::unlink(dir.join(name));
    }
}

/// Removes a directory whose journal is incomplete: nothing had been changed.
pub(super) fn remove_incomplete(dir: &Path) {
    remove(dir);
    for entry in std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
        let _ = rustix::fs::unlink(entry.path());
    }
    let _ = rustix::fs::rmdir(dir);
}

/// The process that updates the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    Runs,
    Ended,
    /// It was not noted.
    Unknown,
}

/// Notes the process, with its start time: numbers are used again.
pub(super) fn note_process(dir: &Path, pid: u32) {
    let Some(start) = start_time(pid) else { return };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    if let Ok(file) = rustix::fs::open(dir.join(PROCESS), flags, Mode::RUSR | Mode::WUSR) {
        let _ = std::fs::File::from(file).write_all(format!("{pid} {start}").as_bytes());
    }
}

pub(super) fn process(dir: &Path) -> Process {
    let Ok(text) = small_file(&dir.join(PROCESS)) else { return Process::Unknown };
    let text = String::from_utf8_lossy(&text);
    let Some((pid, start)) = text.split_once(' ') else { return Process::Unknown };
    let Ok(pid) = pid.parse() else { return Process::Unknown };
    if start_time(pid).as_deref() == Some(start) { Process::Runs } else { Process::Ended }
}

/// The start time of a process that is no zombie, with the boot that it is counted from (proc(5)).
fn start_time(pid: u32) -> Option<String> {
    let stat = small_file(Path::new(&format!("/proc/{pid}/stat"))).ok()?;
    let stat = String::from_utf8_lossy(&stat).into_owned();
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?;
    let ticks = fields.nth(18)?;
    let boot = small_file(Path::new("/proc/sys/kernel/random/boot_id")).ok()?;
    let boot = String::from_utf8_lossy(boot.trim_ascii()).into_owned();
    (state != "Z").then(|| format!("{ticks} {boot}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_read_as_it_was_written_and_a_cut_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal {
            old: "a".repeat(40),
            branch: "refs/heads/a b".into(),
            orig_head: Some(OrigHead::File(b"b\n".to_vec())),
            logs: [Some(7), None],
            absent: BTreeSet::from([0, 3]),
            directories: vec![("a b".into(), 0o750)],
            missing_directories: BTreeSet::from(["n\n".into()]),
        };
        let raw = b":1 2 3 4 M\0x\0".to_vec();
        journal.write(dir.path(), &raw).unwrap();
        let text = std::fs::read(dir.path().join("journal")).unwrap();
        for cut in 0..text.len() {
            assert_eq!(parse(&text[..cut]), None, "{cut}");
        }
        assert_eq!(Journal::read(dir.path()), Some((journal, raw)));
    }

    #[test]
    fn a_process_is_known_by_its_start() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(process(dir.path()), Process::Unknown);
        note_process(dir.path(), std::process::id());
        assert_eq!(process(dir.path()), Process::Runs);
        let other = format!("{} 1 x", std::process::id());
        let file = rustix::fs::open(
            dir.path().join(PROCESS),
            OFlags::WRONLY | OFlags::TRUNC,
            Mode::empty(),
        );
        std::fs::File::from(file.unwrap()).write_all(other.as_bytes()).unwrap();
        assert_eq!(process(dir.path()), Process::Ended);
    }
}
