//! Files of the caller's own home: no link in it is followed, nothing is waited for, nothing of
//! another owner is read, nothing is read beyond a limit.

use super::HomeError;
use crate::sys::Dir;
use rustix::fs::FileType;
use std::path::PathBuf;

/// What is at a path of the home.
#[derive(Debug)]
pub(super) enum FileState {
    Absent,
    Content(Vec<u8>),
    /// It must be left as it is: why.
    Unusable(HomeError),
}

/// Opens the home that the environment of this process names.
pub(super) fn open_home() -> Result<Dir, HomeError> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let path = home.ok_or(HomeError::NoHome)?;
    let real = path.canonicalize().map_err(|source| HomeError::Home { path, source })?;
    ensure_own(Dir::open(&real)?)
}

/// A directory of the home; `None` if it is absent.
pub(super) fn dir(home: &Dir, name: &str) -> Result<Option<Dir>, HomeError> {
    let path = home.path().join(name);
    let Some(stat) = home.stat(name)? else { return Ok(None) };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {}
        FileType::Symlink => return Err(HomeError::Link(path)),
        _ => return Err(HomeError::NotADirectory(path)),
    }
    ensure_own(home.open_dir(name)?).map(Some)
}

/// The same; it is made (0700) if it is absent.
pub(super) fn ensure_dir(home: &Dir, name: &str) -> Result<Dir, HomeError> {
    match dir(home, name)? {
        Some(dir) => Ok(dir),
        None => ensure_own(home.ensure_dir(name)?),
    }
}

/// The directory some levels below one; `None` if one on the way is absent.
pub(super) fn dir_at(mut at: Dir, names: &[&str]) -> Result<Option<Dir>, HomeError> {
    for name in names {
        match dir(&at, name)? {
            Some(dir) => at = dir,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// The same; each is made (0700) if it is absent.
pub(super) fn ensure_dir_at(mut at: Dir, names: &[&str]) -> Result<Dir, HomeError> {
    for name in names {
        at = ensure_dir(&at, name)?;
    }
    Ok(at)
}

pub(super) fn read(dir: &Dir, name: &str, limit: u64) -> FileState {
    match dir.stat(name) {
        Ok(None) => return FileState::Absent,
        Ok(Some(stat)) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => {
            return FileState::Unusable(HomeError::Link(dir.path().join(name)));
        }
        Ok(Some(_)) => {}
        Err(error) => return FileState::Unusable(error.into()),
    }
    match dir.read(name, limit) {
        Ok(bytes) => FileState::Content(bytes),
        Err(error) if error.is_not_found() => FileState::Absent,
        Err(error) => FileState::Unusable(error.into()),
    }
}

/// Whether anything at all is at a name of a directory.
pub(super) fn exists(dir: &Dir, name: &str) -> Result<bool, HomeError> {
    Ok(dir.stat(name)?.is_some())
}

fn ensure_own(dir: Dir) -> Result<Dir, HomeError> {
    if dir.is_own()? { Ok(dir) } else { Err(HomeError::ForeignOwner(dir.path().to_owned())) }
}
