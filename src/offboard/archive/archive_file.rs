//! An archive on disk.

use super::format::Format;
use crate::offboard::error::{ArchiveError, OffboardError};
use crate::sys::fs::trusted_path;
use crate::sys::{Dir, FileError};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// An archive in a directory that only root can change.
pub(in crate::offboard) struct ArchiveFile {
    pub(super) dir: Rc<Dir>,
    pub(super) name: String,
    pub(super) format: &'static Format,
}

impl ArchiveFile {
    pub(super) fn new(dir: Rc<Dir>, name: String, format: &'static Format) -> Self {
        Self { dir, name, format }
    }

    /// The archive at a path that was given with `--archive`.
    pub(in crate::offboard) fn open(path: &Path) -> Result<Self, OffboardError> {
        let option = "--archive";
        let (dir, name) = trusted_path::open_parent(path)
            .map_err(|source| ArchiveError::Unusable { option, source })?;
        let named = name.to_str().and_then(|name| Some((name.to_owned(), Format::of_name(name)?)));
        let (name, format) =
            named.ok_or_else(|| ArchiveError::NotAnArchive(dir.path().join(&name)))?;
        Ok(Self { dir: Rc::new(dir), name, format })
    }

    pub(in crate::offboard) fn path(&self) -> PathBuf {
        self.dir.path().join(&self.name)
    }

    /// Its SHA-256 in hexadecimal digits.
    pub(in crate::offboard) fn digest(&self) -> Result<String, OffboardError> {
        let mut file = self.file()?;
        let (mut hash, mut buffer) = (Sha256::new(), vec![0_u8; 256 << 10]);
        loop {
            let read = file.read(&mut buffer);
            match read.map_err(OffboardError::io(format!("reading {}", self.name)))? {
                0 => return Ok(crate::text::hex(&hash.finalize())),
                count => hash.update(&buffer[..count]),
            }
        }
    }

    pub(super) fn file(&self) -> Result<std::fs::File, FileError> {
        trusted_path::open_file_in(&self.dir, &self.name)
    }
}
