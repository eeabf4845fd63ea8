//! Keeping `ORIG_HEAD` through a fast-forward that git refused: the user may need it to undo.

use super::layout::{GitDirs, small_file};
use rustix::fs::{AtFlags, Mode, OFlags};
use shared::atomic::{self, Durability, Options, Temporary};
use std::ffi::OsStr;

const NAME: &str = "ORIG_HEAD";
/// The name by which git locks it, so that neither overwrites the other.
const LOCK: &str = "ORIG_HEAD.lock";

/// Its content; `None` if there is none.
pub(super) fn read(dirs: &GitDirs) -> Option<Vec<u8>> {
    small_file(&dirs.own.join(NAME)).ok()
}

/// Makes it what it was. A failure leaves what git wrote, which is no worse than a pull.
pub(super) fn put_back(dirs: &GitDirs, before: Option<&[u8]>) {
    if read(dirs).as_deref() == before {
        return;
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(dir) = rustix::fs::open(&dirs.own, flags, Mode::empty()) else { return };
    let Some(bytes) = before else {
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
