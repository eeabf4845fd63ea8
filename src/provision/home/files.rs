//! Files of the caller's own home: no link in it is followed, nothing is waited for, nothing of
//! another owner is read, nothing is read beyond a bound.

use crate::sys::Dir;
use rustix::fs::FileType;
use std::path::PathBuf;

/// What is at a place of the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum There {
    /// Nothing.
    Nothing,
    /// A file, and what it says.
    File(Vec<u8>),
    /// Something that is left alone: why.
    Unfit(String),
}

/// The home of the user this process is, as its environment names it.
pub(super) fn home() -> Result<Dir, String> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let home = home.ok_or("HOME names no home")?;
    let real = home.canonicalize().map_err(|error| format!("{}: {error}", home.display()))?;
    let dir = Dir::open(&real).map_err(|error| error.to_string())?;
    own(dir)
}

/// A directory of the home; `None` when it is absent.
pub(super) fn dir(home: &Dir, name: &str) -> Result<Option<Dir>, String> {
    let path = home.path().join(name);
    let stat = home.stat(name).map_err(|error| error.to_string())?;
    let Some(stat) = stat else { return Ok(None) };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {}
        FileType::Symlink => return Err(format!("{}: a link: not followed", path.display())),
        _ => return Err(format!("{}: no directory", path.display())),
    }
    own(home.open_dir(name).map_err(|error| error.to_string())?).map(Some)
}

/// The same, made (0700) when it is absent.
pub(super) fn ensure_dir(home: &Dir, name: &str) -> Result<Dir, String> {
    if let Some(dir) = dir(home, name)? {
        return Ok(dir);
    }
    own(home.ensure_dir(name).map_err(|error| error.to_string())?)
}

/// Looks at a file of a directory and reads it.
pub(super) fn read(dir: &Dir, name: &str, limit: u64) -> There {
    match dir.stat(name) {
        Ok(None) => return There::Nothing,
        Ok(Some(stat)) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => {
            return There::Unfit(format!(
                "{}: a link: not followed",
                dir.path().join(name).display()
            ));
        }
        Ok(Some(_)) => {}
        Err(error) => return There::Unfit(error.to_string()),
    }
    match dir.read(name, limit) {
        Ok(bytes) => There::File(bytes),
        Err(error) if error.is_not_found() => There::Nothing,
        Err(error) => There::Unfit(error.to_string()),
    }
}

/// Whether anything at all is at a place: what it is does not matter.
pub(super) fn is_there(dir: &Dir, name: &str) -> Result<bool, String> {
    dir.stat(name).map(|stat| stat.is_some()).map_err(|error| error.to_string())
}

fn own(dir: Dir) -> Result<Dir, String> {
    if dir.is_own().map_err(|error| error.to_string())? {
        Ok(dir)
    } else {
        Err(format!("{}: belongs to another user", dir.path().display()))
    }
}
