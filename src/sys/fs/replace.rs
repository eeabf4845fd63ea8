//! Replacing a file that a person keeps: same owner, same mode, whole or not at all, and only
//! while it is still what was read.

use super::trusted_path::assert_roots_own;
use super::{Dir, FileError};
use crate::sys::{accounts, fs};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Uid};
use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;

/// Replaces the contents `old` of a file by `new`. A link leads to the file it names, which is
/// the one that is replaced. Root does so only where nobody else could have led it elsewhere.
pub fn replace(path: &Path, old: &[u8], new: &[u8]) -> Result<(), FileError> {
    let doing = "replacing";
    let failed = |source| FileError { doing, path: path.to_owned(), source };
    let real = path.canonicalize().map_err(failed)?;
    if accounts::is_root() {
        assert_roots_own(&real)?;
    }
    let (Some(parent), Some(name)) = (real.parent(), real.file_name().and_then(OsStr::to_str))
    else {
        return Err(FileError::refused(doing, path, "not a file whose name is UTF-8"));
    };
    let dir = Dir::open(parent)?;
    let limit = old.len().max(new.len()) as u64;
    if fs::read(&real, limit).ok().as_deref() != Some(old) {
        return Err(FileError::refused(doing, path, "it has changed meanwhile"));
    }
    let Some(stat) = dir.stat(name)? else {
        return Err(FileError::refused(doing, path, "it has gone meanwhile"));
    };
    let temporary = format!(".new-{}", fs::random_hex());
    let written = write_like(&dir, &temporary, new, &stat).map_err(failed);
    let renamed = written.and_then(|()| dir.rename(&temporary, name, RenameFlags::empty()));
    if renamed.is_err() {
        let _ = rustix::fs::unlinkat(dir.fd(), &temporary, AtFlags::empty());
    }
    renamed?;
    dir.sync()
}

/// Writes a new file with another one's owner and mode.
fn write_like(
    dir: &Dir,
    name: &str,
    bytes: &[u8],
    like: &rustix::fs::Stat,
) -> Result<(), std::io::Error> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir.fd(), name, flags, Mode::RUSR | Mode::WUSR)?;
    let made = rustix::fs::fstat(&fd)?;
    if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid) {
        let (uid, gid) = (Uid::from_raw(like.st_uid), Gid::from_raw(like.st_gid));
        rustix::fs::fchown(&fd, Some(uid), Some(gid))?;
    }
    rustix::fs::fchmod(&fd, Mode::from_raw_mode(like.st_mode & 0o777))?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn mode_and_links_stay_and_a_file_that_changed_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let (file, link) = (root.path().join("file"), root.path().join("link"));
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        replace(&link, b"old", b"newer").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"newer");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
        assert!(link.is_symlink());
        let error = replace(&file, b"old", b"x").unwrap_err().to_string();
        assert!(error.contains("changed meanwhile"), "{error}");
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2);
    }

    #[test]
    fn root_replaces_nothing_where_somebody_else_could_have_put_it() {
        if !accounts::is_root() {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let (dir, file) = (root.path().join("theirs"), root.path().join("theirs/file"));
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::chown(&dir, Some(12_345), None).unwrap();
        let error = replace(&file, b"old", b"new").unwrap_err().to_string();
        assert!(error.ends_with("belongs to uid 12345, not to root"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), b"old");
    }
}
