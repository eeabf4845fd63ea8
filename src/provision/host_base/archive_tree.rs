//! Unpacks a whole tar archive whose hash was checked, perhaps compressed, into a new directory. Every name is walked
//! by descriptors, so that no link of the archive leads another of its files elsewhere; links stay inside.

use super::archive::{ArchiveError, Bounded, Unpacked, unpacked};
use crate::sys::Dir;
use crate::sys::fs;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use tar::{Entry, EntryType};

/// Maximum number of files, directories and links.
const MAX_ENTRIES: usize = 200_000;
const DIRECTORY: u32 = 0o755;
const EXECUTABLE: u32 = 0o755;
const PLAIN: u32 = 0o644;

/// Unpacks all but the one directory that everything is in. What is unpacked has at most `limit` bytes in all, and
/// is root's: directories and programs 0755, all else 0644.
pub(crate) fn unpack_tree(archive: File, limit: u64, into: &Dir) -> Result<(), ArchiveError> {
    let Unpacked::Tar(unpacked) = unpacked(archive)? else {
        return Err(ArchiveError::NotATar);
    };
    let invalid = |error: io::Error| ArchiveError::of(&error, limit);
    let mut archive = tar::Archive::new(Bounded::new(unpacked, limit));
    for (number, entry) in archive.entries().map_err(invalid)?.enumerate() {
        if number == MAX_ENTRIES {
            return Err(ArchiveError::TooMany(MAX_ENTRIES));
        }
        let mut entry = entry.map_err(invalid)?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = inside(&entry.path_bytes(), &shown)?;
        let Some(name) = path.file_name().map(OsStr::to_owned) else {
            continue; // the directory that everything is in
        };
        let Some(name) = name.to_str() else { return Err(ArchiveError::Name(shown)) };
        let parent = directory(into, path.parent().unwrap_or(Path::new("")))?;
        match kind {
            EntryType::Directory => drop(directory(&parent, Path::new(name))?),
            EntryType::Regular | EntryType::Continuous => {
                file(&parent, name, &mut entry, limit)?;
            }
            EntryType::Symlink => link(&parent, &path, name, &entry, &shown)?,
            _ => return Err(ArchiveError::NotAFile(shown)),
        }
    }
    into.sync_file_system()?;
    Ok(())
}

/// The path below the new directory: without its first component.
fn inside(name: &[u8], shown: &str) -> Result<PathBuf, ArchiveError> {
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => path.push(part),
            _ => return Err(ArchiveError::Name(shown.to_owned())),
        }
    }
    Ok(path.components().skip(1).collect())
}

/// Opens a directory below another; missing ones are made. A link on the way is an error.
fn directory(from: &Dir, path: &Path) -> Result<Dir, ArchiveError> {
    let mut dir = from.open_dir(".")?;
    for component in path.components() {
        let name = component.as_os_str().to_str();
        let name = name.ok_or_else(|| ArchiveError::Name(path.to_string_lossy().into_owned()))?;
        let is_new = dir.stat(name)?.is_none();
        dir = dir.ensure_dir(name)?;
        if is_new {
            fs::set_mode(&dir, DIRECTORY)?;
        }
    }
    Ok(dir)
}

fn file<R: Read>(
    parent: &Dir,
    name: &str,
    entry: &mut Entry<'_, R>,
    limit: u64,
) -> Result<(), ArchiveError> {
    let is_executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
    let mut to = parent.create_new(name)?;
    io::copy(entry, &mut to).map_err(|error| ArchiveError::of(&error, limit))?;
    parent.set_mode(name, if is_executable { EXECUTABLE } else { PLAIN })?;
    Ok(())
}

/// Makes a link whose target is inside of the new directory.
fn link<R: Read>(
    parent: &Dir,
    path: &Path,
    name: &str,
    entry: &Entry<'_, R>,
    shown: &str,
) -> Result<(), ArchiveError> {
    let outside = || ArchiveError::Outside(shown.to_owned());
    let target = entry.link_name_bytes().ok_or_else(outside)?;
    let target = OsStr::from_bytes(&target);
    let mut depth = path.components().count() - 1;
    for component in Path::new(target).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth = depth.checked_sub(1).ok_or_else(outside)?,
            Component::RootDir | Component::Prefix(_) => return Err(outside()),
        }
    }
    if parent.stat(name)?.is_some() {
        return Err(ArchiveError::Ambiguous(shown.to_owned()));
    }
    Ok(parent.ensure_link(name, target)?)
}
