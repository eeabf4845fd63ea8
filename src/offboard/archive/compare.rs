//! Compares an archive with the home that it was made of: entry by entry, byte by byte.

use super::manifest::{self, Content, Line, LinkedFiles};
use super::pax_reader::{Entry, Kind, PaxError, PaxReader};
use crate::sys::fs::walk::{self, Node};
use crate::sys::{Dir, FileError};
use rustix::fs::FileType;
use std::io::Read;

/// Why an archive is not a copy of the home. Paths are escaped as in the manifest.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path}: invalid archive: {source}")]
    Archive { path: String, source: PaxError },
    #[error("{0}: missing from the archive")]
    Missing(String),
    #[error("{0}: only in the archive")]
    Extra(String),
    #[error("{path}: the archive has {archived} in its place")]
    OtherEntry { path: String, archived: String },
    #[error("{path}: {field} {home}, archived {archived}")]
    Field { path: String, field: &'static str, home: String, archived: String },
}

/// Compares `name` in `parent` with an archive of it, gives each line of the manifest to `line`, and
/// returns the number of entries. Sockets are in the manifest only.
pub(super) fn compare<E: From<CompareError> + From<FileError>>(
    parent: &Dir,
    name: &str,
    source: impl Read,
    mut line: impl FnMut(&Line) -> Result<(), E>,
) -> Result<u64, E> {
    let (mut archive, mut linked, mut entries) =
        (PaxReader::new(source), LinkedFiles::default(), 0_u64);
    walk::walk(parent, name, |node| {
        entries += 1;
        if node.kind() == FileType::Socket {
            return line(&manifest::describe(node, None)?);
        }
        let earlier = linked.earlier(node);
        line(&compare_entry(node, earlier.as_deref(), &mut archive)?)
    })?;
    let invalid = |source| CompareError::Archive { path: name.to_owned(), source };
    match archive.next().map_err(invalid)? {
        None => Ok(entries),
        Some(entry) => Err(CompareError::Extra(manifest::escaped(&entry.path)).into()),
    }
}

fn compare_entry<R: Read>(
    node: &Node<'_>,
    earlier: Option<&[u8]>,
    archive: &mut PaxReader<R>,
) -> Result<Line, CompareError> {
    let path = manifest::escaped(node.path);
    let invalid = |source| CompareError::Archive { path: path.clone(), source };
    let entry = archive.next().map_err(invalid)?;
    let entry = entry.ok_or_else(|| CompareError::Missing(path.clone()))?;
    if entry.path != node.path {
        let archived = manifest::escaped(&entry.path);
        return Err(CompareError::OtherEntry { path, archived });
    }
    let line = manifest::describe(node, earlier)?;
    compare_fields(&line, &entry, earlier.is_some())?;
    if let Some(content) = &line.content {
        let mut hash = Content::new(manifest::has_holes(node));
        archive.data(|offset, bytes| hash.update(offset, bytes)).map_err(invalid)?;
        same(&line, "content", content, &hash.finish(entry.size))?;
    }
    Ok(line)
}

fn same(line: &Line, field: &'static str, home: &str, archived: &str) -> Result<(), CompareError> {
    if home == archived {
        return Ok(());
    }
    let (path, home, archived) = (line.path.clone(), home.to_owned(), archived.to_owned());
    Err(CompareError::Field { path, field, home, archived })
}

/// Compares all but the content; `is_linked` if the home had another name of the file before.
fn compare_fields(line: &Line, entry: &Entry, is_linked: bool) -> Result<(), CompareError> {
    let kind = match entry.kind {
        Kind::HardLink if is_linked => line.kind,
        kind => kind_name(kind),
    };
    same(line, "type", line.kind, kind)?;
    same(line, "mode", &line.mode, &format!("{:04o}", entry.mode))?;
    same(line, "uid", &line.uid.to_string(), &entry.uid.to_string())?;
    same(line, "gid", &line.gid.to_string(), &entry.gid.to_string())?;
    same(line, "mtime", &line.mtime, &manifest::time(entry.mtime.0, entry.mtime.1))?;
    if let Some(earlier) = &line.same_as {
        return same(line, "hard link to", earlier, &manifest::escaped(&entry.target));
    }
    if let Some(target) = &line.target {
        same(line, "link to", target, &manifest::escaped(&entry.target))?;
    }
    if let Some(device) = &line.device {
        same(line, "device", &format!("{device:?}"), &format!("{:?}", entry.device))?;
    }
    if line.content.is_some() {
        same(line, "size", &line.size.to_string(), &entry.size.to_string())?;
    }
    Ok(())
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::HardLink => "hard link",
        Kind::Link => "link",
        Kind::Character => "character device",
        Kind::Block => "block device",
        Kind::Directory => "directory",
        Kind::Fifo => "fifo",
    }
}
