//! What lies in a directory, for a person who chooses a file there.

use super::error::FilesError;
use super::names::image_type;
use crate::protocol::conversation::shown;
use serde::Serialize;
use std::path::Path;
use terminal_lobby::sys::Dir;

/// With more entries a directory is not listed.
const MAX_ENTRIES: usize = 50_000;
/// As many are shown.
const MAX_SHOWN: usize = 2000;

/// The entries of a directory.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    /// Where it is.
    directory: String,
    entries: Vec<Entry>,
    /// How many more there are than are shown.
    further: usize,
}

/// A directory, or a regular file.
#[derive(Debug, Serialize)]
struct Entry {
    /// Its name as it is in paths.
    name: String,
    /// And for reading.
    shown: String,
    directory: bool,
    image: bool,
    size: u64,
    /// When it was written, in seconds since the epoch.
    changed: u64,
}

/// Lists a directory below another one. What is neither a directory nor a regular file is left out; so are names that
/// are no text.
pub(super) fn list(root: &Path, below: &Path) -> Result<Listed, FilesError> {
    let dir = Dir::open(root)?.dir_below(below)?;
    let names = dir.names(MAX_ENTRIES)?.ok_or(FilesError::TooManyEntries)?;
    let mut entries: Vec<Entry> =
        names.iter().filter_map(|name| entry(&dir, name.to_str()?)).collect();
    entries.sort_by(|a, b| (!a.directory, &a.name).cmp(&(!b.directory, &b.name)));
    let further = entries.len().saturating_sub(MAX_SHOWN);
    entries.truncate(MAX_SHOWN);
    Ok(Listed { directory: shown(&dir.path().to_string_lossy()), entries, further })
}

fn entry(dir: &Dir, name: &str) -> Option<Entry> {
    let stat = dir.stat(name).ok()??;
    let kind = stat.st_mode & 0o170_000;
    let directory = kind == 0o040_000;
    (directory || kind == 0o100_000).then(|| Entry {
        name: name.to_owned(),
        shown: shown(&name.replace('\n', "\u{fffd}")),
        directory,
        image: !directory && image_type(name).is_some(),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        changed: u64::try_from(stat.st_mtime).unwrap_or(0),
    })
}
