//! The directory below the state directory that root makes for each user and gives to that user.

use crate::sys::accounts::Account;
use crate::sys::fs::{Dir, FileError};
use rustix::fs::{AtFlags, Gid, Mode, RenameFlags, Uid};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// As root: makes `<state>/<user>/` (0700, owned by the user) and the documented link
/// `<state>/<user>.tsv` once, and fixes a link that leads elsewhere, as one of the older suite's does. An
/// existing directory is left as it is, and refused unless it is the user's.
///
/// A new directory is completed under another name and renamed, so that a kill leaves no
/// directory of root's in the user's place.
pub(crate) fn ensure(state: &Dir, account: &Account) -> Result<(), FileError> {
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
        None => make(state, account, &path)?,
    }
    state.point_link(&format!("{name}.tsv"), PathBuf::from(name).join("latest").as_os_str())
}

fn make(state: &Dir, account: &Account, path: &Path) -> Result<(), FileError> {
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
