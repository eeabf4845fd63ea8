//! What would keep an update from being finished, as far as it shows before it begins: locks, and files
//! and directories that git could not write.

use super::changes::{self, Change};
use super::layout::GitDirs;
use super::outcome::{Lock, Reason};
use rustix::fs::{Access, AtFlags};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A lock older than this is probably one of a git that died: git holds them for seconds.
const OLD: Duration = Duration::from_mins(10);

/// Finds the reason why an update of `branch` cannot be finished, if one shows.
pub(super) fn reason(
    clone: &Path,
    dirs: &GitDirs,
    branch: &str,
    changes: &[Change],
) -> Option<Reason> {
    let branch = Path::new("refs/heads").join(branch);
    lock(dirs, &branch).or_else(|| {
        let files = not_writable_in_git_dir(dirs, &branch);
        files.or_else(|| not_writable_in_tree(clone, changes)).map(not_writable)
    })
}

/// The locks that git takes for a fast-forward.
fn lock(dirs: &GitDirs, branch: &Path) -> Option<Reason> {
    let own = ["index", "HEAD", "ORIG_HEAD"].map(|name| dirs.own.join(name));
    let refs = [dirs.common.join(branch), dirs.common.join("reftable/tables.list")];
    own.into_iter().chain(refs).find_map(|mut file| {
        file.as_mut_os_string().push(".lock");
        Some(match held(&file)? {
            Some(lock) => Reason::OldLock(lock),
            None => Reason::Busy,
        })
    })
}

/// Whether a lock exists, and if it is probably one of a git that died, which.
#[allow(clippy::option_option, reason = "no lock, a lock, an old lock")]
fn held(file: &Path) -> Option<Option<Lock>> {
    let made = file.symlink_metadata().ok()?.modified().ok()?;
    let age = SystemTime::now().duration_since(made).unwrap_or_default();
    Some((age >= OLD).then(|| Lock { file: file.to_owned(), age }))
}

/// The lock that a message of git names, if it is an old one: `Unable to create '/x/y.lock': File exists.`
pub(super) fn old_lock(message: &str) -> Option<Lock> {
    let end = message.find(".lock': File exists")? + ".lock".len();
    let start = message[..end].rfind('\'')? + 1;
    held(Path::new(&message[start..end])).flatten()
}

fn not_writable_in_git_dir(dirs: &GitDirs, branch: &Path) -> Option<PathBuf> {
    if !is_writable(&dirs.own) {
        return Some(dirs.own.clone());
    }
    let reftable = dirs.common.join("reftable");
    if reftable.is_dir() {
        return (!is_writable(&reftable)).then_some(reftable);
    }
    // A branch is written beside its old file; a log is appended to.
    let lock = dirs.common.join(branch);
    let directory = existing_above(&lock, &dirs.common);
    let logs = [dirs.own.join("logs/HEAD"), dirs.common.join("logs").join(branch)];
    let not_log = |log: &PathBuf| match log.metadata() {
        Ok(meta) => !meta.is_file() || !is_allowed(log, Access::WRITE_OK),
        Err(_) => !is_writable(existing_above(log, &dirs.common)),
    };
    if !is_writable(directory) {
        return Some(directory.to_owned());
    }
    logs.into_iter().find(not_log)
}

/// The nearest directory above a file that exists, not above `top`.
fn existing_above<'a>(file: &'a Path, top: &'a Path) -> &'a Path {
    let above = file.ancestors().skip(1).take_while(|above| above.starts_with(top));
    above.into_iter().find(|above| above.exists()).unwrap_or(top)
}

/// Files are replaced: what counts are their directories. One that the update makes has none yet.
fn not_writable_in_tree(clone: &Path, changes: &[Change]) -> Option<PathBuf> {
    let above = changes::directories(changes).into_iter().map(|below| clone.join(below));
    let existing = above.filter(|dir| dir.symlink_metadata().is_ok_and(|meta| meta.is_dir()));
    let holds_some =
        |dir: &PathBuf| changes.iter().any(|change| clone.join(&change.path).parent() == Some(dir));
    std::iter::once(clone.to_owned())
        .chain(existing)
        .find(|dir| !is_writable(dir) && holds_some(dir))
}

fn is_writable(directory: &Path) -> bool {
    is_allowed(directory, Access::WRITE_OK | Access::EXEC_OK)
}

fn is_allowed(path: &Path, access: Access) -> bool {
    rustix::fs::accessat(rustix::fs::CWD, path, access, AtFlags::EACCESS).is_ok()
}

/// An untracked file where the update adds one. git notices it, unless the path is outside a sparse
/// checkout: there the update would be finished and leave a local change.
pub(super) fn is_in_the_way(clone: &Path, changes: &[Change]) -> bool {
    let added = changes.iter().filter(|c| !c.was_file && !c.is_submodule && c.new.is_some());
    added.map(|c| clone.join(&c.path)).any(|path| {
        path.symlink_metadata().is_ok_and(|meta| !meta.is_dir()) && !is_below_link(clone, &path)
    })
}

/// Whether a path leads through a symbolic link below `top`.
pub(super) fn is_below_link(top: &Path, path: &Path) -> bool {
    let above = path.ancestors().skip(1).take_while(|above| *above != top);
    above.into_iter().any(Path::is_symlink)
}

/// The reason that names a file and the account that it belongs to, if it is another one than the caller's.
pub(super) fn not_writable(file: PathBuf) -> Reason {
    let own = rustix::process::geteuid().as_raw();
    let owner = file.metadata().ok().map(|meta| meta.uid()).filter(|owner| *owner != own);
    Reason::NotWritable(file, owner)
}
