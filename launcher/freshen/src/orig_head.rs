//! Keeping `ORIG_HEAD` through a fast-forward that git refused: the user may need it to undo.

use super::Job;
use super::git::git;
use super::layout::{GitDirs, small_file};
use rustix::fs::{AtFlags, Mode, OFlags};
use shared::atomic::{self, Durability, Options, Temporary};
use shared::child::{self, Until};
use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

const NAME: &str = "ORIG_HEAD";
/// The name by which git locks it, so that neither overwrites the other.
const LOCK: &str = "ORIG_HEAD.lock";
/// How long git may take to read or set it.
const DEADLINE: Duration = Duration::from_secs(10);

/// Its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OrigHead {
    /// The content of its file.
    File(Vec<u8>),
    /// A commit, where refs are no files (reftable).
    Ref(String),
}

fn is_ref(dirs: &GitDirs) -> bool {
    dirs.common.join("reftable").is_dir()
}

/// Its value; `None` if there is none.
pub(super) fn read(clone: &Path, dirs: &GitDirs, job: &Job) -> Option<OrigHead> {
    if !is_ref(dirs) {
        return small_file(&dirs.own.join(NAME)).ok().map(OrigHead::File);
    }
    let answer = ask(clone, job, &["rev-parse", "--verify", "--quiet", NAME])?;
    Some(OrigHead::Ref(String::from_utf8_lossy(&answer).trim_end().to_owned()))
}

fn ask(clone: &Path, job: &Job, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut command = git(clone, &job.options.environment);
    command.args(arguments);
    let until = Until { end: Instant::now() + DEADLINE, cancel: None };
    let output = child::run(command, until).ok().filter(|output| output.success)?;
    Some(output.stdout)
}

/// Makes it what it was. A failure leaves what git wrote, which is no worse than a pull.
pub(super) fn put_back(clone: &Path, dirs: &GitDirs, before: Option<&OrigHead>, job: &Job) {
    if read(clone, dirs, job).as_ref() == before {
        return;
    }
    let bytes = match before {
        None if is_ref(dirs) => {
            ask(clone, job, &["update-ref", "--no-deref", "-d", NAME]);
            return;
        }
        Some(OrigHead::Ref(id)) => {
            ask(clone, job, &["update-ref", "--no-deref", NAME, id]);
            return;
        }
        None => None,
        Some(OrigHead::File(bytes)) => Some(bytes),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(dir) = rustix::fs::open(&dirs.own, flags, Mode::empty()) else { return };
    let Some(bytes) = bytes else {
        let _ = rustix::fs::unlinkat(&dir, NAME, AtFlags::empty());
        return;
    };
    // As git made it, which may share the repository with a group.
    let mode = rustix::fs::statat(&dir, NAME, AtFlags::SYMLINK_NOFOLLOW);
    let mode = mode.map_or(0o644, |stat| stat.st_mode & 0o777);
    let options = Options { mode, durability: Durability::Hint, ..Options::default() };
    let lock = Temporary::Named(OsStr::new(LOCK));
    let _ = atomic::write(&dir, OsStr::new(NAME), bytes, lock, &options);
}
