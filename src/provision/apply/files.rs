//! Files of root's: written whole, in directories that only root can change.

use super::{ChangeError, install};
use crate::provision::edit::environment_file;
use crate::provision::observe::observed::File;
use crate::provision::paths::SERVICES;
use crate::provision::plan::Installed;
use crate::provision::plan::environment;
use crate::sys::fs::{Existing, trusted_path};
use crate::sys::{Dir, FileError};
use std::path::Path;

/// Maximum size of a file that is written here, in bytes.
const MAX: u64 = 16 << 20;
/// The mode of a generated file.
const GENERATED_MODE: u32 = 0o644;

/// Sets one key of an environment file; every other byte is kept.
pub(super) fn set_key(file: &str, key: &str, value: &str) -> Result<(), FileError> {
    let (dir, name) = open_parent(file)?;
    let before = read(&dir, name)?.unwrap_or_default();
    let after = environment_file::set(&before, key, value);
    dir.write_as(name, &after, Existing::Replaced, environment::MODE)
}

pub(super) fn set_mode(file: &str, mode: u32) -> Result<(), FileError> {
    let (dir, name) = open_parent(file)?;
    dir.set_mode(name, mode)
}

/// Writes a generated file, unless the file changed since it was observed.
pub(super) fn write(file: &str, text: &str, observed: Option<&File>) -> Result<(), ChangeError> {
    let (dir, name) = open_parent(file)?;
    let expected = match observed {
        Some(File::Read { bytes, .. }) => Some(bytes),
        _ => None,
    };
    if read(&dir, name)?.as_ref() != expected {
        return Err(ChangeError::Changed { path: file.to_owned() });
    }
    Ok(dir.write_as(name, text.as_bytes(), Existing::Replaced, GENERATED_MODE)?)
}

/// The text of an environment file; empty if it is absent.
pub(super) fn text(file: &str) -> Result<Vec<u8>, FileError> {
    let (dir, name) = open_parent(file)?;
    Ok(read(&dir, name)?.unwrap_or_default())
}

/// Installs a file or link, unless what is at `path` changed since it was observed. `link` is the target
/// of the link that was there.
pub(super) fn install(
    path: &str,
    what: &Installed,
    observed: Option<&File>,
    link: Option<&str>,
) -> Result<(), ChangeError> {
    let (dir, name) = install::open_parent(Path::new("/"), path)?;
    let unchanged = match (dir.stat(&name)?, observed, link) {
        (None, None, None) => true,
        (Some(_), _, Some(target)) => {
            dir.link_target(&name)?.is_some_and(|found| found.as_os_str() == target)
        }
        (Some(_), Some(File::Read { bytes, .. }), None) => {
            read(&dir, &name)?.as_ref() == Some(bytes)
        }
        _ => false,
    };
    if !unchanged {
        return Err(ChangeError::Changed { path: path.to_owned() });
    }
    Ok(install::install(&dir, &name, what)?)
}

fn read(dir: &Dir, name: &str) -> Result<Option<Vec<u8>>, FileError> {
    match dir.read(name, MAX) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens the directory of a file; the services' directory is made if it is absent. Returns it with the
/// file's name.
fn open_parent(file: &str) -> Result<(Dir, &str), FileError> {
    let path = Path::new(file);
    let refused = || FileError::refused("writing", file, "not a path of this host");
    let parent = path.parent().ok_or_else(refused)?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(refused)?;
    let dir = if parent == Path::new(SERVICES) {
        trusted_path::ensure_dir(parent)?
    } else {
        trusted_path::open_dir(parent)?
    };
    Ok((dir, name))
}
