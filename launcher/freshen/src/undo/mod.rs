//! Undoing an update that git could not finish. git changes the tree file by file, then the index, then
//! the refs, and leaves what it has done when a step fails.
//!
//! Before the update every file that it replaces gets a second name in a directory of the clone's git
//! directory: git replaces files, it never writes into them, so that the old ones stay as they are. If
//! the update fails, they get their names back. If everything was killed, the next start does that.

mod journal;
mod late;

use super::changes::{self, Change};
use super::layout::GitDirs;
use super::outcome::Reason;
use super::{Job, blocked, git, orig_head};
use journal::Journal;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use shared::child::{self, Until};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The directory's name, in the git directory of a worktree.
const NAME: &str = "freshen-undo";
/// What the old index is called in it.
const INDEX: &str = "index";
/// How long git may take to say where the branch is.
const QUESTION: Duration = Duration::from_secs(10);

/// What is needed to undo an update. Dropped without [`Undo::discard`] or [`Undo::roll_back`] it stays on
/// disk for the next start.
#[derive(Debug)]
pub(super) struct Undo {
    clone: PathBuf,
    dirs: GitDirs,
    /// Where the old files are.
    dir: PathBuf,
    journal: Journal,
    changes: Vec<Change>,
}

/// What is known of how the update ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// git gave up, and removed its locks.
    ByItself,
    /// git was killed, and left its locks.
    Killed,
}

/// Why an update was not undone.
#[derive(Debug)]
pub(super) enum NotUndone {
    /// Another git is at work, or the one that updates still runs.
    Busy,
    /// Files were changed since.
    Changed,
    /// A step failed.
    Failed(PathBuf, Errno),
}

impl NotUndone {
    pub(super) fn reason(self) -> Reason {
        match self {
            Self::Busy => Reason::Busy,
            Self::Changed => Reason::HalfDone(None),
            Self::Failed(path, error) => Reason::HalfDone(Some((path, error.to_string()))),
        }
    }
}

impl Undo {
    /// Keeps the old files of an update from commit `old`; `raw` is git's list of `changes`.
    ///
    /// # Errors
    /// Nothing was kept: the update must not begin.
    pub(super) fn prepare(
        clone: &Path,
        dirs: &GitDirs,
        old: &str,
        branch: &str,
        (raw, changes): (&[u8], Vec<Change>),
        job: &Job,
    ) -> Result<Self, Reason> {
        let dir = dirs.own.join(NAME);
        let failed = |error: Errno| match error {
            Errno::NOSPC | Errno::DQUOT => Reason::DiskFull,
            Errno::ACCESS | Errno::PERM | Errno::ROFS => blocked::not_writable(dirs.own.clone()),
            error => Reason::Git(format!("{NAME}: {error}")),
        };
        rustix::fs::mkdir(&dir, Mode::RWXU).map_err(failed)?;
        let journal =
            Journal::of(clone, dirs, old, branch, &changes, orig_head::read(clone, dirs, job));
        let undo = Self {
            clone: clone.to_owned(),
            dirs: dirs.clone(),
            dir: dir.clone(),
            journal,
            changes,
        };
        let kept = undo.journal.write(&undo.dir, raw).and_then(|()| undo.keep_files());
        kept.map_err(|error| {
            undo.remove();
            failed(error)
        })?;
        Ok(undo)
    }

    fn keep_files(&self) -> Result<(), Errno> {
        keep(&self.dirs.own.join("index"), &self.dir.join(INDEX))?;
        for (number, change) in self.changes.iter().enumerate().filter(|(_, c)| c.was_file) {
            keep(&self.clone.join(&change.path), &self.kept(number))?;
        }
        Ok(())
    }

    fn kept(&self, number: usize) -> PathBuf {
        self.dir.join(number.to_string())
    }

    /// Notes which process updates the tree.
    pub(super) fn started(&self, pid: u32) {
        journal::note_process(&self.dir, pid);
    }

    /// git refused before it changed anything, but for `ORIG_HEAD`.
    pub(super) fn was_refused(self, job: &Job) {
        orig_head::put_back(&self.clone, &self.dirs, self.journal.orig_head.as_ref(), job);
        self.remove();
    }

    /// The update is finished.
    pub(super) fn discard(self) {
        self.remove();
    }

    fn remove(&self) {
        for number in 0..self.changes.len() {
            let _ = rustix::fs::unlink(self.kept(number));
        }
        journal::remove(&self.dir);
        let _ = rustix::fs::unlink(self.dir.join(INDEX));
        let _ = rustix::fs::rmdir(&self.dir);
    }

    /// Undoes an update that failed; returns whether it had to: not if the branch has moved, since it is
    /// finished then.
    pub(super) fn roll_back(self, ended: Ended, job: &Job) -> Result<bool, NotUndone> {
        match head(&self.clone, job) {
            None => return Err(NotUndone::Busy),
            Some(head) if head != self.journal.old => {
                self.discard();
                return Ok(false);
            }
            Some(_) => {}
        }
        self.restore(ended, job)?;
        Ok(true)
    }

    /// Everything as it was before, under git's own lock.
    fn restore(self, ended: Ended, job: &Job) -> Result<(), NotUndone> {
        let lock = self.dirs.own.join("index.lock");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        match rustix::fs::open(&lock, flags, Mode::RUSR | Mode::WUSR) {
            Ok(_) => {}
            Err(Errno::EXIST) if ended == Ended::Killed => {}
            Err(Errno::EXIST) => return Err(NotUndone::Busy),
            Err(error) => return Err(NotUndone::Failed(lock, error)),
        }
        let mut failure = None;
        let mut note = |path: &Path, result: Result<(), Errno>| {
            if let Err(error) = result {
                failure.get_or_insert((path.to_owned(), error));
            }
        };
        self.restore_tree(&mut note);
        let index = self.dirs.own.join("index");
        note(&index, put_back(&self.dir.join(INDEX), &index));
        if ended == Ended::Killed {
            for left in self.journal.ref_locks(&self.dirs) {
                note(&left, gone(rustix::fs::unlink(&left)));
            }
        }
        self.journal.restore_logs(&self.dirs);
        orig_head::put_back(&self.clone, &self.dirs, self.journal.orig_head.as_ref(), job);
        let _ = rustix::fs::unlink(&lock);
        if let Some((path, error)) = failure {
            return Err(NotUndone::Failed(path, error));
        }
        self.remove();
        Ok(())
    }

    fn restore_tree(&self, note: &mut impl FnMut(&Path, Result<(), Errno>)) {
        let absent = |number: &usize| self.journal.absent.contains(number);
        // What the update made, the deepest first.
        for (_, change) in self.changes.iter().enumerate().rev().filter(|(n, _)| absent(n)) {
            let path = self.clone.join(&change.path);
            if blocked::is_below_link(&self.clone, &path) {
                continue;
            }
            let Ok(meta) = path.symlink_metadata() else { continue };
            if meta.is_dir() {
                let _ = rustix::fs::rmdir(&path); // of a submodule
            } else {
                note(&path, rustix::fs::unlink(&path));
            }
        }
        for made in self.journal.missing_directories.iter().rev() {
            let _ = rustix::fs::rmdir(self.clone.join(made)); // unless files of the user's are in it
        }
        for (directory, mode) in &self.journal.directories {
            let path = self.clone.join(directory);
            if !path.is_dir() {
                let mode = Mode::from_raw_mode(*mode);
                let result = rustix::fs::mkdir(&path, mode);
                note(&path, result.and_then(|()| rustix::fs::chmod(&path, mode)));
            }
        }
        for (number, change) in self.changes.iter().enumerate().filter(|(_, c)| c.was_file) {
            let path = self.clone.join(&change.path);
            if !blocked::is_below_link(&self.clone, &path) {
                note(&path, put_back(&self.kept(number), &path));
            }
        }
    }
}

/// The commit that is checked out.
fn head(clone: &Path, job: &Job) -> Option<String> {
    let mut command = git::git(clone, &job.options.environment);
    command.args(["rev-parse", "--verify", "--quiet", "HEAD"]);
    let until = Until { end: Instant::now() + QUESTION, cancel: None };
    let output = child::run(command, until).ok().filter(|output| output.success)?;
    Some(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Undoes what an earlier update left, if one did.
pub(super) fn recover(clone: &Path, dirs: &GitDirs, job: &Job) -> Result<(), NotUndone> {
    let dir = dirs.own.join(NAME);
    if dir.symlink_metadata().is_err() {
        return Ok(());
    }
    let Some((journal, raw)) = Journal::read(&dir) else {
        // It was killed before the update began, or is none of ours.
        journal::remove_incomplete(&dir);
        return Ok(());
    };
    let Some(changes) = changes::parse(&raw) else { return Err(NotUndone::Changed) };
    let lock = dirs.own.join("index.lock").exists();
    match journal::process(&dir) {
        journal::Process::Runs => return Err(NotUndone::Busy),
        journal::Process::Unknown if lock => return Err(NotUndone::Busy),
        journal::Process::Unknown | journal::Process::Ended => {}
    }
    let undo = Undo { clone: clone.to_owned(), dirs: dirs.clone(), dir, journal, changes };
    match head(clone, job) {
        None => return Ok(()), // git reports why
        Some(head) if head != undo.journal.old => {
            undo.discard();
            return Ok(());
        }
        Some(_) => {}
    }
    let kept = late::Kept {
        clone,
        changes: &undo.changes,
        dir: &undo.dir,
        index: &dirs.own.join("index"),
        lock: &dirs.own.join("index.lock"),
        absent: &undo.journal.absent,
    };
    if kept.changed_since(&job.options.environment) {
        return Err(NotUndone::Changed);
    }
    undo.restore(if lock { Ended::Killed } else { Ended::ByItself }, job)
}

/// Gives a file a second name; one that is missing needs none.
fn keep(file: &Path, name: &Path) -> Result<(), Errno> {
    match rustix::fs::linkat(CWD, file, CWD, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
        // Another file system, one without links, or another account's file.
        Err(Errno::XDEV | Errno::PERM | Errno::MLINK | Errno::OPNOTSUPP | Errno::NOSYS) => {
            copy(file, name)
        }
        Err(error) => Err(error),
    }
}

/// Gives a file its name back, unless it has it still.
fn put_back(kept: &Path, path: &Path) -> Result<(), Errno> {
    let Ok(old) = kept.symlink_metadata() else { return Ok(()) };
    let now = path.symlink_metadata().ok();
    let is_old = |now: &std::fs::Metadata| {
        (now.dev(), now.ino()) == (old.dev(), old.ino())
            // A copy: untouched if nothing of the file has changed.
            || old.nlink() == 1 && same(now, &old)
    };
    if now.as_ref().is_some_and(is_old) {
        return Ok(());
    }
    match rustix::fs::rename(kept, path) {
        Err(Errno::XDEV) => {
            gone(rustix::fs::unlink(path))?;
            copy(kept, path)
        }
        result => result,
    }
}

fn same(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    let of = |m: &std::fs::Metadata| (m.mode(), m.len(), m.mtime(), m.mtime_nsec());
    of(a) == of(b)
}

/// Copies a file or link with its mode and time.
fn copy(from: &Path, to: &Path) -> Result<(), Errno> {
    let stat = rustix::fs::lstat(from)?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink() {
        return rustix::fs::symlink(rustix::fs::readlink(from, Vec::new())?, to);
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut source = std::fs::File::from(rustix::fs::open(from, flags, Mode::empty())?);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let target = rustix::fs::open(to, flags, Mode::RUSR | Mode::WUSR)?;
    let mut target = std::fs::File::from(target);
    let copied = std::io::copy(&mut source, &mut target);
    copied.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    rustix::fs::fchmod(&target, Mode::from_raw_mode(stat.st_mode))?;
    let time = |sec: i64, nsec| rustix::fs::Timespec { tv_sec: sec, tv_nsec: nsec };
    let times = rustix::fs::Timestamps {
        last_access: time(stat.st_atime, i64::try_from(stat.st_atime_nsec).unwrap_or(0)),
        last_modification: time(stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or(0)),
    };
    rustix::fs::futimens(&target, &times)
}

/// That a file is missing is no failure to remove it.
fn gone(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

/// The directories of a tree that exist, with their modes, and those that do not.
pub(super) type Directories = (Vec<(PathBuf, u32)>, BTreeSet<PathBuf>);

/// The directories above the changed files: which exist, and which the update makes.
fn directories(clone: &Path, changes: &[Change]) -> Directories {
    let mut found = Directories::default();
    for directory in changes::directories(changes) {
        match clone.join(directory).symlink_metadata() {
            Ok(meta) if meta.is_dir() => found.0.push((directory.into(), meta.mode() & 0o7777)),
            _ => {
                found.1.insert(directory.into());
            }
        }
    }
    found
}
