//! An archive, read back, beside the tree that it was made of: entry by entry, byte by byte.

use super::manifest::{self, Content, Line, Seen};
use super::pax_reader::{Kind, Tape};
use crate::sys::fs::walk::{self, Node};
use crate::sys::{Dir, FileError};
use rustix::fs::FileType;
use std::io::Read;

/// Why they do not agree, or could not be read.
#[derive(Debug)]
pub(super) struct Differs(pub(super) String);

impl From<FileError> for Differs {
    fn from(error: FileError) -> Self {
        Self(error.to_string())
    }
}

/// Compares `name` in `parent` with an archive of it, and gives each line of the manifest. Sockets
/// are in no archive. Gives how many entries there are.
pub(super) fn compare(
    parent: &Dir,
    name: &str,
    source: impl Read,
    mut line: impl FnMut(&Line) -> Result<(), String>,
) -> Result<u64, String> {
    let (mut tape, mut seen, mut entries) = (Tape::new(source), Seen::default(), 0_u64);
    let walked = walk::walk(parent, name, |node| {
        entries += 1;
        if node.kind() == FileType::Socket {
            return line(&manifest::describe(node, None)?).map_err(Differs);
        }
        let earlier = seen.earlier(node);
        let told = one(node, earlier.as_deref(), &mut tape)?;
        line(&told).map_err(Differs)
    });
    walked.map_err(|Differs(why)| why)?;
    match tape.next().map_err(|why| format!("the archive: {why}"))? {
        None => Ok(entries),
        Some(entry) => Err(format!("{}: is in the archive alone", manifest::escaped(&entry.path))),
    }
}

fn one<R: Read>(
    node: &Node<'_>,
    earlier: Option<&[u8]>,
    tape: &mut Tape<R>,
) -> Result<Line, Differs> {
    let path = manifest::escaped(node.path);
    let wrong = |what: &str| Differs(format!("{path}: {what}"));
    let torn = |why: String| wrong(&format!("the archive: {why}"));
    let entry = tape.next().map_err(torn)?.ok_or_else(|| wrong("is not in the archive"))?;
    if entry.path != node.path {
        let other = manifest::escaped(&entry.path);
        return Err(wrong(&format!("the archive has {other} in its place")));
    }
    let line = manifest::describe(node, earlier)?;
    let differ = |what: &str, here: &str, there: &str| {
        if here == there { Ok(()) } else { Err(wrong(&format!("{what} {here}, archived {there}"))) }
    };
    let kind = match (entry.kind, earlier) {
        (Kind::HardLink, Some(_)) => line.kind,
        (kind, _) => name_of(kind),
    };
    differ("is a", line.kind, kind)?;
    differ("mode", &line.mode, &format!("{:04o}", entry.mode))?;
    differ("uid", &line.uid.to_string(), &entry.uid.to_string())?;
    differ("gid", &line.gid.to_string(), &entry.gid.to_string())?;
    differ("time", &line.mtime, &manifest::time(entry.mtime.0, entry.mtime.1))?;
    if let Some(earlier) = &line.same_as {
        return differ("same as", earlier, &manifest::escaped(&entry.target)).map(|()| line);
    }
    if let Some(target) = &line.target {
        differ("points to", target, &manifest::escaped(&entry.target))?;
    }
    if let Some(device) = &line.device {
        differ("device", &format!("{device:?}"), &format!("{:?}", entry.device))?;
    }
    if let Some(content) = &line.content {
        differ("size", &line.size.to_string(), &entry.size.to_string())?;
        let mut hash = Content::new(manifest::has_holes(node));
        tape.data(|offset, bytes| hash.give(offset, bytes)).map_err(torn)?;
        differ("content", content, &hash.end(entry.size))?;
    }
    Ok(line)
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::HardLink => "second name",
        Kind::Link => "link",
        Kind::Character => "character device",
        Kind::Block => "block device",
        Kind::Directory => "directory",
        Kind::Fifo => "fifo",
    }
}
