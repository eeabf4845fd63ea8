//! Files of root's: on ground that only root can change, whole or not at all.

use super::install;
use crate::provision::edit::environment_file;
use crate::provision::observe::observed::{File, SERVICES};
use crate::provision::plan::Installed;
use crate::sys::fs::{Existing, trusted_path};
use crate::sys::{Dir, FileError};
use std::path::Path;

/// No file that is written here is larger (bytes).
const MAX: u64 = 16 << 20;
/// Of an environment: it may hold secrets.
const PRIVATE: u32 = 0o600;
/// Of a generated file.
const PUBLIC: u32 = 0o644;

/// Sets one key of an environment file; every other byte stays.
pub(super) fn set_key(file: &str, key: &str, value: &str) -> Result<(), String> {
    let set = || {
        let (dir, name) = place(file)?;
        let before = read(&dir, name)?.unwrap_or_default();
        let after = environment_file::set(&before, key, value);
        dir.write_as(name, &after, Existing::Replaced, PRIVATE)
    };
    set().map_err(|error: FileError| error.to_string())
}

/// Changes the mode of a file.
pub(super) fn set_mode(file: &str, mode: u32) -> Result<(), String> {
    let set = || {
        let (dir, name) = place(file)?;
        dir.set_mode(name, mode)
    };
    set().map_err(|error: FileError| error.to_string())
}

/// Writes a generated file over what was seen, and over nothing else.
pub(super) fn write(file: &str, text: &str, seen: Option<&File>) -> Result<(), String> {
    let write = || {
        let (dir, name) = place(file)?;
        let there = read(&dir, name)?;
        let expected = match seen {
            Some(File::Read { bytes, .. }) => Some(bytes),
            _ => None,
        };
        if there.as_ref() != expected {
            return Err(FileError::refused("writing", file, "it has changed meanwhile"));
        }
        dir.write_as(name, text.as_bytes(), Existing::Replaced, PUBLIC)
    };
    write().map_err(|error: FileError| error.to_string())
}

/// What an environment file says; nothing when it is absent.
pub(super) fn text(file: &str) -> Result<Vec<u8>, String> {
    let read = || {
        let (dir, name) = place(file)?;
        read(&dir, name)
    };
    read().map(Option::unwrap_or_default).map_err(|error: FileError| error.to_string())
}

/// Installs a file or link over what was seen, and over nothing else.
pub(super) fn install(
    path: &str,
    what: &Installed,
    seen: Option<&File>,
    link: Option<&str>,
) -> Result<(), String> {
    let there = Path::new(path);
    let same = match (there.symlink_metadata(), seen, link) {
        (Err(error), None, None) => error.kind() == std::io::ErrorKind::NotFound,
        (Ok(meta), _, Some(target)) => {
            meta.is_symlink() && there.read_link().is_ok_and(|to| to == Path::new(target))
        }
        (Ok(meta), Some(File::Read { bytes, .. }), None) => {
            meta.is_file() && crate::sys::fs::read(there, MAX).is_ok_and(|now| now == *bytes)
        }
        _ => false,
    };
    if !same {
        return Err(format!("installing {path}: it has changed meanwhile"));
    }
    install::install(Path::new("/"), path, what).map_err(|error| error.to_string())
}

fn read(dir: &Dir, name: &str) -> Result<Option<Vec<u8>>, FileError> {
    match dir.read(name, MAX) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The directory of a file and its name there; the services' directory is made.
fn place(file: &str) -> Result<(Dir, &str), FileError> {
    let path = Path::new(file);
    let refused = || FileError::refused("writing", file, "no file of this host");
    let parent = path.parent().ok_or_else(refused)?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(refused)?;
    let dir = if parent == Path::new(SERVICES) {
        trusted_path::ensure_state_dir(parent)?
    } else {
        trusted_path::assert_roots_own(parent)?;
        Dir::open(parent)?
    };
    Ok((dir, name))
}
