//! Who has not been restored since the host came up: a file each in `/run`, which a boot empties.
//!
//! Root makes the file when it sets out to restore, empty and the user's own; the user's process
//! writes into it when the restore is done. So a save, by root or by the user, sees by one look
//! that the newest snapshot must not be followed by what little is live yet; and on a host where
//! nobody restores there is no such file.

use super::accounts::Account;
use super::files::FileError;
use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

const DIR: &str = "/run/tmux-persist/pending";

/// As root: says that the user's sessions are about to be restored. What was said since the
/// host came up stays.
pub fn announce(account: &Account) -> Result<(), FileError> {
    announce_in(Path::new(DIR), account)
}

/// Whether this user's sessions are still to be restored.
pub fn is_pending(account: &Account) -> bool {
    is_pending_in(Path::new(DIR), account)
}

/// How many users were announced since the host came up: as many as are restored at once.
pub fn count() -> usize {
    std::fs::read_dir(DIR).map_or(0, Iterator::count)
}

/// As the user: says that the restore is done.
pub fn restored(account: &Account) -> Result<(), FileError> {
    restored_in(Path::new(DIR), account)
}

fn announce_in(dir: &Path, account: &Account) -> Result<(), FileError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(dir)
        .map_err(|source| FileError { doing: "making directory", path: dir.to_owned(), source })?;
    let path = path(dir, account);
    let failed =
        |source: Errno| FileError { doing: "making", path: path.clone(), source: source.into() };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = match rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => file,
        Err(Errno::EXIST) => return Ok(()),
        Err(source) => return Err(failed(source)),
    };
    let (uid, gid) = (Uid::from_raw(account.uid.as_raw()), Gid::from_raw(account.gid.as_raw()));
    rustix::fs::fchown(file, Some(uid), Some(gid)).map_err(failed)
}

fn is_pending_in(dir: &Path, account: &Account) -> bool {
    path(dir, account).symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.len() == 0)
}

fn restored_in(dir: &Path, account: &Account) -> Result<(), FileError> {
    let path = path(dir, account);
    let failed =
        |source: Errno| FileError { doing: "writing", path: path.clone(), source: source.into() };
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::open(&path, flags, Mode::empty()) {
        Ok(file) => rustix::io::write(file, b"restored\n").map(drop).map_err(failed),
        Err(Errno::NOENT) => Ok(()),
        Err(source) => Err(failed(source)),
    }
}

fn path(dir: &Path, account: &Account) -> PathBuf {
    dir.join(account.uid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_pending_from_the_announcement_to_the_restore_and_never_again() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("pending");
        let account = super::super::accounts::current().unwrap();
        restored_in(&dir, &account).unwrap();
        assert!(!is_pending_in(&dir, &account), "nobody restores here");
        announce_in(&dir, &account).unwrap();
        assert!(is_pending_in(&dir, &account));
        restored_in(&dir, &account).unwrap();
        assert!(!is_pending_in(&dir, &account));
        announce_in(&dir, &account).unwrap();
        assert!(!is_pending_in(&dir, &account), "a second start of the unit changes nothing");
    }
}
