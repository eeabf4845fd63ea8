//! The attachments: copied, or linked to the previous backup's copies where the originals have not changed.

use super::UserError;
use crate::sys::Dir;
use crate::sys::fs::FileError;
use crate::t3::backup::limits::Limits;
use crate::t3::backup::manifest::{Attachment, FileFacts, Stamp};
use crate::text::shown;
use rustix::fs::{FileType, Stat};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Instant;

/// How deep directories may be.
const MAX_DEPTH: usize = 16;
/// Maximum number of notes.
const MAX_NOTES: usize = 40;

/// What was copied.
#[derive(Debug, Default)]
pub(super) struct Copied {
    pub(super) list: Vec<Attachment>,
    pub(super) bytes: u64,
    /// What is new on the disk, in bytes.
    pub(super) new_bytes: u64,
    pub(super) linked: usize,
    pub(super) notes: Vec<String>,
}

/// The previous backup's attachments.
#[derive(Debug, Default)]
pub(super) struct Previous {
    /// Their directory.
    pub(super) dir: Option<Dir>,
    pub(super) list: HashMap<Vec<u8>, Attachment>,
}

struct Copy<'a> {
    limits: &'a Limits,
    previous: &'a Previous,
    until: Instant,
    entries: usize,
    is_full: bool,
    copied: Copied,
}

/// Copies the tree. What is no regular file of the user's, too large, too deep, or one too many is left out with a
/// note.
pub(super) fn copy(
    from: &Dir,
    to: &Dir,
    previous: &Previous,
    limits: &Limits,
    until: Instant,
) -> Result<Copied, UserError> {
    let copied = Copied::default();
    let mut copy = Copy { limits, previous, until, entries: 0, is_full: false, copied };
    copy.directory((from, to), previous.dir.as_ref(), &mut Vec::new(), 0)?;
    Ok(copy.copied)
}

/// The size of what would be copied if nothing could be linked, in bytes: at most what the limits allow.
pub(super) fn estimate(from: &Dir, limits: &Limits, previous: &Previous) -> u64 {
    let mut sizes = 0_u64;
    let mut left = limits.max_files;
    add(from, &mut Vec::new(), 0, &mut left, &mut |path, stat| {
        let unchanged = previous.list.get(path).is_some_and(|one| is_same(one, stat));
        let size = size(stat);
        if !unchanged && size <= limits.max_file_bytes {
            sizes = sizes.saturating_add(size);
        }
    });
    sizes.min(limits.max_bytes)
}

fn add(
    dir: &Dir,
    path: &mut Vec<u8>,
    depth: usize,
    left: &mut usize,
    take: &mut impl FnMut(&[u8], &Stat),
) {
    let Ok(Some(names)) = dir.names(*left) else { return };
    for name in names {
        *left = left.saturating_sub(1);
        let Ok(Some(stat)) = dir.stat(&name) else { continue };
        let length = push(path, &name);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => take(path, &stat),
            FileType::Directory if depth < MAX_DEPTH => {
                if let Ok(below) = dir.open_dir(&name) {
                    add(&below, path, depth + 1, left, take);
                }
            }
            _ => {}
        }
        path.truncate(length);
    }
}

impl Copy<'_> {
    fn directory(
        &mut self,
        (from, to): (&Dir, &Dir),
        previous: Option<&Dir>,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), UserError> {
        let room = self.limits.max_files.saturating_sub(self.entries);
        let Some(mut names) = from.names(room)? else {
            let all = self.limits.max_files;
            self.note(path, &format!("more than {all} entries: what is in it is left out"));
            return Ok(());
        };
        self.entries += names.len();
        names.sort();
        for name in names {
            if self.is_full {
                return Ok(());
            }
            let length = push(path, &name);
            self.entry((from, to), previous, &name, path, depth)?;
            path.truncate(length);
        }
        Ok(())
    }

    fn entry(
        &mut self,
        (from, to): (&Dir, &Dir),
        previous: Option<&Dir>,
        name: &OsStr,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), UserError> {
        let Some(stat) = from.stat(name)? else { return Ok(()) };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.file((from, to), previous, name, path, &stat),
            FileType::Directory if depth < MAX_DEPTH => {
                let Ok(below) = from.open_dir(name) else {
                    self.note(path, "cannot be opened: left out");
                    return Ok(());
                };
                let copies = make_dir(to, name)?;
                let previous = previous.and_then(|dir| dir.open_dir(name).ok());
                self.directory((&below, &copies), previous.as_ref(), path, depth + 1)
            }
            FileType::Directory => {
                self.note(path, &format!("more than {MAX_DEPTH} directories deep: left out"));
                Ok(())
            }
            _ => {
                self.note(path, "neither a file nor a directory: left out");
                Ok(())
            }
        }
    }

    fn file(
        &mut self,
        (from, to): (&Dir, &Dir),
        previous: Option<&Dir>,
        name: &OsStr,
        path: &[u8],
        stat: &Stat,
    ) -> Result<(), UserError> {
        let bytes = size(stat);
        if bytes > self.limits.max_file_bytes {
            self.note(path, &format!("larger than {} bytes: left out", self.limits.max_file_bytes));
            return Ok(());
        }
        if self.copied.bytes.saturating_add(bytes) > self.limits.max_bytes {
            let why = format!(
                "more than {} bytes altogether: this and what follows is left out",
                self.limits.max_bytes
            );
            self.note(path, &why);
            self.is_full = true;
            return Ok(());
        }
        if let Some(known) = self.previous.list.get(path)
            && is_same(known, stat)
            && let Some(previous) = previous
            && link(previous, to, name, bytes)?
        {
            self.copied.linked += 1;
            self.copied.bytes += bytes;
            self.copied.list.push(known.clone());
            return Ok(());
        }
        let file = match from.open_own_file(name) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => return Ok(()), // removed meanwhile
            Err(error) => {
                self.note(path, &crate::text::io_reason(&error.source));
                return Ok(());
            }
        };
        match to.copy_new(Path::new(name), &file, self.limits.max_file_bytes, self.until) {
            Ok(made) => {
                self.copied.bytes += made.bytes;
                self.copied.new_bytes += made.bytes;
                let facts = FileFacts { bytes: made.bytes, sha256: made.sha256 };
                let one = Attachment { path: path.to_vec(), facts, stamp: stamp(stat) };
                self.copied.list.push(one);
                Ok(())
            }
            Err(error) if error.is_too_large() => {
                self.note(path, "grew meanwhile: left out");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn note(&mut self, path: &[u8], why: &str) {
        if self.copied.notes.len() < MAX_NOTES {
            let name = OsString::from_vec(path.to_vec());
            self.copied.notes.push(format!("attachments/{}: {why}", shown(&name)));
        }
    }
}

fn push(path: &mut Vec<u8>, name: &OsStr) -> usize {
    let length = path.len();
    if length > 0 {
        path.push(b'/');
    }
    path.extend(name.as_bytes());
    length
}

/// Makes a directory (0700) of any name.
fn make_dir(to: &Dir, name: &OsStr) -> Result<Dir, FileError> {
    to.make_private_dir(name)?;
    to.open_dir(name)
}

/// Links the previous copy, if it is as large as it was.
fn link(previous: &Dir, to: &Dir, name: &OsStr, bytes: u64) -> Result<bool, FileError> {
    match previous.stat(name)? {
        Some(stat) if size(&stat) == bytes => to.link_from(previous, name),
        _ => Ok(false),
    }
}

fn is_same(known: &Attachment, stat: &Stat) -> bool {
    known.facts.bytes == size(stat) && known.stamp == stamp(stat)
}

fn stamp(stat: &Stat) -> Stamp {
    let nanoseconds =
        |seconds: i64, rest: u64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    Stamp {
        inode: stat.st_ino,
        modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
        changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
    }
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}
