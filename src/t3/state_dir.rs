//! The caller's own data of its instance: `~/.t3/userdata`, as a process of the user finds it.

use crate::sys::Dir;
use crate::sys::fs::FileError;
use crate::t3::paths;
use std::path::{Path, PathBuf};

/// The state directory, in the base directory.
pub const USERDATA: &str = "userdata";
/// The database, and what is beside it while it is in use.
pub const DATABASE: &str = "state.sqlite";
pub const BESIDE_DATABASE: [&str; 3] =
    ["state.sqlite-wal", "state.sqlite-shm", "state.sqlite-journal"];
/// The signing key and other secrets.
pub const SECRETS: &str = "secrets";
pub const ATTACHMENTS: &str = "attachments";
/// The name of the environment.
pub const ENVIRONMENT_ID: &str = "environment-id";
/// The single files that are worth keeping.
pub const SINGLE_FILES: [&str; 4] =
    ["settings.json", "keybindings.json", ENVIRONMENT_ID, "anonymous-id"];
/// Where the running server is; of no use without it.
pub const RUNTIME: &str = "server-runtime.json";

/// Opens the base directory of the caller's instance, which may be a link of the user's; `None` if there is none.
///
/// # Errors
/// If it is another user's.
pub fn open_base() -> Result<Option<Dir>, FileError> {
    open_base_at(&base_path()?)
}

fn base_path() -> Result<PathBuf, FileError> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let home = home.ok_or_else(|| FileError::refused("opening", "HOME", "names no home"))?;
    Ok(paths::base(&home))
}

/// As [`open_base`]; it is made (0700) if it is absent.
pub fn ensure_base() -> Result<Dir, FileError> {
    if let Some(base) = open_base()? {
        return Ok(base);
    }
    let base = base_path()?;
    crate::sys::fs::create_private_dirs(&base)?;
    Dir::open(&base).and_then(own)
}

/// The same, of a base directory.
pub fn open_base_at(path: &Path) -> Result<Option<Dir>, FileError> {
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FileError { doing: "opening", path: path.to_owned(), source }),
    };
    own(Dir::open(&real)?).map(Some)
}

/// A directory of the user's in another; `None` if it is absent.
///
/// # Errors
/// If it is a link, not a directory, or another user's.
pub fn own_dir(parent: &Dir, name: &str) -> Result<Option<Dir>, FileError> {
    match parent.open_dir(name) {
        Ok(dir) => own(dir).map(Some),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn own(dir: Dir) -> Result<Dir, FileError> {
    if dir.is_own()? {
        return Ok(dir);
    }
    Err(FileError::refused("opening", dir.path(), "belongs to another user"))
}
