//! Keeping `ORIG_HEAD` through a fast-forward that git refused: the user may need it to undo.
#![allow(clippy::disallowed_methods, reason = "the launcher has no file layer for one small file")]

use super::layout::{GitDirs, small_file};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

fn path(dirs: &GitDirs) -> PathBuf {
    dirs.own.join("ORIG_HEAD")
}

/// What is in it; nothing when there is none.
pub(super) fn read(dirs: &GitDirs) -> Option<Vec<u8>> {
    small_file(&path(dirs)).ok()
}

/// Makes it what it was. A failure leaves what git wrote, which is no worse than a pull.
pub(super) fn put_back(dirs: &GitDirs, before: Option<Vec<u8>>) {
    use std::io::Write;
    if read(dirs) == before {
        return;
    }
    let Some(bytes) = before else {
        let _ = std::fs::remove_file(path(dirs));
        return;
    };
    // Under the name that git locks it by, so that neither overwrites the other.
    let lock = dirs.own.join("ORIG_HEAD.lock");
    let mut options = std::fs::OpenOptions::new();
    let Ok(mut file) = options.write(true).create_new(true).mode(0o666).open(&lock) else {
        return;
    };
    if file.write_all(&bytes).is_err() || std::fs::rename(&lock, path(dirs)).is_err() {
        let _ = std::fs::remove_file(&lock);
    }
}
