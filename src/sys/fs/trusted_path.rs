//! The ground root stands on: directories that only root can change, and the one directory that
//! root gives to each user.

use super::{Dir, FileError};
use crate::sys::accounts::Account;
use rustix::fs::{AtFlags, Gid, Mode, RenameFlags, Uid};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Asserts that nobody but root can replace `path` or any directory above it: each is a real
/// directory or file of root's that others cannot write, or may write only with the sticky bit.
pub fn assert_roots_own(path: &Path) -> Result<(), FileError> {
    let real = path.canonicalize().map_err(|source| FileError {
        doing: "resolving",
        path: path.to_owned(),
        source,
    })?;
    for part in real.ancestors() {
        let doing = "checking";
        let meta = part.symlink_metadata().map_err(|source| FileError {
            doing,
            path: part.to_owned(),
            source,
        })?;
        let sticky = meta.is_dir() && meta.mode() & 0o1000 != 0;
        if meta.uid() != 0 {
            let why = format!("belongs to uid {}, not to root", meta.uid());
            return Err(FileError::refused(doing, part, why));
        }
        if meta.mode() & 0o022 != 0 && !sticky {
            let why = format!("mode {:o}: others than root can write it", meta.mode() & 0o7777);
            return Err(FileError::refused(doing, part, why));
        }
    }
    Ok(())
}

/// As root: makes the state directory (0755, so that users reach their own part) when absent.
pub fn ensure_state_dir(path: &Path) -> Result<Dir, FileError> {
    let failed = |source| FileError { doing: "making directory", path: path.to_owned(), source };
    if !path.exists() {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(failed)?;
        let mode = Mode::from_raw_mode(0o755); // whatever the umask was
        rustix::fs::chmod(path, mode).map_err(|source| failed(source.into()))?;
    }
    assert_roots_own(path)?;
    Dir::open(path)
}

/// As root: makes `<state>/<user>/` (0700, owned by the user) and the documented link
/// `<state>/<user>.tsv` once. What is there already is left as it is, and refused when it is
/// not the user's.
///
/// A new directory is completed under another name and renamed, so that a kill leaves no
/// directory that belongs to nobody.
pub fn ensure_user_dir(state: &Dir, account: &Account) -> Result<(), FileError> {
    let name = account.name.as_str();
    let path = state.path().join(name);
    match state.stat(name)? {
        Some(stat) if stat.st_uid != account.uid.as_raw() => {
            let why = format!("belongs to uid {}, not to {name}", stat.st_uid);
            return Err(FileError::refused("checking", path, why));
        }
        Some(stat) if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir() => {
            return Err(FileError::refused("checking", path, "not a directory"));
        }
        Some(_) => {}
        None => give_directory(state, account, &path)?,
    }
    state.ensure_link(&format!("{name}.tsv"), PathBuf::from(name).join("latest").as_os_str())
}

fn give_directory(state: &Dir, account: &Account, path: &Path) -> Result<(), FileError> {
    let fail =
        |source: Errno| FileError { doing: "making", path: path.to_owned(), source: source.into() };
    let name = account.name.as_str();
    let temporary = format!(".user-{name}");
    match rustix::fs::unlinkat(state.fd(), &temporary, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(source) => return Err(fail(source)),
    }
    rustix::fs::mkdirat(state.fd(), &temporary, Mode::RWXU).map_err(fail)?;
    let made = state.open_dir(OsStr::new(&temporary))?;
    let (uid, gid) = (Uid::from_raw(account.uid.as_raw()), Gid::from_raw(account.gid.as_raw()));
    rustix::fs::fchown(made.fd(), Some(uid), Some(gid)).map_err(fail)?;
    state.rename(&temporary, name, RenameFlags::NOREPLACE)?;
    state.sync()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ground_that_is_roots_alone_passes() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let checked = assert_roots_own(root.path());
        if !crate::sys::accounts::is_root() {
            assert!(checked.unwrap_err().to_string().contains("not to root"));
            return;
        }
        checked.unwrap();
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(root.path(), open).unwrap();
        assert!(assert_roots_own(root.path()).unwrap_err().to_string().contains("can write it"));
    }
}
