//! Which users have not been restored since the host came up: one fifo for each in `/run`, which is
//! emptied at boot.
//!
//! Root creates the fifo, owned by the user, before it restores. The user's process removes its write
//! permission when the restore is done. So every save can check cheaply whether the few live sessions
//! may already follow the newest snapshot. On a host where no users are restored there are no fifos.
//! A fifo, because it holds no data: with a file of their own users could fill `/run`, and then no
//! logins would work.

use crate::sys::accounts::Account;
use crate::sys::fs::FileError;
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Uid};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

const DIR: &str = "/run/tmux-persist/pending";
/// The mode of a fifo until the restore is done, and after that.
const PENDING: Mode = Mode::RUSR.union(Mode::WUSR);
const RESTORED: Mode = Mode::RUSR;
/// The bit in which they differ.
const WRITABLE: u32 = Mode::WUSR.bits();

/// As root: announces that the user's sessions are about to be restored. If they were restored since the
/// host came up, nothing changes.
pub fn announce(account: &Account) -> Result<(), FileError> {
    announce_in(Path::new(DIR), account)
}

/// Whether this user's sessions have not been restored yet.
pub fn is_pending(account: &Account) -> bool {
    is_pending_in(Path::new(DIR), account)
}

/// How many users were announced since the host came up: as many are restored together.
pub fn count() -> usize {
    std::fs::read_dir(DIR).map_or(0, Iterator::count)
}

/// As the user: records that the restore is done.
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
    match rustix::fs::mknodat(CWD, &path, FileType::Fifo, PENDING, 0) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(source) => return Err(failed(source)),
    }
    // An existing one, too: the process that created it may have been killed before this.
    let (uid, gid) = (Uid::from_raw(account.uid.as_raw()), Gid::from_raw(account.gid.as_raw()));
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::chownat(CWD, &path, Some(uid), Some(gid), flags).map_err(failed)
}

fn is_pending_in(dir: &Path, account: &Account) -> bool {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let meta = path(dir, account).symlink_metadata();
    meta.is_ok_and(|meta| meta.file_type().is_fifo() && meta.mode() & WRITABLE != 0)
}

fn restored_in(dir: &Path, account: &Account) -> Result<(), FileError> {
    let path = path(dir, account);
    match rustix::fs::chmod(&path, RESTORED) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(source) => Err(FileError { doing: "marking", path, source: source.into() }),
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
        let account = crate::sys::accounts::current().unwrap();
        restored_in(&dir, &account).unwrap();
        assert!(!is_pending_in(&dir, &account), "not announced");
        announce_in(&dir, &account).unwrap();
        assert!(is_pending_in(&dir, &account));
        let open = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
        let opened = rustix::fs::open(path(&dir, &account), open, Mode::empty());
        assert_eq!(opened.err(), Some(Errno::NXIO), "it holds no data");
        restored_in(&dir, &account).unwrap();
        assert!(!is_pending_in(&dir, &account));
        announce_in(&dir, &account).unwrap();
        assert!(!is_pending_in(&dir, &account), "a second start of the unit changes nothing");
    }
}
