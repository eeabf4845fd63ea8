//! What panes showed, beside the snapshot that they belong to: `snapshots/<id>.scrollback/`, a file
//! for each pane, named after its place so that the snapshot need not name it.

use super::id::SnapshotId;
use super::record::Row;
use super::store::{SCROLLBACK, Store};
use crate::sys::fs::{Dir, FileError};
use crate::sys::locks::Lock;
use std::path::Path;

/// Maximum number of files in a directory.
const MAX_FILES: usize = 100_000;

impl Store {
    /// The directory of a snapshot's scrollback, if it is there.
    pub fn scrollback(&self, id: SnapshotId) -> Result<Option<Dir>, FileError> {
        let Some(snapshots) = &self.snapshots else { return Ok(None) };
        match snapshots.open_dir(format!("{id}{SCROLLBACK}")) {
            Ok(dir) => Ok(Some(dir)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The directory of a snapshot's scrollback, made where it is absent and cleared of what a
    /// killed writer left. The lock is held.
    pub fn ensure_scrollback(&self, id: SnapshotId, _lock: &Lock) -> Result<Dir, FileError> {
        let Some(snapshots) = &self.snapshots else {
            return Err(FileError::refused("writing", self.path(), "the store is not locked"));
        };
        let dir = snapshots.ensure_dir(&format!("{id}{SCROLLBACK}"))?;
        if let Some(names) = dir.names(MAX_FILES)? {
            dir.remove_temporaries(&names)?;
        }
        Ok(dir)
    }
}

/// The file of a pane: 128 bits of its session's name (FNV-1a: any name gives a short one; nothing
/// rests on it but that two sessions of one user differ), window and pane.
pub fn file_name(row: &Row) -> String {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash =
        row.session.iter().fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
    format!("{hash:032x}-{}.{}", row.window, row.pane)
}

/// Where a pane's file is in a directory of scrollback.
pub fn path(dir: &Dir, row: &Row) -> std::path::PathBuf {
    dir.path().join(Path::new(&file_name(row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_session_name_gives_a_short_file_name_of_its_own() {
        let name = |session: &[u8]| {
            file_name(&Row { session: session.to_vec(), window: 3, pane: 1, ..Row::default() })
        };
        assert_eq!(name(b"a"), "d228cb696f1a8caf78912b704e4a8964-3.1");
        assert_ne!(name(b"../../x"), name(b"../../y"));
        assert!(!name(b"../../x").contains('/'));
        assert_eq!(name(&[b'x'; 5000]).len(), 36);
    }
}
