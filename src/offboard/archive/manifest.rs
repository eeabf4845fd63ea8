//! The manifest of an archive: a line for each entry of the home, with hashes of the content.

use crate::sys::FileError;
use crate::sys::fs::walk::Node;
use crate::text::hex;
use rustix::fs::{FileType, SeekFrom};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Read;

/// Size of the blocks in which a file with holes is hashed, in bytes: blocks of zeros are left out.
const BLOCK: u64 = 4096;

/// An entry of the home: a line of the manifest, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// The path, from the name of the home on, as [`escaped`] writes it.
    pub(super) path: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) mode: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    /// Seconds since 1970, rounded down, and nine digits of nanoseconds after the point.
    pub(super) mtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<String>,
    /// Where a link points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    /// The path of an earlier entry that is the same file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) same_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<(u64, u64)>,
}

/// Files with several names: the first path of each, by inode.
#[derive(Default)]
pub(super) struct LinkedFiles(HashMap<u64, Vec<u8>>);

impl LinkedFiles {
    /// The first path of the node's file; `None` if it is this one.
    pub(super) fn earlier(&mut self, node: &Node<'_>) -> Option<Vec<u8>> {
        if node.stat.st_nlink < 2 || node.kind().is_dir() {
            return None;
        }
        let path = self.0.get(&node.stat.st_ino).cloned();
        if path.is_none() {
            self.0.insert(node.stat.st_ino, node.path.to_vec());
        }
        path
    }
}

/// The hash of a file's content: of all bytes, or, if it has holes, of the blocks that are not zero.
pub(super) enum Content {
    Plain { hash: Sha256, at: u64 },
    Holes { hash: Sha256, block: u64, bytes: Vec<u8> },
}

impl Content {
    pub(super) fn new(has_holes: bool) -> Self {
        if has_holes {
            Self::Holes { hash: Sha256::new(), block: 0, bytes: vec![0; BLOCK_BYTES] }
        } else {
            Self::Plain { hash: Sha256::new(), at: 0 }
        }
    }

    /// Adds bytes at an offset, which never decreases.
    pub(super) fn update(&mut self, mut offset: u64, mut data: &[u8]) {
        match self {
            Self::Plain { hash, at } => {
                zeros(hash, offset - *at);
                hash.update(data);
                *at = offset + data.len() as u64;
            }
            Self::Holes { hash, block, bytes } => {
                while !data.is_empty() {
                    if offset / BLOCK != *block {
                        flush(hash, *block, bytes);
                        *block = offset / BLOCK;
                    }
                    let within = usize::try_from(offset % BLOCK).unwrap_or(0);
                    let count = data.len().min(BLOCK_BYTES - within);
                    bytes[within..within + count].copy_from_slice(&data[..count]);
                    (offset, data) = (offset + count as u64, &data[count..]);
                }
            }
        }
    }

    /// The hash of a file of this size.
    pub(super) fn finish(self, size: u64) -> String {
        match self {
            Self::Plain { mut hash, at } => {
                zeros(&mut hash, size.saturating_sub(at));
                format!("sha256:{}", hex(&hash.finalize()))
            }
            Self::Holes { mut hash, block, mut bytes } => {
                flush(&mut hash, block, &mut bytes);
                format!("blocks:{}", hex(&hash.finalize()))
            }
        }
    }
}

const BLOCK_BYTES: usize = 4096;

fn flush(hash: &mut Sha256, block: u64, bytes: &mut [u8]) {
    if bytes.iter().any(|byte| *byte != 0) {
        hash.update((block * BLOCK).to_le_bytes());
        hash.update(&*bytes);
        bytes.fill(0);
    }
}

fn zeros(hash: &mut Sha256, mut count: u64) {
    let some = [0_u8; BLOCK_BYTES];
    while count > 0 {
        let now = usize::try_from(count.min(BLOCK)).unwrap_or(0);
        hash.update(&some[..now]);
        count -= now as u64;
    }
}

/// Whether a file has holes, by the rule of tar.
pub(super) fn has_holes(node: &Node<'_>) -> bool {
    let (blocks, size) = (node.stat.st_blocks.unsigned_abs(), node.stat.st_size.unsigned_abs());
    blocks.saturating_mul(512) < size
}

/// The line of an entry. `earlier` is the first path of the same file. The content of a regular file
/// is read, but not its holes.
pub(super) fn describe(node: &Node<'_>, earlier: Option<&[u8]>) -> Result<Line, FileError> {
    let stat = &node.stat;
    let kind = node.kind();
    let file = kind == FileType::RegularFile;
    let content = if file && earlier.is_none() { Some(content(node)?) } else { None };
    let target = if kind == FileType::Symlink && earlier.is_none() {
        Some(escaped(&node.target()?))
    } else {
        None
    };
    let special = matches!(kind, FileType::CharacterDevice | FileType::BlockDevice);
    let (major, minor) = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
    Ok(Line {
        path: escaped(node.path),
        kind: name(kind),
        mode: format!("{:04o}", stat.st_mode & 0o7777),
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: if file { stat.st_size.unsigned_abs() } else { 0 },
        mtime: time(stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
        content,
        target,
        same_as: earlier.map(escaped),
        device: (special && earlier.is_none()).then(|| (major.into(), minor.into())),
    })
}

/// A path or target for the manifest: backslashes, control characters and bytes that are not UTF-8 as
/// `\\` and `\xHH`. The format stays this one, so that manifests stay comparable: `text::escape` has
/// more escapes.
pub(super) fn escaped(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let _ = match c {
                '\\' => write!(text, "\\\\"),
                c if c.is_control() => {
                    c.to_string().bytes().try_for_each(|byte| write!(text, "\\x{byte:02x}"))
                }
                c => write!(text, "{c}"),
            };
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A time for the manifest.
pub(super) fn time(seconds: i64, nanoseconds: u32) -> String {
    format!("{seconds}.{nanoseconds:09}")
}

fn name(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "file",
        FileType::Directory => "directory",
        FileType::Symlink => "link",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::CharacterDevice => "character device",
        FileType::BlockDevice => "block device",
        FileType::Unknown => "unknown",
    }
}

fn content(node: &Node<'_>) -> Result<String, FileError> {
    let failed = |source: std::io::Error| {
        let path = String::from_utf8_lossy(node.path).into_owned();
        FileError { doing: "reading", path: path.into(), source }
    };
    let size = node.stat.st_size.unsigned_abs();
    let holes = has_holes(node);
    let mut file = node.open()?;
    let mut content = Content::new(holes);
    let mut buffer = vec![0_u8; 256 << 10];
    let mut at = 0_u64;
    while at < size {
        if holes {
            match rustix::fs::seek(&file, SeekFrom::Data(at)) {
                Ok(data) => at = data,
                Err(rustix::io::Errno::NXIO) => break,
                Err(error) => return Err(failed(error.into())),
            }
        }
        let most = usize::try_from(size - at).unwrap_or(usize::MAX).min(buffer.len());
        let count = file.read(&mut buffer[..most]).map_err(failed)?;
        if count == 0 {
            let path = String::from_utf8_lossy(node.path).into_owned();
            return Err(FileError::refused(
                "reading",
                path,
                "the file was shortened while it was read",
            ));
        }
        content.update(at, &buffer[..count]);
        at += count as u64;
    }
    Ok(content.finish(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_does_not_depend_on_where_the_holes_are() {
        let mut dense = vec![0_u8; 20_000];
        dense[9_000] = 7;
        let hash = |holes, parts: &[(u64, &[u8])]| {
            let mut content = Content::new(holes);
            for (offset, data) in parts {
                content.update(*offset, data);
            }
            content.finish(20_000)
        };
        for holes in [true, false] {
            let whole = hash(holes, &[(0, &dense)]);
            assert_eq!(whole, hash(holes, &[(9_000, &dense[9_000..9_001])]));
            assert_eq!(whole, hash(holes, &[(512, &dense[512..9_100]), (9_100, &dense[9_100..])]));
            assert_ne!(whole, hash(holes, &[(9_001, &[7])]));
        }
        assert_eq!(hash(false, &[(0, &dense)]), format!("sha256:{}", hex(&Sha256::digest(&dense))));
    }

    #[test]
    fn a_path_stays_on_one_line() {
        assert_eq!(escaped(b"a\nb\\\xff\x1b\xc3\xa9"), "a\\x0ab\\\\\\xff\\x1bé");
    }
}
